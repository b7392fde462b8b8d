package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Moved is how far the rows of a table are brought to this program's version.
type Moved struct {
	Table       string // or a few words for it
	Done, Total int64  // rows; where all are done, the old ones are dropped next, which may take a minute
}

func (m Moved) String() string {
	return fmt.Sprintf("bringing the database to this version: %d of %d %s", m.Done, m.Total, m.Table)
}

// Moving makes f be called while a large table is brought to this program's
// version, before Open returns, after each bounded step: some milliseconds of
// work, on a slow disk seconds.
func Moving(f func(Moved)) Option { return func(db *DB) { db.moving.tell = f } }

// moving is how large tables are brought to this program's version.
type moving struct {
	rows   int                              // how many are copied in one transaction; a table with no more is copied in one
	free   func(path string) (int64, error) // bytes that the disk of a file has left
	tell   func(Moved)                      // nil: nobody listens
	total  int64                            // records to get their places; 0: not counted yet
	placed int64                            // those of them that have theirs
}

// migrate brings the tables to this program's version.
func (db *DB) migrate(ctx context.Context) error {
	provider, err := versions(db.writer)
	if err != nil {
		return err
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	if have > want {
		return newer(have, want)
	}
	if have == want {
		return db.placeOlder(ctx)
	}
	// Foreign keys are not enforced meanwhile: a table that is dropped, for
	// another to take its name, would take what refers to it along. They are again
	// on a connection that is made anew, and version 10 then fails.
	if _, err := db.writer.ExecContext(ctx, `PRAGMA foreign_keys = OFF`); err != nil {
		return err
	}
	if err := db.bring(ctx, provider, have); err != nil {
		return fmt.Errorf("bring tables from version %d to %d: %w", have, want, err)
	}
	if _, err = db.writer.ExecContext(ctx, `PRAGMA foreign_keys = ON`); err != nil {
		return err
	}
	return db.placeOlder(ctx)
}

func (db *DB) bring(ctx context.Context, provider *goose.Provider, have int64) error {
	if have < rowidVersion {
		if _, err := provider.UpTo(ctx, rowidVersion-1); err != nil {
			return err
		}
		if err := db.copyLarge(ctx); err != nil {
			return err
		}
	}
	_, err := provider.Up(ctx)
	return err
}

// copyLarge makes rowid tables of those that are too large for one transaction.
func (db *DB) copyLarge(ctx context.Context) error {
	var large []rowidTable
	for _, t := range rowidTables() {
		old, err := t.isOld(ctx, db.writer)
		if err != nil {
			return err
		}
		if !old {
			continue
		}
		rows, err := number(ctx, db.writer, `SELECT count(*) FROM (SELECT 1 FROM `+t.name+` LIMIT ?)`, db.moving.rows+1)
		if err != nil {
			return err
		}
		if rows > int64(db.moving.rows) {
			large = append(large, t)
		}
	}
	if len(large) == 0 {
		return nil
	}
	if err := db.hasSpace(ctx, large); err != nil {
		return err
	}
	// The default is for many connections; here one writes all over six indexes.
	if _, err := db.writer.ExecContext(ctx, `PRAGMA cache_size = -65536`); err != nil {
		return err
	}
	for _, t := range large {
		if err := db.copyTable(ctx, t); err != nil {
			return fmt.Errorf("copy %s: %w", t.name, err)
		}
	}
	_, err := db.writer.ExecContext(ctx, `PRAGMA cache_size = `+cacheSize)
	return err
}

// copyTable copies a table in bounded steps from where an earlier start came to,
// and puts the copy in its place.
func (db *DB) copyTable(ctx context.Context, t rowidTable) error {
	if err := db.inTx(ctx, func(tx *sql.Tx) error { return t.begin(ctx, tx) }); err != nil {
		return err
	}
	total, err := t.total(ctx, db.writer)
	if err != nil {
		return err
	}
	left, err := t.left(ctx, db.writer)
	if err != nil {
		return err
	}
	at := Moved{Table: t.name, Done: total - left, Total: total}
	for n := 1; n > 0; {
		err := db.inTx(ctx, func(tx *sql.Tx) (err error) {
			n, err = t.copySome(ctx, tx, db.moving.rows)
			return err
		})
		if err != nil {
			return err
		}
		at.Done = min(at.Done+int64(n), at.Total) // a trigger's row, too, is passed
		if db.moving.tell != nil {
			db.moving.tell(at)
		}
	}
	return db.inTx(ctx, func(tx *sql.Tx) error { return t.finish(ctx, tx) })
}

// hasSpace tells whether the copies find room beside the old tables: on the disk,
// or in the file. What the old ones leave behind is used for new rows later.
func (db *DB) hasSpace(ctx context.Context, large []rowidTable) error {
	need := int64(logRoom)
	for _, t := range large {
		n, err := t.space(ctx, db.writer)
		if err != nil {
			return fmt.Errorf("see how much space is needed: %w", err)
		}
		need += n
	}
	unused, err := number(ctx, db.writer, `SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size`)
	if err != nil {
		return fmt.Errorf("see how much space is unused: %w", err)
	}
	free, err := db.moving.free(db.path)
	if err != nil {
		return fmt.Errorf("see how much space is free: %w", err)
	}
	if need -= unused; free >= need {
		return nil
	}
	return fmt.Errorf("this needs about %s free in %s, where %s is: make room there, or move the database to a larger disk and set store.path; nothing is lost, and the voipd of before still reads it: %w",
		size(need), filepath.Dir(db.path), size(free), syscall.ENOSPC)
}

func freeSpace(path string) (int64, error) {
	free, _, err := room(path)
	return free, err
}

// room are the bytes that are free on the disk of a file, for who is not root, and all of it.
func room(path string) (free, all int64, err error) {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(path, &disk); err != nil {
		return 0, 0, err
	}
	return int64(disk.Bavail) * int64(disk.Bsize), int64(disk.Blocks) * int64(disk.Bsize), nil
}

// size writes bytes for an admin, who compares them with what df says.
func size(bytes int64) string {
	if bytes < 10<<30 {
		return fmt.Sprintf("%d MiB", bytes>>20)
	}
	return fmt.Sprintf("%d GiB", bytes>>30)
}

// versions are those that this program knows, for a database.
func versions(pool *sql.DB) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, pool, files,
		goose.WithGoMigrations(goose.NewGoMigration(rowidVersion, &goose.GoFunc{RunTx: toRowid}, &goose.GoFunc{RunTx: noWayBack})))
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, nil
}

func noWayBack(context.Context, *sql.Tx) error {
	return errors.New("there is no way back from version 10: restore a backup")
}

func newer(have, want int64) error {
	return fmt.Errorf("the database is of version %d, this voipd knows only up to %d: it was written by a newer voipd; install that one, or move the file away to begin a new one", have, want)
}

// current tells, changing nothing, why the tables are not of this program's
// version.
func (db *DB) current(ctx context.Context) error {
	provider, err := versions(db.reader)
	if err != nil {
		return err
	}
	var have int64
	if err := db.reader.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have); err != nil {
		return fmt.Errorf("read version: %w", err)
	}
	all := provider.ListSources()
	want := all[len(all)-1].Version
	if have == want {
		have -= min(1, placingRows(ctx, db.reader)) // it is being brought there
	}
	switch {
	case have > want:
		return newer(have, want)
	case have < want:
		return fmt.Errorf("the database is of version %d, this voipd reads version %d: where voipd is starting, it brings it there, and systemctl status voipd says how far it is; else restart it (systemctl restart voipd)", have, want)
	}
	return nil
}
