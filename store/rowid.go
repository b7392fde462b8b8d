package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Up to version 9 records and traces were WITHOUT ROWID. Such a table is an
// index, and SQLite keeps no more than a quarter of a page of an index's row in
// its tree: a record of 1 kB took a page of 4 kB beside it. As rowid tables they
// take a third.
//
// A table of ten million rows is copied in bounded transactions before version
// 10's own, which then finds nothing left to copy. Each transaction notes how far
// it came, so that a start that is killed is gone on with by the next. The old
// table stays whole until the new one takes its name in one transaction, and
// triggers repeat in the new one what a voipd of before writes meanwhile: one
// that still runs, or to which the admin goes back.

// rowidVersion is the version from which records and traces are rowid tables.
const rowidVersion = 10

const (
	// stepRows and stepBytes bound one transaction of the copy, and with it the
	// log beside the database: a row writes into up to seven pages of indexes.
	stepRows  = 2000
	stepBytes = 8 << 20
)

// rowidTable is a table that becomes a rowid table.
type rowidTable struct {
	name    string
	columns string // of it, the key first
	content string // the column that makes its size
	shape   string // its columns with their types
	indexes []string
}

// rowidTables are the tables that become rowid tables, in that order: the space
// of the first one's old rows is used for the second.
func rowidTables() []rowidTable {
	return []rowidTable{
		{name: "traces", columns: `call_id, at, events`, content: `events`,
			shape: `
	call_id TEXT    NOT NULL PRIMARY KEY,
	at      INTEGER NOT NULL, -- when the call ended
	events  BLOB    NOT NULL`,
			indexes: []string{`traces_at ON traces_rowid (at)`}},
		{name: "records", content: `details`,
			columns: `call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, rank, details, written`,
			shape: `
	call_id       TEXT    NOT NULL PRIMARY KEY,
	started_at    INTEGER NOT NULL,
	direction     TEXT    NOT NULL,
	disposition   TEXT    NOT NULL,
	src_phone     TEXT    NOT NULL,
	src_phone_ext TEXT    NOT NULL,
	dst_phone     TEXT    NOT NULL,
	dst_phone_ext TEXT    NOT NULL,
	duration      INTEGER NOT NULL,
	rank          INTEGER NOT NULL, -- who told it; a lower one replaces a higher one
	details       TEXT    NOT NULL, -- JSON, without the recordings
	written       INTEGER NOT NULL DEFAULT 0 -- first, by this machine's clock`,
			indexes: []string{ // each filter of the list has one in the list's order
				`records_time        ON records_rowid (started_at DESC, call_id DESC)`,
				`records_src         ON records_rowid (src_phone, started_at DESC, call_id DESC)`,
				`records_dst         ON records_rowid (dst_phone, started_at DESC, call_id DESC)`,
				`records_disposition ON records_rowid (disposition, started_at DESC, call_id DESC)`,
				`records_direction   ON records_rowid (direction, started_at DESC, call_id DESC)`}},
	}
}

// fresh is the table's name until it takes the old one's place.
func (t rowidTable) fresh() string { return t.name + "_rowid" }

// isOld tells whether the table is still one without rowid.
func (t rowidTable) isOld(ctx context.Context, from querier) (bool, error) {
	n, err := number(ctx, from, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql LIKE '%WITHOUT ROWID'`, t.name)
	return n > 0, err
}

// make makes the new table, empty, where it is not there yet.
func (t rowidTable) make(ctx context.Context, tx *sql.Tx) error {
	all := []string{`CREATE TABLE IF NOT EXISTS ` + t.fresh() + ` (` + t.shape + "\n)"}
	for _, index := range t.indexes {
		all = append(all, `CREATE INDEX IF NOT EXISTS `+index)
	}
	return execAll(ctx, tx, all)
}

// begin makes the new table for being copied to in several transactions.
func (t rowidTable) begin(ctx context.Context, tx *sql.Tx) error {
	if err := t.make(ctx, tx); err != nil {
		return err
	}
	all := []string{`CREATE TABLE IF NOT EXISTS rowid_copied (name TEXT PRIMARY KEY, upto TEXT NOT NULL) WITHOUT ROWID`}
	drop := `DELETE FROM ` + t.fresh() + ` WHERE call_id = `
	put := `INSERT INTO ` + t.fresh() + ` (` + t.columns + `) VALUES (new.` + strings.ReplaceAll(t.columns, `, `, `, new.`) + `); `
	for _, on := range []struct{ event, repeat string }{ // not REPLACE: the outer statement's way with conflicts would win
		{"insert", drop + `new.call_id; ` + put},
		{"update", drop + `old.call_id; ` + drop + `new.call_id; ` + put},
		{"delete", drop + `old.call_id; `},
	} {
		all = append(all, `CREATE TRIGGER IF NOT EXISTS `+t.fresh()+`_`+on.event+` AFTER `+on.event+` ON `+t.name+` BEGIN `+on.repeat+`END`)
	}
	return execAll(ctx, tx, all)
}

// copySome copies the next rows, and notes how far it came. It gives how many
// rows it passed; 0: there are no more.
func (t rowidTable) copySome(ctx context.Context, tx *sql.Tx, most int) (n int, err error) {
	var after string
	err = tx.QueryRowContext(ctx, `SELECT upto FROM rowid_copied WHERE name = ?`, t.name).Scan(&after)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, err
	}
	upto, n, err := t.reach(ctx, tx, after, most)
	if err != nil || n == 0 {
		return 0, err
	}
	// What is there already was written by a trigger, and is newer.
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO `+t.fresh()+` (`+t.columns+`) SELECT `+t.columns+` FROM `+t.name+` WHERE call_id > ? AND call_id <= ? ORDER BY call_id`, after, upto)
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO rowid_copied (name, upto) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET upto = excluded.upto`, t.name, upto)
	return n, err
}

// reach tells up to which row one transaction copies.
func (t rowidTable) reach(ctx context.Context, tx *sql.Tx, after string, most int) (upto string, n int, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT call_id, octet_length(`+t.content+`) FROM `+t.name+` WHERE call_id > ? ORDER BY call_id LIMIT ?`, after, most)
	if err != nil {
		return "", 0, err
	}
	defer rows.Close()
	for sum := int64(0); sum < stepBytes && rows.Next(); n++ {
		var size int64
		if err := rows.Scan(&upto, &size); err != nil {
			return "", 0, err
		}
		sum += size
	}
	return upto, n, rows.Err()
}

