package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/record"
)

func newCapture() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "capture FILE.txt",
		Short: "Write the PBX's raw AMI stream, with receive times, to a file",
		Long: `Capture logs in to the PBX of the configuration and writes every byte that it
sends to FILE.txt, and when it came to FILE.idx, until it is interrupted. "voipd
replay FILE.txt" tells the records. The files hold numbers and names of callers.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := config.Load(path)
			if err != nil {
				return err
			}
			options, err := daemon.PBXOptions(conf, record.Rules{})
			if err != nil {
				return err
			}
			if options.AMI == nil {
				return errors.New("a capture is of AMI, and asterisk.interface is \"ari\": set it to \"ami\" in a copy of the configuration")
			}
			options.AMI.Log = newLog(cmd.ErrOrStderr(), conf.Log)
			bytes, err := capture.Record(cmd.Context(), *options.AMI, args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d bytes written to %s\n", bytes, args[0])
			return nil
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}
