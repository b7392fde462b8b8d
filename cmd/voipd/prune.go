package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/store"
)

func newPrune() *cobra.Command {
	var path string
	var yes bool
	c := &cobra.Command{
		Use:   "prune [-c CONFIG] [--yes]",
		Short: "Drop the records that are older than store.keep_records, however many they are",
		Long: `Prune drops what voipd drops by itself every hour, unless that would be more than a
quarter of all records at once: then a clock may be wrong, or the setting. Without
--yes it says how many there are and drops none.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Read(path)
			if err != nil {
				return err
			}
			if conf.Store.KeepRecords == 0 {
				return errors.New("nothing to drop: the configuration has no store.keep_records, so records are kept for ever")
			}
			before := time.Now().Add(-conf.Store.KeepRecords)
			return writeStore(cmd.Context(), path, "voipd prune", func(db *store.DB) error {
				old, err := db.CountOld(cmd.Context(), before)
				if err != nil {
					return err
				}
				all, err := db.CountAll(cmd.Context())
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%d of %d records are older than %s\n", old, all, before.Format(time.RFC3339))
				if !yes {
					return nil
				}
				n, err := db.PruneRecords(cmd.Context(), before)
				fmt.Fprintf(cmd.OutOrStdout(), "%d dropped\n", n)
				return err
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().BoolVar(&yes, "yes", false, "drop them")
	return c
}
