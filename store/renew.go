package store

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// Renew does while the database is open what OpenSound does before. It is to be
// called when Damage tells of some; meanwhile reads wait or fail, and Commit
// fails. It returns nil where a second check finds the file sound. An error means
// that it may be tried again.
func (db *DB) Renew(ctx context.Context) (*Damage, error) {
	why := db.Damage()
	if why == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	held, err := db.hold(ctx)
	defer func() {
		for _, c := range held {
			_ = c.Close() // the pool takes back what is open and drops the rest
		}
	}()
	if err != nil {
		return nil, fmt.Errorf("renew store: %w", err)
	}
	// Not through a connection that is open: what it has read before comes from its
	// cache, where a page may be sound that is damaged on the disk.
	found, whole := lookAt(ctx, db.path, confirmWithin)
	if found == "" && whole {
		db.state.damage.Store(nil)
		return nil, nil
	}
	why = strings.Join([]string{why, found}, "; ")
	for _, c := range held {
		// Before the file gets another name: SQLite removes the log by its name
		// when the last one leaves.
		if err := c.Raw(func(c any) error { return c.(*conn).Close() }); err != nil {
			return nil, fmt.Errorf("renew store: close the damaged database: %w", err)
		}
	}
	db.state.generation.Add(1)
	d, err := replace(ctx, db.path, strings.TrimSuffix(why, "; "), Tapped(db.tap))
	if err != nil {
		return nil, fmt.Errorf("renew store: %w", err)
	}
	db.state.damage.Store(nil)
	return d, db.state.remember(db.path)
}

// hold takes every connection of both pools, the writer's first, so that nobody
// else has the file open. A connection that cannot be made because of the
// damage is none.
func (db *DB) hold(ctx context.Context) ([]*sql.Conn, error) {
	var held []*sql.Conn
	pools := []*sql.DB{db.writer}
	for range readers {
		pools = append(pools, db.reader)
	}
	for _, pool := range pools {
		c, err := pool.Conn(ctx)
		switch {
		case err == nil:
			held = append(held, c)
		case ctx.Err() != nil:
			return held, fmt.Errorf("wait for reads under way: %w", err)
		}
	}
	return held, nil
}

// saved are the rows that a new database takes over from a damaged one: small
// tables, in an order that their references need.
func saved() []struct{ table, where string } {
	return []struct{ table, where string }{
		{"secrets", ""}, {"marks", ""}, {"forgotten", ""}, {"audit", ""}, {"absorbed", ""}, {"gaps", ""}, {"journal", ""}, {"quarantine", ""}, {"pbx_clock", ""}, {"clock_leaps", ""}, {"pbx_endpoints", ""}, {"pbx_numbers", ""}, {"webhooks", ""}, {"dismissed", ""},
		{"changes", `WHERE seq IN (SELECT seq FROM deliveries WHERE state IN ('waiting', 'parked'))`},
		{"deliveries", `WHERE state IN ('waiting', 'parked')`},
	}
}

// salvage takes over what can still be read of the damaged database; what
// cannot is in the moved file. The moment up to which calls were kept becomes
// the new database's beginning: what was before is for an import, which tells
// nobody.
func (db *DB) salvage(ctx context.Context, d *Damage) error {
	old := sql.OpenDB(&dialer{dsn(d.File, "ro", "_query_only=1"), nil, &fileState{}})
	defer old.Close()
	for _, t := range saved() {
		d.Saved[t.table], _ = db.takeOver(ctx, old, t.table, t.where)
	}
	var last int64
	if old.QueryRowContext(ctx, `SELECT seq FROM sqlite_sequence WHERE name = 'changes'`).Scan(&last) == nil {
		// Numbers in the change log are never given twice. One that cannot be
		// kept only costs the readers of the stream a fresh start.
		_, _ = db.writer.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) SELECT 'changes', ? WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'changes')`, last)
		_, _ = db.writer.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'changes'`, last)
		_, _ = db.writer.ExecContext(ctx, `UPDATE pruned SET seq = ?`, last) // what a reader had not read yet is not whole here
	}
	// What ended up to the last change was told, by the PBX's clock; what ended
	// later was not.
	var told sql.NullInt64
	if old.QueryRowContext(ctx, `SELECT max(at) FROM changes`).Scan(&told) == nil && told.Valid {
		d.Alive = time.UnixMilli(told.Int64).UTC()
	}
	if marked, err := db.Mark(ctx, "alive"); err == nil && (marked.After(d.Alive) || !told.Valid && !marked.IsZero()) {
		d.Alive = marked
	}
	if err := db.SetMark(ctx, RebuildMark, d.Alive); err != nil {
		return err
	}
	return db.AddAudit(ctx, Audit{What: "damage", About: filepath.Base(d.File), Counts: d.Saved})
}

