package store

import (
	"errors"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// Trouble says why the database cannot be written. Its values are the codes of
// health's warnings and do not change.
type Trouble string

// The troubles.
const (
	Full     Trouble = "store-full"      // no space, or a bound on the file's size
	ReadOnly Trouble = "store-read-only" // the folder, the file or the disk takes no writes
	Locked   Trouble = "store-locked"    // another process keeps it locked
	Damaged  Trouble = "store-damaged"   // the file is no sound database
	Failing  Trouble = "store-failing"   // anything else, such as a disk that gives errors
)

// TroubleOf tells what kind of trouble an error of a write is; empty: none.
func TroubleOf(err error) Trouble {
	var e sqlite3.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return Full
	case errors.Is(err, syscall.EROFS):
		return ReadOnly
	case !errors.As(err, &e):
		return Failing
	}
	switch e.Code {
	case sqlite3.ErrFull:
		return Full
	case sqlite3.ErrReadonly, sqlite3.ErrCantOpen, sqlite3.ErrPerm:
		return ReadOnly
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return Locked
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return Damaged
	case sqlite3.ErrIoErr:
		switch e.SystemErrno {
		case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
			return Full
		case syscall.EROFS:
			return ReadOnly
		}
	}
	return Failing
}

// Do says what an admin can do about it.
func (t Trouble) Do() string {
	switch t {
	case Full:
		return "make space on the disk of the database; nothing has to be restarted"
	case ReadOnly:
		return "make the database's folder writable for voipd, and its disk mounted read-write"
	case Locked:
		return "end whatever other program keeps the database open for writing"
	case Damaged:
		return "voipd moves the file aside and begins a new one"
	case Failing:
		return "look for errors of the disk in the kernel's log"
	}
	return ""
}

// IsDamage tells whether an error says that the file is no sound database.
func IsDamage(err error) bool { return TroubleOf(err) == Damaged }
