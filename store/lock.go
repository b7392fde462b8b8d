package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Lock keeps others from a database file. One who owns the database (voipd
// serve) keeps everybody else from owning it; those who only use it (voipd
// import, forget) may do so together, and while somebody owns it. The owner
// decides what becomes of a damaged file, so nobody may own it while it is used.
//
// The lock is on a file of its own, NAME.lock, which stays: the kernel lets go
// of it when its process ends, however it ends.
type Lock struct{ file *os.File }

// LockedError says that another process has the database.
type LockedError struct {
	Path string
	By   string // "voipd serve (process 17)", as far as is known
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("the database %s is in use by %s: stop that first (systemctl stop voipd), or give this one a store.path of its own", e.Path, e.By)
}

// Own takes the database at path for the process that is to write it and to
// decide what becomes of it. who is told to others: "voipd serve". A
// [*LockedError] says who has it.
func Own(path, who string) (*Lock, error) { return lock(path, syscall.LOCK_EX, who) }

// Use notes that the database at path is used. Where another process owns it,
// nothing is to be noted, and the Lock is nil.
func Use(path, who string) (*Lock, error) {
	l, err := lock(path, syscall.LOCK_SH, who)
	var locked *LockedError
	if errors.As(err, &locked) {
		return nil, nil
	}
	return l, err
}

// Unlock lets go. It may be called on nil.
func (l *Lock) Unlock() error {
	if l == nil {
		return nil
	}
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("unlock the database: %w", err)
	}
	return nil
}

func lock(path string, how int, who string) (*Lock, error) {
	file, err := openLock(path)
	if err != nil {
		return nil, fmt.Errorf("open store: lock %s: %w", path, err)
	}
	err = flock(file, how)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(&LockedError{Path: path, By: holder(file)}, file.Close())
	}
	if err == nil {
		err = file.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintf(io.NewOffsetWriter(file, 0), "%s (process %d)\n", who, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open store: lock %s: %w", path, err), file.Close())
	}
	return &Lock{file}, nil
}

// openLock opens the file that a lock is on, and makes it, like the database's, for
// the owner of the folder.
func openLock(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := create(path + ".lock"); err != nil {
		return nil, err
	}
	return os.OpenFile(path+".lock", os.O_RDWR, 0)
}

// lockWithin is how long a lock is waited for: one that was just killed may have
// begun a program, which holds it until it runs.
const lockWithin = 2 * time.Second

// flock waits a moment for an owner's lock, and not at all for a user's.
func flock(file *os.File, how int) error {
	for end := time.Now().Add(lockWithin); ; time.Sleep(lockWithin / 40) {
		err := syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || how != syscall.LOCK_EX || time.Now().After(end) {
			return err
		}
	}
}

// holder is who wrote himself into a lock's file last.
func holder(file *os.File) string {
	text, err := io.ReadAll(io.NewSectionReader(file, 0, 200))
	line, _, _ := strings.Cut(string(text), "\n")
	if err != nil || line == "" {
		return "another process"
	}
	return line
}
