package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// recordsPage is how many records are in memory at once.
const recordsPage = 1000

func newRecords() *cobra.Command {
	var path, from, to string
	var q store.Query
	var direction, disposition string
	var asJSON bool
	c := &cobra.Command{
		Use:   "records",
		Short: "List the records of calls, newest first",
		Long: `Records lists what the API lists: a table for people, --json for machines.
Times are RFC 3339 ("2026-11-22T10:00:00Z"), a date ("2026-11-22", UTC), or how
long ago ("24h").`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Read(path)
			if err != nil {
				return err
			}
			now := time.Now()
			if q.From, err = moment(from, now); err != nil {
				return fmt.Errorf("--from: %w", err)
			}
			if q.To, err = moment(to, now); err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			if direction != "" {
				q.Directions = []record.Direction{record.Direction(direction)}
			}
			if disposition != "" {
				q.Dispositions = []record.Disposition{record.Disposition(disposition)}
			}
			list, err := readRecords(cmd, conf, q)
			if err != nil {
				return err
			}
			print := printTable
			if asJSON {
				print = printJSON
			}
			return print(cmd.OutOrStdout(), list)
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	f := c.Flags()
	f.StringVar(&from, "from", "", "calls that began then or later")
	f.StringVar(&to, "to", "", "calls that began before")
	f.StringVar(&direction, "direction", "", "in, out or internal")
	f.StringVar(&disposition, "disposition", "", "answered, no_answer, cancelled, busy, failed or unknown")
	f.StringSliceVar(&q.Phones, "phone", nil, "srcPhone or dstPhone, whole")
	f.StringVar(&q.Number, "number", "", "a part of srcPhone or dstPhone, three digits or more")
	f.StringVar(&q.Name, "name", "", "a part of the caller's name, three letters or more")
	f.StringSliceVar(&q.Operators, "operator", nil, "who called, was rung, talked, or handed the call over or took it")
	f.StringVar(&q.CallID, "call-id", "", "one call")
	f.IntVar(&q.Limit, "limit", 100, "at most so many; 0: all")
	f.BoolVar(&asJSON, "json", false, "one record a line on standard output, and nothing else there")
	return c
}

// readRecords reads all that fit, page by page.
func readRecords(cmd *cobra.Command, conf config.Config, q store.Query) ([]record.Record, error) {
	db, err := store.OpenReadOnly(cmd.Context(), conf.Store.Path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	limit := q.Limit
	var all []record.Record
	for {
		if q.Limit = recordsPage; limit > 0 {
			q.Limit = min(recordsPage, limit-len(all))
		}
		list, more, err := db.Records(cmd.Context(), q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if !more || limit > 0 && len(all) >= limit {
			return all, nil
		}
		last := list[len(list)-1]
		q.After = store.Cursor{StartedAt: last.Details.StartedAt, CallID: last.CallID}
	}
}

// moment reads a time as a person writes it; empty: none.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(s); err == nil {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: want 2026-11-22T10:00:00Z, 2026-11-22 or 24h", s)
}
