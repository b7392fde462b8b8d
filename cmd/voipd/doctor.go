package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/doctor"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/record"
)

func newDoctor() *cobra.Command {
	var path string
	var listen time.Duration
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at the PBX and the configuration, and say what is missing",
		Long: `Doctor connects to the PBX, lists every endpoint and context with what it is to
voipd and why, and says what is missing, each with the line to put where. Over
ARI it sees no endpoints.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(path)
			if err != nil {
				return err
			}
			rules, err := numbers.Rules(conf)
			if err != nil {
				return err
			}
			report, err := examine(cmd.Context(), conf, rules, listen)
			if err != nil {
				return err
			}
			if conf.Recordings.Converter != config.Off {
				report.Converters(converters(cmd.Context(), conf.Recordings.Converter))
			}
			return report.Print(cmd.OutOrStdout())
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().DurationVar(&listen, "listen", 3*time.Second, "how long to wait for an event of a call")
	return c
}

// converters are the paths of what converts recordings.
func converters(ctx context.Context, setting string) ([]string, error) {
	programs, err := convert.Find(ctx, setting)
	var paths []string
	for _, p := range programs {
		paths = append(paths, p.Path)
	}
	return paths, err
}

func examine(ctx context.Context, conf config.Config, rules record.Rules, listen time.Duration) (*doctor.Report, error) {
	var dirs []string
	for _, d := range conf.Recordings.Directories {
		dirs = append(dirs, d.Path)
	}
	options, err := daemon.PBXOptions(conf, rules)
	if err != nil {
		return nil, err
	}
	if options.ARI != nil {
		options.ARI.Application += "-doctor" // the daemon's own would be taken from it
		options.ARI.Log = slog.New(slog.DiscardHandler)
		return doctor.ExamineARI(ctx, *options.ARI, dirs, 0)
	}
	options.AMI.Log = slog.New(slog.DiscardHandler)
	return doctor.Examine(ctx, doctor.Subject{Options: *options.AMI, Rules: rules, Directories: dirs, Wait: listen + 15*time.Second, Listen: listen})
}
