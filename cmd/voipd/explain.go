package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

func newExplain() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "explain CALLID",
		Short: "Show what happened in a call, and why its record says what it says",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := readTrace(cmd.Context(), path, args[0])
			if err != nil {
				return err
			}
			rules, err := numbers.Rules(k.conf)
			if err != nil {
				return err
			}
			rules = known(cmd.Context(), k.conf, rules)
			if k.events == nil {
				err = trace.ExplainKept(cmd.OutOrStdout(), &k.record)
			} else {
				err = trace.Explain(cmd.OutOrStdout(), rules, args[0], k.events)
			}
			return errors.Join(err, trace.Recordings(cmd.OutOrStdout(), &k.record))
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

func newExport() *cobra.Command {
	var path string
	var plain bool
	c := &cobra.Command{
		Use:   "export CALLID",
		Short: "Write a call's facts, with numbers and names replaced, as a file that replays",
		Long: `Export writes the facts from which a record was made to standard output. Numbers
and names are replaced, the same ones by the same ones, so that the file can go
into a bug report; "voipd replay FILE.trace" tells the record from it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := readTrace(cmd.Context(), path, args[0])
			if err != nil {
				return err
			}
			events := k.events
			if len(k.aside) > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "voipd: these facts were set aside: %s\n%s", trace.Inert(k.quarantine.Reason), k.quarantine.Stack)
				events = k.aside
			}
			if events == nil {
				return fmt.Errorf("the facts of the call %q are not kept any more (store.keep_traces), CEL or CDR told it, or it goes on", args[0])
			}
			if !plain {
				key := make([]byte, 32)
				rand.Read(key)
				disguise := trace.NewDisguise(key)
				for i := range events {
					events[i] = disguise.Event(events[i])
				}
			}
			return trace.Write(cmd.OutOrStdout(), args[0], events)
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().BoolVar(&plain, "plain", false, "keep numbers and names as they are")
	return c
}

// traced is what the store of a configuration has of a call.
type traced struct {
	conf   config.Config
	record record.Record
	events []record.Event // nil: none are kept

	aside      []record.Event // facts that were set aside
	quarantine store.Quarantine
}

// readTrace reads a call's record and its facts. The facts of a call that went
// into another stand with that one.
func readTrace(ctx context.Context, path, callID string) (k traced, err error) {
	if k.conf, err = config.Read(path); err != nil {
		return k, err
	}
	db, err := store.OpenReadOnly(ctx, k.conf.Store.Path)
	if err != nil {
		return k, err
	}
	defer db.Close()
	unreadable := []string(nil)
	if k.aside, unreadable, k.quarantine, err = db.Quarantined(ctx, callID); err != nil {
		return k, err
	}
	if len(unreadable) > 0 {
		k.quarantine.Reason += fmt.Sprintf(" (%d facts cannot be read)", len(unreadable))
	}
	k.record, err = db.Record(ctx, callID)
	if errors.Is(err, store.ErrNotFound) && len(k.aside) > 0 {
		return k, nil
	}
	if errors.Is(err, store.ErrNotFound) {
		return k, fmt.Errorf("there is no record of the call %q in %s", callID, k.conf.Store.Path)
	}
	if err != nil {
		return k, err
	}
	from := callID
	if k.record.Details.MergedInto != "" {
		from = k.record.Details.MergedInto
	}
	k.events, err = db.Trace(ctx, from)
	if errors.Is(err, store.ErrNotFound) {
		return k, nil
	}
	return k, err
}