// takeStep is how many rows are taken over in one transaction.
const takeStep = 500

// takeOver copies rows that the new database has not, one by one until the
// damage, and tells how many, and whether it came to the end. rest is the query
// behind the table's name.
func (db *DB) takeOver(ctx context.Context, old *sql.DB, table, rest string) (n int, whole bool) {
	rows, err := old.QueryContext(ctx, `SELECT * FROM `+table+` `+rest)
	if err != nil {
		return 0, false // the table itself is lost, or an older version had none
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, false
	}
	insert := `INSERT OR IGNORE INTO ` + table + ` (` + strings.Join(columns, `, `) + `) VALUES (?` + strings.Repeat(`, ?`, len(columns)-1) + `)`
	more := true
	for more {
		got := 0
		err := db.inTx(ctx, func(tx *sql.Tx) error {
			got, more = copyRows(ctx, tx, rows, insert, len(columns))
			return nil
		})
		if err != nil {
			return n, false
		}
		n += got
	}
	return n, rows.Err() == nil
}

// copyRows copies one step of rows. One that does not fit, such as a delivery
// without its change, is left.
func copyRows(ctx context.Context, tx *sql.Tx, rows *sql.Rows, insert string, columns int) (n int, more bool) {
	values, into := make([]any, columns), make([]any, columns)
	for i := range values {
		into[i] = &values[i]
	}
	for range takeStep {
		if !rows.Next() || rows.Scan(into...) != nil {
			return n, false
		}
		if res, err := tx.ExecContext(ctx, insert, values...); err == nil {
			if added, err := res.RowsAffected(); err == nil {
				n += int(added)
			}
		}
	}
	return n, true
}

// Rescue takes over what can still be read of the records, recordings and
// traces of databases that were moved aside: from the beginning of each up to the
// damage, and from its end back to it. What the new one has already stays, so the
// file to be believed most comes first. What was forgotten since a file was moved
// aside does not come back. It may take minutes; others write meanwhile.
func (db *DB) Rescue(ctx context.Context, files ...string) (saved map[string]int, err error) {
	saved = map[string]int{}
	for _, file := range files {
		old := sql.OpenDB(&dialer{dsn(file, "ro", "_query_only=1"), nil, &fileState{}})
		for _, table := range []string{"records", "recordings", "traces"} {
			n, whole := db.takeOver(ctx, old, table, `ORDER BY call_id`)
			if !whole {
				back, _ := db.takeOver(ctx, old, table, `ORDER BY call_id DESC`)
				n += back
			}
			saved[table] += n
		}
		_ = old.Close() // it was only read
	}
	if err := db.placeAll(ctx); err != nil {
		return saved, fmt.Errorf("make rescued records easy to find: %w", err)
	}
	return saved, wrap("erase again what is forgotten", db.dropForgotten(ctx))
}

// dropForgotten erases the calls that are there although they were forgotten.
func (db *DB) dropForgotten(ctx context.Context) error {
	key, err := db.key(ctx, db.reader)
	if err != nil || key == nil {
		return err
	}
	for after := ""; ; {
		ids, err := column[string](ctx, db.reader, `SELECT call_id FROM records WHERE call_id > ? ORDER BY call_id LIMIT ?`, after, takeStep)
		if err != nil || len(ids) == 0 {
			return err
		}
		after = ids[len(ids)-1]
		var gone []string
		for _, id := range ids {
			is, err := db.isForgotten(ctx, db.reader, id)
			if err != nil {
				return err
			}
			if is {
				gone = append(gone, id)
			}
		}
		err = db.inTx(ctx, func(tx *sql.Tx) error {
			_, err := erase(ctx, tx, gone)
			return err
		})
		if err != nil {
			return err
		}
	}
}
