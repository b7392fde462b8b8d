package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/voipd/voipd/record"
)

// This file is what shipping records to a centre needs: the records behind a
// place in the change log, and a way to see that it is still the same log.

// ChangedRows are the records that changed behind a place in the change log.
type ChangedRows struct {
	Rows   []Row     // each once, as it is now; those erased since are not there
	Gone   []Gone    // calls that have no record any more, each once
	UpTo   int64     // the last change that was looked at
	Mark   string    // of that change; see [ChangeLog.MarkOf]
	Oldest time.Time // when the first change that was looked at was written; zero: there was none
}

// Gone is a call whose record is none any more. What went because it was old is no such call.
type Gone struct {
	CallID string
	Into   string // the call that it was part of; empty: it was forgotten
}

// ChangedRows looks at up to limit changes behind a number in the change log.
func (db ChangeLog) ChangedRows(ctx context.Context, after int64, limit int) (c ChangedRows, err error) {
	c.UpTo = after
	var ids, all []string
	forgotten := map[string]bool{}
	err = eachRow(ctx, db.reader, `SELECT seq, at, written, kind, call_id, kind LIKE 'record%' FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`, []any{after, limit},
		func(rows *sql.Rows) error {
			var m marked
			var tells bool
			if err := rows.Scan(&m.seq, &m.at, &m.written, &m.kind, &m.callID, &tells); err != nil {
				return err
			}
			if c.Oldest.IsZero() {
				c.Oldest = time.UnixMilli(m.written).UTC()
			}
			c.UpTo, c.Mark = m.seq, m.mark()
			switch all = append(all, m.callID); {
			case m.kind == Erased:
				forgotten[m.callID] = true
			case tells:
				ids = append(ids, m.callID)
			}
			return nil
		})
	if err != nil {
		return c, fmt.Errorf("list changed records: %w", err)
	}
	for _, id := range slices.Sorted(maps.Keys(forgotten)) {
		c.Gone = append(c.Gone, Gone{CallID: id})
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return forgotten[id] })
	slices.Sort(ids)
	err = eachIn(ctx, db.reader, `SELECT `+columns+` FROM records WHERE call_id`, slices.Compact(ids), func(rows *sql.Rows) error {
		c.Rows = append(c.Rows, Row{})
		return c.Rows[len(c.Rows)-1].scan(rows)
	})
	if err != nil {
		return c, fmt.Errorf("list changed records: %w", err)
	}
	merged, err := db.Merged(ctx, all)
	if err != nil {
		return c, err
	}
	c.Gone = append(c.Gone, slices.DeleteFunc(merged, func(g Gone) bool { return forgotten[g.CallID] })...)
	return c, CallRecords(db).withRecordings(ctx, c.Rows)
}

// Merged gives those of the calls that turned out to be part of others and have no record,
// and those that turned out to be part of the calls.
func (db ChangeLog) Merged(ctx context.Context, ids []string) (list []Gone, err error) {
	into := map[string]string{}
	for _, query := range []string{
		`SELECT a.call_id, a.into_id FROM absorbed a WHERE NOT EXISTS (SELECT 1 FROM records o WHERE o.call_id = a.call_id) AND a.call_id`,
		`SELECT a.call_id, a.into_id FROM records r, json_each(r.details, '$.absorbed') j JOIN absorbed a ON a.call_id = j.value
			WHERE NOT EXISTS (SELECT 1 FROM records o WHERE o.call_id = a.call_id) AND r.call_id`,
	} {
		err := eachIn(ctx, db.reader, query, ids, func(rows *sql.Rows) error {
			var g Gone
			err := rows.Scan(&g.CallID, &g.Into)
			into[g.CallID] = g.Into
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("list calls that went into others: %w", err)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(into)) {
		list = append(list, Gone{id, into[id]})
	}
	return list, nil
}

// Forgotten lists calls that were forgotten behind a number in the change log, as far
// as that is kept; upTo is the number to ask behind next. None: there are no more.
func (db ChangeLog) Forgotten(ctx context.Context, after int64, limit int) (list []Gone, upTo int64, err error) {
	upTo = after
	err = eachRow(ctx, db.reader, `SELECT seq, call_id FROM changes WHERE seq > ? AND kind LIKE 'record%' AND kind = ? ORDER BY seq LIMIT ?`, []any{after, Erased, limit},
		func(rows *sql.Rows) error {
			var g Gone
			err := rows.Scan(&upTo, &g.CallID)
			list = append(list, g)
			return err
		})
	return list, upTo, wrap("list forgotten calls", err)
}

// marked is what tells a change from another of the same number.
type marked struct {
	seq, at, written int64
	kind, callID     string
}

func (m *marked) mark() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %d %s %s", m.seq, m.at, m.written, m.kind, m.callID))
	return fmt.Sprintf("%x", sum[:8])
}

// MarkOf tells a change from any other that had its number in this database before
// the database was restored from a backup. It is [ErrNotFound] where the change is not
// kept.
func (db ChangeLog) MarkOf(ctx context.Context, seq int64) (string, error) {
	m := marked{seq: seq}
	err := db.reader.QueryRowContext(ctx, `SELECT at, written, kind, call_id FROM changes WHERE seq = ?`, seq).Scan(&m.at, &m.written, &m.kind, &m.callID)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("read change %d: %w", seq, err)
	}
	return m.mark(), nil
}

// NewRow makes the row of a record that another database had: text are its details
// without recordings, as [Row].Text has them there. They are read and written anew,
// so that nothing but details is in them, with pbx as the PBX's name. The record is
// given as well.
func NewRow(row Row, pbx string) (Row, record.Record, error) {
	r, err := row.Whole()
	if err != nil {
		return row, r, err
	}
	r.Details.PBX = pbx
	if r.Details.StartedAt.UnixMilli() != row.StartedAt.UnixMilli() {
		return row, r, fmt.Errorf("the details of %s have another start than the record", row.CallID)
	}
	text, err := detailsJSON(&r.Details)
	row.Text = string(text)
	return row, r, wrap("write details of "+row.CallID, err)
}
