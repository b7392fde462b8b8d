package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

func newReplay() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "replay [-c CONFIG] [--json] FILE...",
		Short: "Tell the records of captured AMI streams, or of CEL or CDR files, without a PBX",
		Long: `Replay feeds captures through the same rules as serve and prints the records.
A capture is what "voipd capture" writes, or the raw bytes of any AMI session; an
index of arrival times is used where it lies beside it (ami.txt and ami.idx).
A file whose name ends in .csv holds rows of CEL (the name has "cel") or of CDR
(the name has "cdr", or is Master.csv); dates in it are taken as UTC.
Calls still open at the end of a file are told as far as they are known.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			conf := config.Default()
			if path != "" {
				var err error
				if conf, err = config.Read(path); err != nil {
					return err
				}
			}
			rules, err := numbers.Rules(conf)
			if err != nil {
				return err
			}
			if path != "" {
				rules = known(cmd.Context(), conf, rules)
			}
			print := printTable
			if asJSON {
				print = printJSON
			}
			return replay(cmd, rules, files, print)
		},
	}
	configFlag(c, &path, "")
	c.Flags().BoolVar(&asJSON, "json", false, "one record a line on standard output, and nothing else there")
	return c
}

// known adds to rules what the store of the configuration knows of the PBX. Where there
// is no such store, or one of an older version, the configuration has to do.
func known(ctx context.Context, conf config.Config, rules record.Rules) record.Rules {
	if _, err := os.Stat(conf.Store.Path); err != nil {
		return rules
	}
	db, err := store.OpenReadOnly(ctx, conf.Store.Path)
	if err != nil {
		return rules
	}
	defer db.Close()
	with, err := daemon.WithKnown(ctx, db, rules)
	if err != nil {
		return rules
	}
	return with
}

// replay runs each file through a Machine of its own: two captures are two
// stretches of time. A file that cannot be read costs only itself.
func replay(cmd *cobra.Command, rules record.Rules, files []string, print func(io.Writer, []record.Record) error) error {
	var all []record.Record
	var failed []error
	for _, file := range files {
		records, stats, err := replayFile(rules, file)
		if err != nil {
			failed = append(failed, err)
		}
		if stats.Malformed > 0 {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d messages could not be read and were left out\n", file, stats.Malformed)
		}
		if stats.Timeless {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: no index and no timestamps: times are estimates\n", file)
		}
		all = append(all, records...)
	}
	if len(failed) < len(files) {
		if err := print(cmd.OutOrStdout(), all); err != nil {
			failed = append(failed, fmt.Errorf("print records: %w", err))
		}
	}
	return errors.Join(failed...)
}

func replayFile(rules record.Rules, file string) ([]record.Record, capture.Stats, error) {
	m := record.New(rules)
	var out []record.Record
	var changes []record.Change
	stats, err := capture.Events(file, []string{rules.SrcExtVariable, rules.DstExtVariable}, func(e record.Event) {
		changes = m.Apply(changes[:0], e)
		out = record.Records(out, changes)
	})
	for _, r := range m.OpenRecords() {
		r.Details.Approximate = append(r.Details.Approximate, "the capture ends before the call")
		out = append(out, r)
	}
	if stats.Timeless {
		for i := range out {
			out[i].Details.Approximate = append(out[i].Details.Approximate, "the capture has no times")
		}
	}
	slices.SortStableFunc(out, func(a, b record.Record) int {
		return cmp.Or(a.Details.StartedAt.Compare(b.Details.StartedAt), cmp.Compare(a.CallID, b.CallID))
	})
	return out, stats, err
}

func printJSON(w io.Writer, records []record.Record) error {
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	for _, r := range records {
		line.Reset()
		if err := enc.Encode(contract.WithPaths(r)); err != nil {
			return err
		}
		if _, err := w.Write(contract.Stamped(line.Bytes())); err != nil {
			return err
		}
	}
	return nil
}

func printTable(w io.Writer, records []record.Record) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STARTED (UTC)\tDIRECTION\tFROM\tTO\tDISPOSITION\tSECONDS\tRECORDED\tCALL")
	for _, r := range records {
		fmt.Fprintln(t, tableRow(r))
	}
	return t.Flush()
}

// tableRow is a record for the eye. Numbers come from outside: what is not
// printable is shown escaped, so that it cannot move the cursor.
func tableRow(r record.Record) string {
	recorded := ""
	if r.Recorded() {
		recorded = "yes"
	}
	cells := []string{
		r.Details.StartedAt.Format(time.DateTime), string(r.Direction), withExt(r.SrcPhone, r.SrcPhoneExt), withExt(r.DstPhone, r.DstPhoneExt),
		string(r.Disposition), fmt.Sprint(r.Duration), recorded, r.CallID,
	}
	for i, c := range cells {
		cells[i] = trace.Inert(c)
	}
	return strings.Join(cells, "\t")
}

func withExt(phone, ext string) string {
	if ext == "" {
		return phone
	}
	return phone + " ext. " + ext
}
