package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Audit is one line of what was erased, copied or moved aside. It never holds a
// number.
type Audit struct {
	At     time.Time
	What   string         // "forget", "keep_records", "keep_recordings", "backup", "damage"
	About  string         // a keyed hash of the number, or a file; may be empty
	Counts map[string]int // how many of what
}

type execer interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}

func putAudit(ctx context.Context, to execer, a Audit) error {
	counts, err := json.Marshal(a.Counts)
	if err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	if _, err := to.ExecContext(ctx, `INSERT INTO audit (at, what, about, counts) VALUES (?, ?, ?, ?)`,
		time.Now().UnixMilli(), a.What, a.About, string(counts)); err != nil {
		return fmt.Errorf("write audit: %w", err)
	}
	return nil
}

// AddAudit keeps a line, with the present as its time.
func (db Retention) AddAudit(ctx context.Context, a Audit) error { return putAudit(ctx, db.writer, a) }

// Audits lists the latest lines, the latest first, at most limit.
func (db Retention) Audits(ctx context.Context, limit int) ([]Audit, error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT at, what, about, counts FROM audit ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list audit: %w", err)
	}
	defer rows.Close()
	var out []Audit
	for rows.Next() {
		var a Audit
		var at int64
		var counts []byte
		if err := rows.Scan(&at, &a.What, &a.About, &counts); err != nil {
			return nil, fmt.Errorf("list audit: %w", err)
		}
		if err := json.Unmarshal(counts, &a.Counts); err != nil {
			return nil, fmt.Errorf("list audit: %w", err)
		}
		a.At = time.UnixMilli(at).UTC()
		out = append(out, a)
	}
	return out, rows.Err()
}
