package backfill

import (
	"fmt"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// What a source holds, and what it is.
const (
	CEL = "cel"
	CDR = "cdr"

	CSV      = "csv"
	SQLite   = "sqlite"
	MySQL    = "mysql" // MariaDB too
	Postgres = "postgres"
)

// SourceOptions says where rows are. Kind and Driver are of the constants above.
type SourceOptions struct {
	Name   string // for messages
	Kind   string // CEL or CDR
	Driver string // CSV, SQLite, MySQL or Postgres
	Path   string // the file of CSV and SQLite
	DSN    string // how to reach the server of MySQL and Postgres; holds a password
	// Table is the table's name, perhaps with its schema: "public.cdr". Empty:
	// the kind.
	Table string
	// Names are what a database calls columns, by Asterisk's own names, where
	// that differs: {"linkedid": "call_id"}.
	Names map[string]string
	// Layout and Zone are those of Options; a database needs no layout.
	Layout []string
	Zone   *time.Location
	// Fault is for tests: it is called before each fact is applied, and may panic.
	Fault func(record.Event)
}

// Source reads the rows of one table. Its methods may be called from several
// goroutines. Close it after use.
type Source struct {
	opt SourceOptions
	db  *database // nil: CSV
}

// Open prepares to read. Nothing is connected to yet: a server that is down is
// found by the first Read. Errors name no secrets.
func Open(p SourceOptions) (*Source, error) {
	s := &Source{opt: p}
	if p.Kind != CEL && p.Kind != CDR {
		return nil, fmt.Errorf("open %s: rows of %q? want %s or %s", p.Name, p.Kind, CEL, CDR)
	}
	if p.Driver == CSV {
		return s, nil
	}
	var err error
	if s.db, err = openDatabase(p); err != nil {
		return nil, fmt.Errorf("open %s: %w", p.Name, err)
	}
	return s, nil
}

// Name is the source's name.
func (s *Source) Name() string { return s.opt.Name }

// Kind is CEL or CDR.
func (s *Source) Kind() string { return s.opt.Kind }

// Close closes the connection.
func (s *Source) Close() error {
	if s.db == nil {
		return nil
	}
	return s.db.pool.Close()
}

// Span is a stretch of time: From inclusive, To exclusive. A zero time is no
// bound.
type Span struct {
	From, To time.Time
	// Listed is when the PBX last listed its channels to who reads this, by its
	// clock, which was not set since. A channel of CEL that has no end and no row
	// since then is gone, without a word (Asterisk crashed), or is watched. Zero:
	// only a day of silence says so.
	Listed time.Time
}

// Wide is the span with d more on each side.
func (s Span) Wide(d time.Duration) Span {
	if !s.From.IsZero() {
		s.From = s.From.Add(-d)
	}
	if !s.To.IsZero() {
		s.To = s.To.Add(d)
	}
	return s
}

// Touches tells whether a call from start to end is, in part, in the span.
func (s Span) Touches(start, end time.Time) bool {
	return (s.From.IsZero() || !end.Before(s.From)) && (s.To.IsZero() || start.Before(s.To))
}

// reach is how far before and behind a span the rest of a call is looked for.
const reach = 24 * time.Hour

// twice is how far off a date and time of day can be in the hour that comes
// twice in autumn.
const twice = time.Hour

// rows is what takes rows in, of either kind.
type rows struct {
	cells  func(l layout, cells []string) error // takes one row in; an error: it is malformed
	flush  func() int
	before func() time.Time
	ended  func(listed time.Time) // nil: every row tells a whole call
	leap   func(at time.Time)     // told that the clock was set ahead before a row of that time; nil: nobody wants to know
	share  *float64               // where to say how much of all is read; may be nil
}

func (r rows) done(share float64) {
	if r.share != nil {
		*r.share = share
	}
}

func (s *Source) rows(each func(record.Event)) rows {
	if s.opt.Kind == CEL {
		t := newCELReader(each)
		return rows{func(l layout, cells []string) error {
			row, err := readCELRow(l, cells, s.opt.Zone)
			if err == nil {
				t.push(row)
			}
			return err
		}, t.flush, t.before, t.ended, t.clockSet, nil}
	}
	t := newCDRReader(each)
	return rows{func(l layout, cells []string) error {
		row, err := readCDRRow(l, cells, s.opt.Zone)
		if err == nil {
			t.push(row)
		}
		return err
	}, t.flush, t.before, nil, nil, nil}
}

// time is the column that says when a row was written.
func (s *Source) time(l layout, cells []string) string {
	for _, name := range timeColumns(s.opt.Kind) {
		if at := l.get(cells, name); at != "" {
			return at
		}
	}
	return ""
}

func timeColumns(kind string) []string {
	if kind == CEL {
		return []string{"eventtime"}
	}
	return []string{"calldate", "start"}
}

// hide takes a secret out of a text.
func hide(text, secret string) string {
	if secret == "" {
		return text
	}
	return strings.ReplaceAll(text, secret, "(secret)")
}
