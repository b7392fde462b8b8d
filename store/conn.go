package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"os"
	"strings"
	"sync/atomic"

	"github.com/mattn/go-sqlite3"
)

// Tap is told of each step of the writer: "before INSERT records", "after
// COMMIT". Its error becomes the step's. Tests use it to kill the process at a
// chosen point, or to fail a step.
type Tap func(point string) error

// dialer makes the connections of a pool. It notes damage that any of them
// meets, and outdates them all when the file behind them is another.
type dialer struct {
	dsn   string
	tap   Tap // nil: nobody listens
	state *fileState
}

// fileState is what the connections of a database share.
type fileState struct {
	generation atomic.Int64           // of the file: one more each time another takes its place
	damage     atomic.Pointer[string] // what SQLite said of damage; nil: nothing
	opened     atomic.Pointer[os.FileInfo]
}

func (d *dialer) Driver() driver.Driver { return &sqlite3.SQLiteDriver{} }

func (d *dialer) Connect(context.Context) (driver.Conn, error) {
	generation := d.state.generation.Load()
	c, err := (&sqlite3.SQLiteDriver{}).Open(d.dsn)
	if err != nil {
		return nil, d.state.note(err)
	}
	lite := c.(*sqlite3.SQLiteConn)
	if _, err := lite.Exec(walLimits, nil); err != nil {
		return nil, errors.Join(d.state.note(err), lite.Close())
	}
	return &conn{SQLiteConn: lite, dialer: d, generation: generation}, nil
}

// walLimits bound the log beside the database: a checkpoint after 4 MB (a thousand
// pages), by whoever commits, and no more than 64 MB of it are left behind after a
// long read has held checkpoints up.
const walLimits = `PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 67108864`

// note keeps an error that tells of damage, and gives it back.
func (s *fileState) note(err error) error {
	if err != nil && IsDamage(err) {
		text := err.Error()
		s.damage.CompareAndSwap(nil, &text)
	}
	return err
}

// conn is a connection to SQLite that tells the tap of its steps.
type conn struct {
	*sqlite3.SQLiteConn
	dialer     *dialer
	generation int64
	closed     bool
}

// ResetSession and IsValid let the pool drop connections to a file that is no
// longer the database.
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

func (c *conn) IsValid() bool { return !c.closed && c.generation == c.dialer.state.generation.Load() }

func (c *conn) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	return c.SQLiteConn.Close()
}

// step does one step between its two points.
func (c *conn) step(name string, do func() error) error {
	tap := c.dialer.tap
	if tap == nil || name == "" {
		return c.dialer.state.note(do())
	}
	if err := tap("before " + name); err != nil {
		return err
	}
	if err := c.dialer.state.note(do()); err != nil {
		return err
	}
	return tap("after " + name)
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (res driver.Result, err error) {
	err = c.step(point(query), func() error {
		res, err = c.SQLiteConn.ExecContext(ctx, query, args)
		return err
	})
	return res, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.SQLiteConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, c.dialer.state.note(err)
	}
	return &rows{r, c.dialer.state}, nil
}

func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.SQLiteConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, c.dialer.state.note(err)
	}
	return &stmt{s.(*sqlite3.SQLiteStmt), c, point(query)}, nil
}

func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (t driver.Tx, err error) {
	err = c.step("BEGIN", func() error {
		t, err = c.SQLiteConn.BeginTx(ctx, opts)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &tx{t, c}, nil
}

type tx struct {
	driver.Tx
	conn *conn
}

func (t *tx) Commit() error { return t.conn.step("COMMIT", t.Tx.Commit) }

type stmt struct {
	*sqlite3.SQLiteStmt
	conn  *conn
	point string
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (res driver.Result, err error) {
	err = s.conn.step(s.point, func() error {
		res, err = s.SQLiteStmt.ExecContext(ctx, args)
		return err
	})
	return res, err
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	r, err := s.SQLiteStmt.QueryContext(ctx, args)
	if err != nil {
		return nil, s.conn.dialer.state.note(err)
	}
	return &rows{r, s.conn.dialer.state}, nil
}

// rows notes damage that is met only while they are read.
type rows struct {
	driver.Rows
	state *fileState
}

func (r *rows) Next(dest []driver.Value) error { return r.state.note(r.Rows.Next(dest)) }

// point names what a statement does: "INSERT records"; empty: it writes
// nothing.
func point(query string) string {
	var words []string
	for line := range strings.Lines(query) {
		line, _, _ = strings.Cut(line, "--")
		words = append(words, strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t\n(", r) })...)
	}
	if len(words) == 0 {
		return ""
	}
	switch verb := strings.ToUpper(words[0]); verb {
	case "INSERT", "DELETE", "UPDATE", "CREATE", "DROP", "ALTER":
		for _, w := range words[1:] {
			switch strings.ToUpper(w) {
			case "INTO", "FROM", "OR", "IGNORE", "TABLE", "UNIQUE", "INDEX", "TRIGGER", "IF", "NOT", "EXISTS":
				continue
			}
			return verb + " " + strings.Trim(w, `"`)
		}
	case "VACUUM":
		return verb
	}
	return ""
}
