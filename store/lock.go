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
func Own(path, who string) (*Lock, error) {
	l, err := lock(path, syscall.LOCK_EX, who)
	if err != nil {
		return nil, err
	}
	return l, nil
}

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
	err := os.MkdirAll(filepath.Dir(path), 0o750)
	if err == nil {
		err = create(path + ".lock")
	}
	if err != nil {
		return nil, fmt.Errorf("open store: lock %s: %w", path, err)
	}
	file, err := os.OpenFile(path+".lock", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open store: lock %s: %w", path, err)
	}
	if err := flock(file, how); err != nil {
		defer file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("open store: lock %s: %w", path, err)
		}
		return nil, &LockedError{Path: path, By: holder(file)}
	}
	text := fmt.Sprintf("%s (process %d)\n", who, os.Getpid())
	if err := errors.Join(file.Truncate(0), writeAt(file, text)); err != nil {
		return nil, errors.Join(fmt.Errorf("open store: lock %s: %w", path, err), file.Close())
	}
	return &Lock{file}, nil
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

func writeAt(file *os.File, text string) error {
	_, err := file.WriteAt([]byte(text), 0)
	return err
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
