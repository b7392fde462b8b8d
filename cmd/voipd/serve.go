package main

import (
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

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
			var level slog.LevelVar
			log := newLevelLog(cmd.ErrOrStderr(), conf.Log, &level)
			warn(log, conf)
			d, err := daemon.New(cmd.Context(), conf, daemon.Options{Version: version(), Log: log})
			if err != nil {
				return err
			}
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP)
			defer signal.Stop(hangups)
			done := make(chan error, 1)
			go func() { done <- d.Run(cmd.Context()) }()
			for {
				select {
				case err := <-done:
					return err
				case <-hangups:
					reload(d, path, &level, log)
				}
			}
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

// warn logs the keys that have another name now.
func warn(log *slog.Logger, conf config.Config) {
	if conf.Warning == nil {
		return
	}
	for _, p := range conf.Warning.Problems {
		log.Warn("a key of the configuration was renamed: " + (&config.Error{File: conf.Warning.File, Problems: []config.Problem{p}}).Error())
	}
}

// reload reads the configuration anew. One with mistakes changes nothing.
func reload(d *daemon.Daemon, path string, level *slog.LevelVar, log *slog.Logger) {
	conf, err := config.Load(path)
	if err != nil {
		log.Error("the configuration was not read anew; voipd goes on with the old one", "error", err)
		return
	}
	need, err := d.Reload(conf)
	if err != nil {
		log.Error("the configuration was not read anew; voipd goes on with the old one", "error", err)
		return
	}
	warn(log, conf)
	level.Set(levelOf(conf.Log))
	log.Info("read the configuration anew: tokens, webhooks, members, numbers and the log's level hold now, certificates do by themselves", "restart_voipd_for", need)
}

// newLog makes the log that the configuration asks for; the loader has checked
// its values.
func newLog(w io.Writer, c config.Log) *slog.Logger { return newLevelLog(w, c, new(slog.LevelVar)) }

// newLevelLog is newLog with a level that can be changed.
func newLevelLog(w io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	level.Set(levelOf(c))
	opts := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

func levelOf(c config.Log) slog.Level {
	return map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[c.Level]
}
