package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
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
			conf, events, err := readTrace(cmd.Context(), path, args[0])
			if err != nil {
				return err
			}
			rules, err := daemon.Rules(conf)
			if err != nil {
				return err
			}
			return trace.Explain(cmd.OutOrStdout(), rules, args[0], events)
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
			_, events, err := readTrace(cmd.Context(), path, args[0])
			if err != nil {
				return err
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

// readTrace reads the facts of a call from the store of the configuration. The
// facts of a call that went into another stand with that one.
func readTrace(ctx context.Context, path, callID string) (config.Config, []record.Event, error) {
	conf, err := config.Read(path)
	if err != nil {
		return conf, nil, err
	}
	db, err := store.OpenReadOnly(ctx, conf.Store.Path)
	if err != nil {
		return conf, nil, err
	}
	defer db.Close()
	r, err := db.Record(ctx, callID)
	if errors.Is(err, store.ErrNotFound) {
		return conf, nil, fmt.Errorf("there is no record of the call %q in %s", callID, conf.Store.Path)
	}
	if err != nil {
		return conf, nil, err
	}
	from := callID
	if r.Details.MergedInto != "" {
		from = r.Details.MergedInto
	}
	events, err := db.Trace(ctx, from)
	if errors.Is(err, store.ErrNotFound) {
		return conf, nil, fmt.Errorf("the facts of the call %q are not kept any more (store.keep_traces), or it goes on", callID)
	}
	return conf, events, err
}
