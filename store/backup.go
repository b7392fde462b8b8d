package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Copy is what a backup holds.
type Copy struct {
	Bytes   int64
	Records int64
}

// Backup writes the database, as it stands at one moment, into a new file that
// is checked and on the disk when it gets its name. Others may write meanwhile;
// their log grows until the copy is done. A file that is there already is never
// written over: the error is then fs.ErrExist.
func (db *DB) Backup(ctx context.Context, file string) (c Copy, err error) {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = &fs.PathError{Op: "create", Path: file, Err: fs.ErrExist}
		}
		return c, fmt.Errorf("back up: %w", err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(file), ".voipd-backup-") // 0700: nobody reads what is not done
	if err != nil {
		return c, fmt.Errorf("back up: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	part := filepath.Join(dir, "part")
	if err := db.vacuumInto(ctx, part); err != nil {
		return c, fmt.Errorf("back up into %s: %w", file, err)
	}
	if c, err = checkCopy(ctx, part); err != nil {
		return c, fmt.Errorf("back up into %s: %w", file, err)
	}
	if err := os.Link(part, file); err != nil { // unlike a rename, it replaces nothing
		return c, fmt.Errorf("back up: %w", err)
	}
	return c, wrap("back up", syncFolder(file))
}

// vacuumInto copies without what was deleted and is not overwritten yet.
func (db *DB) vacuumInto(ctx context.Context, part string) error {
	source := sql.OpenDB(&dialer{dsn(db.path, "ro", ""), db.tap, db.state})
	_, err := source.ExecContext(ctx, `VACUUM INTO ?`, part)
	if err := errors.Join(err, source.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o640), f.Sync(), f.Close())
}

// checkCopy reads the whole copy.
func checkCopy(ctx context.Context, file string) (c Copy, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return c, err
	}
	c.Bytes = info.Size()
	copied := sql.OpenDB(&dialer{dsnPlain(file), nil, &fileState{}})
	defer func() { err = errors.Join(err, copied.Close()) }()
	var said string
	if err := copied.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&said); err != nil || said != "ok" {
		return c, errors.Join(fmt.Errorf("the copy is not sound (%s); the database itself may be damaged", said), err)
	}
	return c, copied.QueryRowContext(ctx, `SELECT count(*) FROM records`).Scan(&c.Records)
}
