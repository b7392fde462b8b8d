// Package store keeps call records in SQLite.
//
// There is one writer connection, so that a batch is one transaction and
// nobody waits for a lock, and a pool of read-only ones beside it (WAL: readers
// never stop the writer). synchronous=FULL: what Commit returned from is on the
// disk. The tables are in migrations/, one file a version; version 10 is in
// rowid.go.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
)

// ErrNotFound says that there is no such record or recording.
var ErrNotFound = errors.New("not found")

// DB is an open database. Each of its jobs is a type of its own, in files of its
// own; what changes several of them in one transaction ([DB.Commit]) or the file
// under all of them (migration, damage, backup) is the DB's. All methods may be
// called from several goroutines.
type DB struct {
	*file
	CallRecords // query.go, judge.go
	Journals    // journal.go, trace.go, quarantine.go
	ChangeLog   // change.go, stream.go, delivery.go, webhook.go
	GapList     // gap.go, clock.go
	Retention   // keep.go, forget.go, audit.go
	Answers     // answers.go
}

// CallRecords are the records of calls and their recordings.
type CallRecords struct{ *file }

// Journals are the facts of calls: those of open calls, to be replayed after a
// restart, and of each ended one the packed trace beside its record.
type Journals struct{ *file }

// ChangeLog is what is told to the outside: the sequence of events, and the
// outbox of those that endpoints have not taken yet.
type ChangeLog struct{ *file }

// GapList is when facts were missed, and what the PBX's clock did.
type GapList struct{ *file }

// Retention drops what is too old, erases what is to be forgotten, and notes in
// the audit that it did.
type Retention struct{ *file }

// file is the database's file: what all jobs share.
type file struct {
	path       string
	writer     *sql.DB
	reader     *sql.DB
	recipients atomic.Pointer[Recipients] // which webhooks take which change; nil: none does
	tap        Tap
	moving     moving // how the tables are brought to this program's version
	state      *fileState

	packers sync.Pool // of *gzip.Writer

	mu      sync.Mutex
	changed chan struct{} // closed at the next change; nil: nobody waits
	pepper  []byte        // keys the hashes of what is forgotten; nil: not read yet
}

// newDB makes the DB of a file that is not open yet.
func newDB(path string) *DB {
	f := &file{path: path, state: &fileState{}, moving: moving{rows: stepRows, free: freeSpace}}
	return &DB{f, CallRecords{f}, Journals{f}, ChangeLog{f}, GapList{f}, Retention{f}, Answers{f}}
}

// Option changes how a database is opened.
type Option func(*DB)

// Tapped makes tap be told of each step of the writer.
func Tapped(tap Tap) Option { return func(db *DB) { db.tap = tap } }

// readers is how many reads can go on at once; a further one waits.
const readers = 4

// Open opens the database at path, making it and its folder if there is none,
// and brings its tables to this program's version. A database of a newer
// program is refused: its rows could be misread.
func Open(ctx context.Context, path string, options ...Option) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db := newDB(path)
	for _, o := range options {
		o(db)
	}
	// Made here and not by SQLite: while a damaged file is being moved aside, no
	// connection may begin an empty one in its place.
	if err := create(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if err := db.state.remember(path); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db.writer = sql.OpenDB(&dialer{dsn(path, "rw", "_synchronous=FULL&_txlock=immediate&_foreign_keys=1"), db.tap, db.state})
	db.writer.SetMaxOpenConns(1)
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.writer.Close())
	}
	db.reader = sql.OpenDB(&dialer{dsn(path, "ro", "_query_only=1"), nil, db.state})
	db.reader.SetMaxOpenConns(readers)
	return db, nil
}

// create makes an empty file where there is none. Root makes it for the owner of
// the folder: who imports before voipd has run must not leave it a database that
// it cannot write. (SQLite does the same with the files beside.)
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o640)
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		var folder syscall.Stat_t
		if err := syscall.Stat(filepath.Dir(path), &folder); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := f.Chown(int(folder.Uid), int(folder.Gid)); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// cacheSize is how much of the file a connection keeps in memory, as SQLite
// wants it: 4 MB.
const cacheSize = "-4000"

// dsn names a database for SQLite. The pragmas stand in it, so that every
// connection of a pool has them, not only the first.
func dsn(path, mode, pragmas string) string {
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=" + mode + "&_journal_mode=WAL&_busy_timeout=5000&_cache_size=" + cacheSize + "&_stmt_cache_size=32&" + pragmas}
	return u.String()
}

// dsnPlain names a file that is only read and that nobody writes: it gets no log
// beside it.
func dsnPlain(path string) string {
	u := url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: "mode=ro&immutable=1"}
	return u.String()
}

// Close closes the database. Reads under way end with an error.
func (db *DB) Close() error { return errors.Join(db.reader.Close(), db.writer.Close()) }

// Sizes are the bytes of the database and of the log beside it. What cannot be
// asked for is 0.
func (db *DB) Sizes() (database, wal int64) {
	if info, err := os.Stat(db.path); err == nil {
		database = info.Size()
	}
	if info, err := os.Stat(db.path + "-wal"); err == nil {
		wal = info.Size()
	}
	return database, wal
}

// Room are the bytes that are free for voipd on the database's disk, and all of it.
// What cannot be asked for is 0.
func (db *DB) Room() (free, all int64) {
	free, all, err := room(db.path)
	if err != nil {
		return 0, 0
	}
	return free, all
}

// Path is the database's file.
func (db *DB) Path() string { return db.path }

// LinkKey is the key of a token's own links to recordings.
func (db *DB) LinkKey(ctx context.Context, token string) ([]byte, error) {
	var value []byte
	name := linkKey(token)
	err := db.reader.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return db.Secret(ctx, name)
	}
	return value, wrap("read secret "+name, err)
}

// RenewLinkKey makes a token a new key, so that the links it has are void, also in a
// process that has the database open.
func (db *DB) RenewLinkKey(ctx context.Context, token string) error {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	_, err := db.writer.ExecContext(ctx, `INSERT OR REPLACE INTO secrets (name, value) VALUES (?, ?)`, linkKey(token), fresh)
	return wrap("make the links of "+token+" void", err)
}

func linkKey(token string) string { return "links of " + token }

// Secret gives the secret of that name, 32 random bytes, made and kept at its
// first use.
func (db *file) Secret(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := db.writer.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&value)
	if !errors.Is(err, sql.ErrNoRows) {
		return value, wrap("read secret "+name, err)
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	if _, err := db.writer.ExecContext(ctx, `INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, fresh); err != nil {
		return nil, fmt.Errorf("make secret %s: %w", name, err)
	}
	if err := db.writer.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, name).Scan(&value); err != nil {
		return nil, fmt.Errorf("read secret %s: %w", name, err)
	}
	return value, nil
}
