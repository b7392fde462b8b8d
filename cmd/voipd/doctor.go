package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/doctor"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/setup"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

func newDoctor() *cobra.Command {
	var path string
	var listen time.Duration
	var mend, yes bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at the PBX and the configuration, and say what is missing",
		Long: `Doctor connects to the PBX, lists every endpoint and context with what it is to
voipd and why, and says what is missing, each with the line to put where. Over
ARI it sees no endpoints. It also looks at the machine: where the user of AMI
stands, who may read secrets and recordings, zones, clock, disk, the database.
--fix does what voipd init would.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if mend {
				return fix(cmd, path, yes)
			}
			report, err := diagnose(cmd.Context(), path, listen)
			if report == nil {
				return err
			}
			return errors.Join(report.Print(cmd.OutOrStdout()), err)
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().DurationVar(&listen, "listen", 3*time.Second, "how long to wait for an event of a call")
	c.Flags().BoolVar(&mend, "fix", false, "do what voipd init would, once it is agreed to")
	c.Flags().BoolVar(&yes, "yes", false, "with --fix: do not ask")
	return c
}

// diagnose examines the PBX, the machine and the configuration. Where the PBX
// does not let voipd in, the report has what the machine shows all the same.
func diagnose(ctx context.Context, path string, listen time.Duration) (*doctor.Report, error) {
	conf, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	rules, err := numbers.Rules(conf)
	if err != nil {
		return nil, err
	}
	report, unreachable := examine(ctx, conf, rules, listen)
	if report == nil {
		report = &doctor.Report{Version: "The PBX could not be examined."}
	}
	found, err := setup.Examine(ctx, setup.Options{Config: path}, conf)
	for _, f := range found {
		report.Findings = append(report.Findings, doctor.Finding{What: f.What, Do: f.Do})
	}
	if err != nil {
		report.Notes = append(report.Notes, fmt.Sprintf("The PBX's files could not be looked at: %v", err))
	}
	if conf.Warning != nil {
		for _, p := range conf.Warning.Problems {
			report.Findings = append(report.Findings, doctor.Finding{What: fmt.Sprintf("%s:%d: the key %s %s", path, p.Line, p.Key, p.What), Do: "the new name in " + path})
		}
	}
	database(ctx, report, conf.Store.Path)
	if conf.Recordings.Converter != config.Off {
		report.Converters(converters(ctx, conf.Recordings.Converter))
	}
	return report, unreachable
}

// database tells of a database that this program cannot read.
func database(ctx context.Context, report *doctor.Report, path string) {
	if _, err := os.Stat(path); err != nil {
		return // it comes with the first start
	}
	db, err := store.OpenReadOnly(ctx, path)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		report.Findings = append(report.Findings, doctor.Finding{What: fmt.Sprintf("the database %s cannot be read: %v", path, err), Do: "docs/keeping.md says what to do with a database that is damaged or of another version"})
	}
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
