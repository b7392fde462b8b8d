package backfill

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// database reads rows of a table of a database.
type database struct {
	opt    SourceOptions
	pool   *sql.DB
	secret string
	dialect
}

func openDatabase(p SourceOptions) (*database, error) {
	if p.Table == "" {
		p.Table = p.Kind
	}
	pool, d, secret, err := connect(p)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(2)
	pool.SetConnMaxIdleTime(time.Minute)
	return &database{opt: p, pool: pool, secret: secret, dialect: d}, nil
}

// columnsOf are the columns of a kind of rows that are read, and those without
// which a row tells nothing; of "a|b" one is enough.
func columnsOf(kind string) (all, must []string) {
	if kind == CEL {
		return []string{"eventtype", "eventtime", "cid_name", "cid_num", "exten", "context", "channame", "appname", "appdata", "uniqueid",
			"linkedid", "extra", "peer"}, []string{"eventtype", "eventtime", "channame", "uniqueid"}
	}
	return []string{"calldate", "start", "answer", "end", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "duration",
		"billsec", "disposition", "uniqueid", "linkedid", "sequence", "recordingfile", "did", "clid"}, []string{"calldate|start", "end|duration", "channel", "disposition"}
}

// table is a table as it was found.
type table struct {
	layout layout
	read   []string // the columns that are read, quoted, in the layout's order
	time   string   // the column of times, quoted
	linked string   // that of linkedids, quoted; empty: it has none
	order  string   // what rows are put in order by
	zoned  []bool   // of the columns read: its times are moments
	axis   axis
	empty  bool
}

// look finds out what the table has.
func (db *database) look(ctx context.Context) (t table, err error) {
	rows, err := db.pool.QueryContext(ctx, `SELECT * FROM `+db.table(db.opt.Table)+` WHERE 1 = 0`)
	if err != nil {
		return t, fmt.Errorf("read table %s: %w", db.opt.Table, err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return t, fmt.Errorf("read table %s: %w", db.opt.Table, err)
	}
	have, names := map[string]*sql.ColumnType{}, []string{}
	for _, c := range types {
		have[strings.ToLower(c.Name())] = c
		names = append(names, c.Name())
	}
	all, must := columnsOf(db.opt.Kind)
	var ours []string
	for _, name := range all {
		theirs := name
		if n := db.opt.Names[name]; n != "" {
			theirs = n
		}
		for _, n := range otherNames() {
			if n[0] == name && theirs == name && have[name] == nil && have[n[1]] != nil {
				theirs = n[1]
			}
		}
		if c := have[strings.ToLower(theirs)]; c != nil {
			ours = append(ours, name)
			t.read = append(t.read, db.name(c.Name()))
			t.zoned = append(t.zoned, c.DatabaseTypeName() == "TIMESTAMPTZ")
		}
	}
	for _, name := range must {
		if !slices.ContainsFunc(strings.Split(name, "|"), func(n string) bool { return slices.Contains(ours, n) }) {
			return t, fmt.Errorf("table %s has no column %s, only %s: say under columns what it is called", db.opt.Table,
				strings.ReplaceAll(name, "|", " or "), strings.Join(names, ", "))
		}
	}
	t.layout = newLayout(ours)
	if i := slices.Index(ours, "linkedid"); i >= 0 {
		t.linked = t.read[i]
	}
	at := slices.IndexFunc(ours, func(n string) bool { return slices.Contains(timeColumns(db.opt.Kind), n) })
	t.time, t.order = t.read[at], t.read[at]
	for _, name := range []string{"id", "acctid", "sequence"} {
		if c := have[name]; c != nil {
			t.order += ", " + db.name(c.Name())
		}
	}
	return t, db.sample(ctx, &t, t.zoned[at])
}

// sample finds out by a row how the table keeps times.
func (db *database) sample(ctx context.Context, t *table, zoned bool) error {
	var v any
	err := db.pool.QueryRowContext(ctx, `SELECT `+db.raw+t.time+` FROM `+db.table(db.opt.Table)+` WHERE `+t.time+` IS NOT NULL LIMIT 1`).Scan(&v)
	if errors.Is(err, sql.ErrNoRows) {
		t.empty = true
		return nil
	}
	if err == nil {
		t.axis, err = newAxis(v, zoned, db.opt.Zone)
	}
	if err != nil {
		return fmt.Errorf("read table %s: %w", db.opt.Table, err)
	}
	return nil
}

// The bounds of one query: a stretch of time that grows while rows are few, and
// shrinks while they are many. SQLite is locked for a writer while it is read.
const (
	firstStretch, shortest, longestStretch = time.Hour, time.Minute, 30 * 24 * time.Hour
	fewRows                                = 2000
)

func (db *database) enough() int {
	if db.opt.Driver == SQLite {
		return 5000
	}
	return 100_000
}

// read gives the rows of the span and what else is needed to tell its calls
// whole to to, in the order of their times.
func (db *database) read(ctx context.Context, span Span, to rows, stats *Stats, after func() error) (err error) {
	fail := func(err error) error {
		if text := err.Error(); db.secret != "" && strings.Contains(text, db.secret) {
			return errors.New(hide(text, db.secret))
		}
		return err
	}
	t, err := db.look(ctx)
	if err != nil || t.empty {
		if err != nil {
			err = fail(err)
		}
		return err
	}
	from, end, err := db.bounds(ctx, t, span)
	if err != nil {
		return fail(err)
	}
	began := from
	for stretch := firstStretch; from.Before(end); {
		to.done(float64(from.Sub(began)) / float64(end.Sub(began)))
		until := from.Add(stretch)
		if until.After(end) {
			until = end
		}
		n, err := db.stretch(ctx, t, from, until, to, stats, after)
		if err != nil {
			return fail(err)
		}
		switch {
		case n < fewRows:
			stretch = min(2*stretch, longestStretch)
		case n > db.enough():
			stretch = max(stretch/2, shortest)
		}
		from = until
	}
	return nil
}

// stretch reads the rows from one place on the axis to another and gives how
// many there were.
func (db *database) stretch(ctx context.Context, t table, from, until time.Time, to rows, stats *Stats, after func() error) (n int, err error) {
	read := make([]string, len(t.read))
	for i, name := range t.read {
		read[i] = db.raw + name
	}
	rows, err := db.pool.QueryContext(ctx, `SELECT `+strings.Join(read, ", ")+` FROM `+db.table(db.opt.Table)+` WHERE `+t.time+` >= `+
		db.mark(1)+` AND `+t.time+` < `+db.mark(2)+` ORDER BY `+t.order, t.axis.bind(from), t.axis.bind(until))
	if err != nil {
		return 0, fmt.Errorf("read rows: %w", err)
	}
	defer rows.Close()
	values, cells := make([]any, len(read)), make([]string, len(read))
	into := make([]any, len(read))
	for i := range values {
		into[i] = &values[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return n, fmt.Errorf("read rows: %w", err)
		}
		for i, v := range values {
			cells[i] = text(v, t.zoned[i])
		}
		if err := to.cells(t.layout, cells); err != nil {
			stats.leftOut(err)
			continue
		}
		stats.Rows++
		if err := after(); err != nil {
			return n, err
		}
	}
	if err := rows.Err(); err != nil {
		return n, fmt.Errorf("read rows: %w", err)
	}
	return n, nil
}
