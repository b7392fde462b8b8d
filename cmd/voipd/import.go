package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
	_ "time/tzdata" // a PBX may have no zones of its own

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
)

// importFlags are the command line of import.
type importFlags struct {
	config, from, to string
	cel, cdr, zone   string
	sources          []string
	dryRun           bool
}

func newImport() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import [-c CONFIG] [--source NAME]... [--cel FILE] [--cdr FILE] [--from DATE] [--to DATE]",
		Short: "Take calls of the past from CEL or CDR into the records",
		Long: `Import reads the tables that [[backfill]] names in the configuration, those
given with --source alone, or CSV files given with --cel and --cdr, and writes the
records of their calls. What was told live outranks CEL, which outranks CDR: a
better record is never replaced. Recordings that neither knows are looked for in
[[recordings.directories]], by the ids in their names. Webhooks are not told.

It may be stopped and started again, and run while voipd serves. A place in the
configuration is gone on with where the last import came to; with --from or --to
that stretch is read anew. Doing it twice changes nothing more.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runImport(cmd, f) },
	}
	configFlag(c, &f.config, "/etc/voipd/config.toml")
	c.Flags().StringArrayVar(&f.sources, "source", nil, "only this [[backfill]], by its name")
	c.Flags().StringVar(&f.cel, "cel", "", "a CSV file of CEL")
	c.Flags().StringVar(&f.cdr, "cdr", "", "a CSV file of CDR, such as Master.csv")
	c.Flags().StringVar(&f.zone, "zone", "", "zone of dates in these files, such as Europe/Moscow (this machine's)")
	c.Flags().StringVar(&f.from, "from", "", "calls from this date on: 2026-01-31, or 2026-01-31T12:00:00Z")
	c.Flags().StringVar(&f.to, "to", "", "calls before this date")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would be done, and write nothing")
	return c
}

func runImport(cmd *cobra.Command, f importFlags) (err error) {
	var span backfill.Span
	if span.From, err = date(f.from); err == nil {
		span.To, err = date(f.to)
	}
	if err != nil {
		return &usageError{err}
	}
	conf, err := config.LoadOffline(f.config)
	if err != nil {
		return err
	}
	rules, err := numbers.Rules(conf)
	if err != nil {
		return err
	}
	files := f.cel != "" || f.cdr != ""
	if conf.Backfill, err = f.tables(conf.Backfill, files); err != nil {
		return err
	}
	sources, err := daemon.Sources(conf)
	if err != nil {
		return err
	}
	db, closeDB, err := openToWrite(cmd.Context(), conf.Store.Path, "voipd import")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()
	if rules, err = daemon.WithKnown(cmd.Context(), db, rules); err != nil {
		return err
	}
	leapt, err := daemon.ClockLeaps(cmd.Context(), db)
	if err != nil {
		return err
	}
	library := daemon.Library(conf)
	check := func(r *record.Record) { library.CheckOld(r, time.Now()) }
	for _, s := range sources {
		o := repair.ImportOptions{Source: s, Rules: rules, Store: db, Span: span, DryRun: f.dryRun,
			Resume: !files && span == backfill.Span{}, Find: daemon.Find(conf), Leapt: leapt, Check: check}
		if cmd.Context().Err() == nil {
			err = errors.Join(err, importOne(cmd, o))
		}
		err = errors.Join(err, s.Close())
	}
	return err
}

// tables are those that are to be read.
func (f *importFlags) tables(all []config.Backfill, files bool) ([]config.Backfill, error) {
	if files {
		return f.files()
	}
	if len(all) == 0 {
		return nil, errors.New("nothing to import: name the tables of CEL and CDR as [[backfill]] in the configuration, or give a file with --cel or --cdr")
	}
	if len(f.sources) == 0 {
		return all, nil
	}
	var out []config.Backfill
	for _, name := range f.sources {
		found := false
		for _, b := range all {
			if b.Name == name {
				out, found = append(out, b), true
			}
		}
		if !found {
			return nil, &usageError{fmt.Errorf("no [[backfill]] has the name %q", name)}
		}
	}
	return out, nil
}

func (f *importFlags) files() ([]config.Backfill, error) {
	if len(f.sources) > 0 {
		return nil, &usageError{errors.New("--source is of the configuration; give files alone")}
	}
	var out []config.Backfill
	for _, file := range []struct{ kind, path string }{{backfill.CEL, f.cel}, {backfill.CDR, f.cdr}} {
		if file.path == "" {
			continue
		}
		path, err := filepath.Abs(file.path)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", file.path, err)
		}
		out = append(out, config.Backfill{Name: file.path, Kind: file.kind, Driver: backfill.CSV, Path: path, Zone: f.zone})
	}
	return out, nil
}

// importOne imports one source and says what became of it.
func importOne(cmd *cobra.Command, o repair.ImportOptions) error {
	p := newProgress(cmd.ErrOrStderr(), o.Source.Name())
	o.Progress = p.show
	n, err := repair.Import(cmd.Context(), o)
	p.done()
	what := ""
	switch {
	case err != nil && cmd.Context().Err() != nil:
		what, err = ", stopped", errors.New("import was stopped; what is done is kept, run it again for the rest")
	case err != nil:
		what = ", cut short"
	case o.DryRun:
		what = ", nothing written"
	}
	if o.Resume && !n.From.IsZero() {
		what += ", from " + n.From.Format(time.RFC3339) + " on, where the last import came to"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d rows, %d calls: %d new, %d replaced, %d kept; %d rows malformed%s\n",
		o.Source.Name(), n.Rows, n.Calls, n.New, n.Replaced, n.Kept, n.Malformed, what)
	importReasons(cmd.OutOrStdout(), n)
	if n.Unfound != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: not every recording could be looked for, import again with --from when this is mended: %s\n", o.Source.Name(), trace.Inert(n.Unfound))
	}
	if err == nil && n.Events == 0 && n.Rows+n.Malformed > 0 {
		err = fmt.Errorf("%s: nothing was understood of %d rows: look at the reasons above, and at columns and zone of the [[backfill]]", o.Source.Name(), n.Rows+n.Malformed)
	}
	return err
}

// importReasons says why rows were left out, and why records are approximate.
func importReasons(out io.Writer, n repair.Imported) {
	n.Skipped.Each(func(why backfill.Skip, rows int) {
		fmt.Fprintf(out, "  left out: %d rows: %s\n", rows, why)
	})
	for _, why := range slices.Sorted(maps.Keys(n.Approximate)) {
		fmt.Fprintf(out, "  approximate: %d calls: %s\n", n.Approximate[why], trace.Inert(why))
	}
}

// date reads a flag; empty is no bound.
func date(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is no date: want 2026-01-31 or 2026-01-31T12:00:00Z", s)
	}
	return t, nil
}

// progress shows how far an import is: on a terminal one line that is written
// over, else a line every ten seconds.
type progress struct {
	out   io.Writer
	name  string
	over  bool // the line is written over
	shown time.Time
}

const (
	lineEvery     = 10 * time.Second
	lineOverEvery = 100 * time.Millisecond
	eraseLine     = "\r\x1b[K"
)

func newProgress(out io.Writer, name string) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, name: name, over: ok && term.IsTerminal(int(f.Fd())), shown: time.Now()}
}

func (p *progress) show(n repair.Imported) {
	line := fmt.Sprintf("%s: %.0f %%, up to %s, %d rows", p.name, 100*n.Share, n.At.Format(time.DateOnly), n.Rows)
	switch since := time.Since(p.shown); {
	case p.over && since >= lineOverEvery:
		p.shown = time.Now()
		fmt.Fprint(p.out, eraseLine+line)
	case !p.over && since >= lineEvery:
		p.shown = time.Now()
		fmt.Fprintln(p.out, line)
	}
}

func (p *progress) done() {
	if p.over {
		fmt.Fprint(p.out, eraseLine)
	}
}
