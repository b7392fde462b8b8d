package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
)

// configFlag gives a command the flag -c.
func configFlag(c *cobra.Command, path *string, value string) {
	c.Flags().StringVarP(path, "config", "c", value, "configuration file (TOML)")
}

func newServe() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Keep records of a PBX's calls and serve them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(path)
			if err != nil {
				return err
			}
			d, err := daemon.New(cmd.Context(), conf, daemon.Options{Version: version(), Log: newLog(cmd.ErrOrStderr(), conf.Log)})
			if err != nil {
				return err
			}
			return d.Run(cmd.Context())
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

// newLog makes the log that the configuration asks for; the loader has checked
// its values.
func newLog(w io.Writer, c config.Log) *slog.Logger {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	opts := &slog.HandlerOptions{Level: levels[c.Level]}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}
