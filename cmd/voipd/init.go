package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/doctor"
	"github.com/voipd/voipd/internal/setup"
)

// initFlags are the command line of init.
type initFlags struct {
	options                 setup.Options
	secret                  string // file with the secret for --remote
	dryRun, json, yes, undo bool
}

func newInit() *cobra.Command {
	var f initFlags
	c := &cobra.Command{
		Use:   "init [--dry-run] [--yes] [--undo] [--remote HOST]",
		Short: "Set voipd up beside the PBX of this machine, or take that back",
		Long: `Init looks at the machine, says what it found and what it will do, and asks. Then
it gives voipd a user of AMI where the PBX leaves it alone (FreePBX, Issabel,
VitalPBX, plain Asterisk), logs in, sees whether events come, writes a small
configuration with a first token, starts the service, and runs doctor.

It may be run again: what is there stays. What it writes stands in a list first,
so that a run that was cut is taken back by the next one, and --undo takes back
all of it, but for files that were edited since. --remote is for a PBX that is
another machine: it prints what to enter there, and logs in.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runInit(cmd, f) },
	}
	configFlag(c, &f.options.Config, "/etc/voipd/config.toml")
	flags := c.Flags()
	flags.BoolVar(&f.dryRun, "dry-run", false, "only say what would be done")
	flags.BoolVar(&f.json, "json", false, "write JSON; with --dry-run the plan, else, with --yes, what was done")
	flags.BoolVar(&f.yes, "yes", false, "do not ask")
	flags.BoolVar(&f.undo, "undo", false, "take back what init did")
	flags.BoolVar(&f.options.ARI, "ari", false, "listen by ARI instead of AMI")
	flags.StringVar(&f.options.Remote, "remote", "", "host of a PBX that is another machine")
	flags.StringVar(&f.secret, "secret-file", "", "with --remote: a file with the secret of the user there")
	flags.StringVar(&f.options.Root, "root", "", "folder in which the machine's files are")
	return c
}

func runInit(cmd *cobra.Command, f initFlags) error {
	switch {
	case f.json && !f.dryRun && !f.yes && !f.undo:
		return &usageError{errors.New("--json does not ask: give --dry-run or --yes with it")}
	case f.secret != "" && f.options.Remote == "":
		return &usageError{errors.New("--secret-file is for --remote")}
	case os.Geteuid() != 0 && !f.dryRun && f.options.Root == "":
		return errors.New("init needs root: sudo voipd init")
	}
	if f.secret != "" {
		text, err := os.ReadFile(f.secret)
		if err != nil {
			return fmt.Errorf("read the secret: %w", err)
		}
		f.options.Secret = strings.TrimRight(string(text), "\r\n")
	}
	if f.undo {
		return undoInit(cmd, f)
	}
	if !f.dryRun {
		cut, err := setup.Repair(cmd.Context(), f.options)
		if cut && !f.json {
			fmt.Fprintln(cmd.OutOrStdout(), "An earlier run of voipd init was cut. What it had begun was taken back.")
		}
		if err != nil {
			return err
		}
	}
	plan, err := setup.MakePlan(cmd.Context(), f.options)
	if err != nil {
		return err
	}
	return f.carryOut(cmd, plan)
}

// carryOut shows the plan, asks, and does it.
func (f *initFlags) carryOut(cmd *cobra.Command, plan *setup.Plan) error {
	out := cmd.OutOrStdout()
	switch {
	case f.dryRun && f.json:
		return writeJSON(cmd, plan)
	case !f.json:
		if err := plan.Print(out); err != nil {
			return err
		}
		if f.options.Remote != "" && len(plan.Refused) == 0 && !plan.Nothing() {
			fmt.Fprintf(out, "\n%s", plan.Instructions(f.options))
		}
	}
	if f.dryRun {
		return nil
	}
	if len(plan.Refused) > 0 {
		return fmt.Errorf("nothing was done: %s", strings.Join(plan.Refused, "; "))
	}
	if !f.yes && !plan.Nothing() && !agreed(cmd, f.options.Remote != "") {
		return errors.New("nothing was done: \"yes\" was not the answer (--yes does not ask)")
	}
	result, err := setup.Apply(cmd.Context(), f.options, plan)
	for result == nil && f.options.Remote != "" && !f.yes && cmd.Context().Err() == nil {
		fmt.Fprintf(out, "\n%v\n", err) // with the same secret: it is entered there
		if !agreed(cmd, true) {
			break
		}
		result, err = setup.Apply(cmd.Context(), f.options, plan)
	}
	if result == nil {
		return err
	}
	var report *doctor.Report
	var ill error
	if err == nil && f.options.Root == "" {
		report, ill = diagnose(cmd.Context(), f.options.Config, 0)
	}
	if f.json {
		return errors.Join(err, writeJSON(cmd, struct {
			*setup.Result
			Findings []doctor.Finding `json:"findings"`
		}{result, findings(report)}))
	}
	fmt.Fprintln(out)
	if report != nil {
		fmt.Fprintf(out, "voipd doctor:\n")
		err = errors.Join(err, report.Print(out))
		fmt.Fprintln(out)
	}
	if ill != nil {
		fmt.Fprintf(out, "voipd doctor could not look: %v\n\n", ill)
	}
	return errors.Join(err, result.Print(out, f.options))
}

func findings(r *doctor.Report) []doctor.Finding {
	if r == nil {
		return nil
	}
	return r.Findings
}

func agreed(cmd *cobra.Command, remote bool) bool {
	question := "\nDo this? Type yes: "
	if remote {
		question = "\nOnce that is entered on the PBX: go on? Type yes: "
	}
	fmt.Fprint(cmd.OutOrStdout(), question)
	answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n') // an end without a line is no yes
	return strings.TrimSpace(answer) == "yes"
}

func undoInit(cmd *cobra.Command, f initFlags) error {
	done, err := setup.Undo(cmd.Context(), f.options)
	if f.json {
		return errors.Join(err, writeJSON(cmd, map[string][]string{"done": done}))
	}
	for _, line := range done {
		fmt.Fprintln(cmd.OutOrStdout(), line)
	}
	if len(done) == 0 && err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), "Nothing is to be taken back: voipd init wrote nothing here.")
	}
	return err
}

func writeJSON(cmd *cobra.Command, v any) error {
	encode := json.NewEncoder(cmd.OutOrStdout())
	encode.SetIndent("", "  ")
	encode.SetEscapeHTML(false)
	return encode.Encode(v)
}

// fix is doctor --fix: what init would do.
func fix(cmd *cobra.Command, path string, yes bool) error {
	return runInit(cmd, initFlags{options: setup.Options{Config: path}, yes: yes})
}
