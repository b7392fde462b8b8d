package main

import (
	"bufio"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/store"
)

func newBackup() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "backup [-c CONFIG] FILE",
		Short: "Copy the database into a new file, also while voipd runs",
		Long: `Backup writes the database, as it stands at one moment, into FILE, checks it and
has it on the disk before it ends. A file that is there already is left alone. The
copy holds secrets and numbers: keep it as the database itself. Audio is not in it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var copied store.Copy
			err := readStore(cmd.Context(), path, func(db *store.DB) (err error) {
				copied, err = db.Backup(cmd.Context(), args[0])
				return err
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s: %d records, %d bytes, checked\n", args[0], copied.Records, copied.Bytes)
			line := store.Audit{What: "backup", About: args[0], Counts: map[string]int{"records": int(copied.Records)}}
			if err := writeStore(cmd.Context(), path, "voipd backup", func(db *store.DB) error { return db.AddAudit(cmd.Context(), line) }); err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), "voipd: the backup is whole, but cannot be noted in the audit:", err)
			}
			return nil
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	return c
}

// forgetFlags are the command line of forget.
type forgetFlags struct {
	config         string
	yes, keepFiles bool
}

func newForget() *cobra.Command {
	var f forgetFlags
	c := &cobra.Command{
		Use:   "forget [-c CONFIG] [--yes] [--keep-files] NUMBER",
		Short: "Erase every call of a number, with its traces, events and recordings",
		Long: `Forget erases every call that the number has a part in: records, traces, events
told or still to be told, and audio files. CEL and CDR do not bring them back, but
Asterisk's own tables are not touched, nor are backups and what apps were told. The
number is looked for as it stands in the records: give each way of writing it (with
and without a country's code) of its own. A centre that this voipd ships to erases
the same calls. Calls that go on are left: run it again
once they are over. The database is written anew at the end, which needs as much
space again; voipd's own writing waits for it in memory.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runForget(cmd, f, args[0]) },
	}
	configFlag(c, &f.config, "/etc/voipd/config.toml")
	c.Flags().BoolVar(&f.yes, "yes", false, "do not ask")
	c.Flags().BoolVar(&f.keepFiles, "keep-files", false, "leave the audio files")
	return c
}

func runForget(cmd *cobra.Command, f forgetFlags, number string) (err error) {
	digits, err := store.Digits(number)
	if err != nil {
		return &usageError{err}
	}
	conf, err := config.Read(f.config)
	if err != nil {
		return err
	}
	db, closeDB, err := openToWrite(cmd.Context(), conf.Store.Path, "voipd forget")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeDB()) }()
	p, err := db.Person(cmd.Context(), digits)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "%d calls, %d recordings; %d calls go on and are left\n", p.Calls-p.Open, len(p.Files), p.Open)
	if !f.yes && !confirmed(cmd) {
		return errors.New("nothing was erased: \"yes\" was not the answer (--yes does not ask)")
	}
	files := 0
	if !f.keepFiles {
		if files, err = eraseFiles(cmd, conf, p.Files); err != nil {
			return err
		}
	}
	if err := eraseConverted(conf, p.Files); err != nil {
		return fmt.Errorf("%w; the records are still there; run this again", err)
	}
	a, err := db.Forget(cmd.Context(), p, files)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "erased: %s\n", counts(a))
	newLog(cmd.ErrOrStderr(), conf.Log).Info("a number was forgotten", "about", a.About, slog.Any("counts", a.Counts))
	for _, file := range store.Aside(conf.Store.Path) {
		fmt.Fprintf(out, "%s, a damaged database, may still hold the number: delete it\n", file)
	}
	return nil
}

func confirmed(cmd *cobra.Command) bool {
	fmt.Fprint(cmd.OutOrStdout(), "Erase them for good? Type yes: ")
	answer, _ := bufio.NewReader(cmd.InOrStdin()).ReadString('\n') // an end without a line is no yes
	return strings.TrimSpace(answer) == "yes"
}

// eraseFiles deletes audio before the database forgets where it is, so that a
// run that was cut is done again whole.
func eraseFiles(cmd *cobra.Command, conf config.Config, names []string) (int, error) {
	var dirs []recording.Directory
	for _, d := range conf.Recordings.Directories {
		dirs = append(dirs, recording.Directory{Path: d.Path, AsteriskPath: d.AsteriskPath})
	}
	library, files := recording.New(dirs), 0
	for _, name := range names {
		n, err := library.Remove(name)
		files += n
		if errors.Is(err, recording.ErrRefused) {
			fmt.Fprintf(cmd.OutOrStdout(), "left, as it is not below [[recordings.directories]]; if it is there, delete it: %q\n", name)
			continue
		}
		if err != nil && !errors.Is(err, recording.ErrGone) {
			return files, fmt.Errorf("%w: %s; the records are still there; delete the file and run this again, or use --keep-files", err, name)
		}
	}
	return files, cmd.Context().Err()
}

// eraseConverted deletes what a running voipd has made of recordings for
// browsers, once the recordings are gone. Those copies are voipd's own, so that
// they go with --keep-files, too.
func eraseConverted(conf config.Config, names []string) error {
	dir, err := conf.CacheDir()
	for _, name := range names {
		if err != nil {
			break
		}
		_, err = convert.Forget(dir, name)
	}
	return err
}

func counts(a store.Audit) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(a.Counts)) {
		all = append(all, fmt.Sprintf("%d %s", a.Counts[what], what))
	}
	return strings.Join(all, ", ")
}

func newAudit() *cobra.Command {
	var path string
	var limit int
	c := &cobra.Command{
		Use:   "audit [-c CONFIG] [--limit N]",
		Short: "List what was erased, copied or moved aside, and when",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return readStore(cmd.Context(), path, func(db *store.DB) error {
				list, err := db.Audits(cmd.Context(), limit)
				for _, a := range list {
					fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s: %s\n", a.At.Format(time.RFC3339), a.What, a.About, counts(a))
				}
				return err
			})
		},
	}
	configFlag(c, &path, "/etc/voipd/config.toml")
	c.Flags().IntVar(&limit, "limit", 100, "how many lines, the latest first")
	return c
}
