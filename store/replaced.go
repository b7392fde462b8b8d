package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrReplaced says that the file under an open database was deleted, or that
// another has its name: what is written now is lost when voipd stops.
var ErrReplaced = errors.New("the database's file was deleted or replaced while voipd had it open")

// Replaced tells whether the file that was opened still has its name: nil, or
// [ErrReplaced].
func (db *DB) Replaced() error {
	opened := db.state.opened.Load()
	if opened == nil {
		return nil // it is only read
	}
	info, err := os.Stat(db.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(*opened, info) {
		return ErrReplaced
	}
	return nil // another error is no sign of it
}

// remember notes which file was opened.
func (s *fileState) remember(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	s.opened.Store(&info)
	return nil
}

// Save writes what the open database holds into a new file, also where its own
// file has lost its name. A file that is there already is an error.
func (db *DB) Save(ctx context.Context, file string) error {
	if _, err := db.writer.ExecContext(ctx, `VACUUM INTO ?`, file); err != nil {
		return fmt.Errorf("save the database into %s: %w", file, err)
	}
	return syncFolder(file)
}
