package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/doctor"
)

func newDoctor() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at the PBX and the configuration, and say what is missing",
		Long: `Doctor connects over AMI, lists every endpoint with what it is to voipd and why,
and says what is missing, each with the line to put where.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(path)
			if err != nil {
				return err
			}
			rules, err := daemon.Rules(conf)
			if err != nil {
				return err
			}
			options, err := daemon.ClientOptions(conf, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			subject := doctor.Subject{Options: options, Rules: rules}
			for _, d := range conf.Recordings.Directories {
				subject.Directories = append(subject.Directories, d.Path)
			}
			report, err := doctor.Examine(cmd.Context(), subject)
			if err != nil {
				return err
			}
			return report.Print(cmd.OutOrStdout())
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}
