package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/voipd/voipd/record"
)

// Span is the part of the change log that is kept: changes with First <= seq <=
// Last. There are none where Last < First.
type Span struct{ First, Last int64 }

// Follows tells whether nothing is missing between the change after and what
// is kept.
func (s Span) Follows(after int64) bool { return after >= s.First-1 && after <= s.Last }

// Span tells which changes are kept.
func (db ChangeLog) Span(ctx context.Context) (Span, error) {
	var s Span
	err := db.reader.QueryRowContext(ctx, `SELECT (SELECT seq + 1 FROM pruned), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)`).Scan(&s.First, &s.Last)
	if err != nil {
		return s, fmt.Errorf("read the span of changes: %w", err)
	}
	return s, nil
}

// Changes lists changes behind a number in the change log, in order, at most
// limit.
func (db ChangeLog) Changes(ctx context.Context, after int64, limit int) ([]Change, error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT seq, at, kind, call_id, body FROM changes WHERE seq > ? ORDER BY seq LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list changes: %w", err)
	}
	defer rows.Close()
	var out []Change
	for rows.Next() {
		var c Change
		var at int64
		if err := rows.Scan(&c.Seq, &at, &c.Kind, &c.CallID, &c.Body); err != nil {
			return nil, fmt.Errorf("list changes: %w", err)
		}
		c.At = time.UnixMilli(at).UTC()
		out = append(out, c)
	}
	return out, rows.Err()
}

// ChangedRecords lists the records that changed behind a number in the
// change log, each once, as they are now, in the order of their latest change.
// next is the number to ask from the next time.
func (db ChangeLog) ChangedRecords(ctx context.Context, after int64, limit int) (list []record.Record, next int64, err error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT seq, call_id FROM changes WHERE seq > ? AND kind LIKE 'record%' ORDER BY seq LIMIT ?`, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("list changed records: %w", err)
	}
	defer rows.Close()
	next = after
	var ids []string
	latest := map[string]int64{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&next, &id); err != nil {
			return nil, 0, fmt.Errorf("list changed records: %w", err)
		}
		if latest[id] == 0 {
			ids = append(ids, id)
		}
		latest[id] = next
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("list changed records: %w", err)
	}
	for _, id := range ids {
		r, err := CallRecords(db).Record(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // removed since
		}
		if err != nil {
			return nil, 0, err
		}
		list = append(list, r)
	}
	return list, next, nil
}