// finish gives the new table the old one's name, with all rows: those that are
// not copied yet, which is all of a small table, it copies first. Where that was
// done before, it does nothing.
func (t rowidTable) finish(ctx context.Context, tx *sql.Tx) error {
	old, err := t.isOld(ctx, tx)
	if err != nil || !old {
		return err
	}
	if enforced, err := number(ctx, tx, `PRAGMA foreign_keys`); err != nil || enforced != 0 {
		return errors.Join(errors.New("foreign keys are enforced: dropping the old table would delete the recordings"), err)
	}
	if err := t.make(ctx, tx); err != nil {
		return err
	}
	left, err := t.left(ctx, tx)
	if err == nil && left != 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO `+t.fresh()+` (`+t.columns+`) SELECT `+t.columns+` FROM `+t.name+
			` WHERE call_id NOT IN (SELECT call_id FROM `+t.fresh()+`) ORDER BY call_id`)
		if err == nil {
			left, err = t.left(ctx, tx)
		}
	}
	if err != nil {
		return err
	}
	if left != 0 {
		return fmt.Errorf("the copy of %s lacks %d rows", t.name, left)
	}
	return execAll(ctx, tx, []string{ // the triggers go with their table
		`DROP TABLE ` + t.name,
		`ALTER TABLE ` + t.fresh() + ` RENAME TO ` + t.name,
	})
}

// total is how many rows the table has.
func (t rowidTable) total(ctx context.Context, from querier) (int64, error) {
	return number(ctx, from, `SELECT count(*) FROM `+t.name)
}

// left is how many rows the old table has more than the new one.
func (t rowidTable) left(ctx context.Context, from querier) (int64, error) {
	return number(ctx, from, `SELECT (SELECT count(*) FROM `+t.name+`) - (SELECT count(*) FROM `+t.fresh()+`)`)
}

// toRowid is version 10.
func toRowid(ctx context.Context, tx *sql.Tx) error {
	for _, t := range rowidTables() {
		if err := t.finish(ctx, tx); err != nil {
			return fmt.Errorf("make %s a rowid table: %w", t.name, err)
		}
	}
	return execAll(ctx, tx, []string{`DROP TABLE IF EXISTS rowid_copied`})
}

// logRoom is for the log beside the database, which grows to that at most.
const logRoom = 64 << 20

// space is how many bytes the rows that are not copied yet need at most, as the
// first and last ones tell. Those of indexes are entered all over them, which
// leaves a third of their pages empty.
func (t rowidTable) space(ctx context.Context, from querier) (int64, error) {
	some := func(order string) string {
		return `SELECT * FROM (SELECT octet_length(` + strings.ReplaceAll(t.columns, `, `, `) + octet_length(`) + `) AS whole, octet_length(call_id) AS key
			FROM ` + t.name + ` ORDER BY call_id ` + order + ` LIMIT 500)`
	}
	perRow, err := number(ctx, from, fmt.Sprintf(`SELECT cast(coalesce(avg(whole * 1.2 + 32 + (key + 28) * 1.6 * %d), 0) AS INTEGER) FROM (%s UNION ALL %s)`,
		len(t.indexes)+1, some("ASC"), some("DESC")))
	if err != nil {
		return 0, err
	}
	begun, err := number(ctx, from, `SELECT count(*) FROM sqlite_schema WHERE name = ?`, t.fresh())
	if err != nil {
		return 0, err
	}
	count := t.left
	if begun == 0 {
		count = t.total
	}
	rows, err := count(ctx, from)
	return rows * perRow, err
}

func execAll(ctx context.Context, tx *sql.Tx, statements []string) error {
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// number reads one number.
func number(ctx context.Context, from querier, query string, args ...any) (int64, error) {
	all, err := column[int64](ctx, from, query, args...)
	if err != nil {
		return 0, err
	}
	if len(all) != 1 {
		return 0, fmt.Errorf("%d rows instead of one", len(all))
	}
	return all[0], nil
}
