package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Damage says what became of a database that was found damaged.
type Damage struct {
	File  string         // where the damaged file is now, with its -wal and -shm beside it
	Why   string         // what SQLite says of it
	Alive time.Time      // up to when voipd kept records in it, as far as is known
	Saved map[string]int // rows that were taken over into the new database, by table
}

// RebuildMark is the name of the mark of a new database that was begun in the
// place of a damaged one: up to when records are to be taken from that, CEL and
// CDR. Who did so clears it.
const RebuildMark = "rebuild"

const (
	// startCheck bounds the check of a database when voipd starts. What is not
	// reached by then is found damaged when it is read or written.
	startCheck = 3 * time.Second
	// renewWithin bounds the whole change to a new file while voipd runs.
	renewWithin = 30 * time.Second
	// confirmWithin bounds the check of a database that SQLite called damaged.
	confirmWithin = 10 * time.Second
)

// OpenSound is Open for who owns the database: a damaged file is never written
// over but moved aside, to NAME.corrupt-TIME, and a new one begun with the small
// things that can still be read: secrets, open calls, events not delivered yet.
// The Damage is nil where the file was sound, as far as startCheck reaches.
func OpenSound(ctx context.Context, path string, options ...Option) (*DB, *Damage, error) {
	why, _ := lookAt(ctx, path, startCheck)
	if why == "" && unfinished(path) {
		why = "voipd ended while it began a new database in the place of a damaged one"
	}
	if why == "" {
		db, err := Open(ctx, path, options...)
		if !IsDamage(err) {
			return db, nil, err
		}
		why = err.Error()
	}
	d, err := replace(ctx, path, why, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("open store %s: it is damaged (%s): %w", path, why, err)
	}
	db, err := Open(ctx, path, options...)
	return db, d, err
}

// unfinished tells whether a damaged database was moved aside and no new one
// has its name yet.
func unfinished(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist) && len(Aside(path)) > 0
}

// replace moves the damaged database aside and puts a new one in its place,
// with what can be read of the old one. Nothing may have it open. The new one
// gets its name when it is whole: a kill in between is made good by doing it
// again.
func replace(ctx context.Context, path, why string, options ...Option) (*Damage, error) {
	d, err := setAside(path, why)
	if err != nil {
		return nil, err
	}
	fresh := path + ".new"
	for _, part := range parts() {
		if err := os.Remove(fresh + part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("begin a new database: %w", err)
		}
	}
	db, err := Open(ctx, fresh, options...)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(db.salvage(ctx, d), db.Close()); err != nil {
		return nil, fmt.Errorf("begin a new database: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, fmt.Errorf("begin a new database: %w", err)
	}
	return d, syncFolder(path)
}

// parts are the ends of the names of a database's files.
func parts() []string { return []string{"", "-wal", "-shm"} }

// lookAt tells what is wrong with the file at path, read from the disk: empty
// where nothing was found. whole is whether it saw all of it within the bound.
func lookAt(ctx context.Context, path string, bound time.Duration) (why string, whole bool) {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return "", false
	}
	state := &fileState{}
	pool := sql.OpenDB(&dialer{dsn(path, "rw", ""), nil, state})
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	return inspect(ctx, pool, bound)
}

type rowQuerier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// inspect looks for damage, first where little is kept that matters most, and
// tells what it found, and whether it saw the whole file within the bound.
func inspect(ctx context.Context, db rowQuerier, bound time.Duration) (why string, whole bool) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for _, pragma := range []string{`quick_check('secrets')`, `quick_check('journal')`, `integrity_check(1)`} {
		var said string
		err := db.QueryRowContext(ctx, `PRAGMA `+pragma).Scan(&said)
		switch {
		case err != nil && IsDamage(err):
			return err.Error(), true
		case err != nil:
			return "", false // out of time, or no damage but another trouble
		case said != "ok":
			return said, true
		}
	}
	return "", true
}

// setAside moves the database and what belongs to it, or finishes that.
func setAside(path, why string) (*Damage, error) {
	d := &Damage{File: asideName(path), Why: why, Saved: map[string]int{}}
	if unfinished(path) {
		all := Aside(path)
		d.File = all[len(all)-1]
	}
	for _, part := range parts() {
		if err := os.Rename(path+part, d.File+part); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("move the damaged database aside: %w", err)
		}
	}
	if info, err := os.Stat(d.File); err == nil {
		d.Alive = info.ModTime().UTC()
	}
	return d, syncFolder(path)
}

func asideName(path string) string {
	name := path + ".corrupt-" + time.Now().UTC().Format("20060102T150405Z")
	for n := 2; ; n++ {
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name
		}
		name = fmt.Sprintf("%s.corrupt-%s-%d", path, time.Now().UTC().Format("20060102T150405Z"), n)
	}
}

func syncFolder(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Aside lists the databases that were found damaged and moved aside, the
// oldest first.
func Aside(path string) []string {
	all, _ := filepath.Glob(globEscape(path) + ".corrupt-*Z*") // the pattern is well formed
	var out []string
	for _, name := range all {
		if ext := name[len(name)-4:]; ext != "-wal" && ext != "-shm" {
			out = append(out, name)
		}
	}
	return out
}

func globEscape(path string) string {
	var out []rune
	for _, r := range path {
		if r == '*' || r == '?' || r == '[' || r == '\\' {
			out = append(out, '\\')
		}
		out = append(out, r)
	}
	return string(out)
}

// Damage is what SQLite said when it found the file damaged since it was
// opened; empty: nothing. Renew makes a new one.
func (db *DB) Damage() string {
	if why := db.state.damage.Load(); why != nil {
		return *why
	}
	return ""
}
