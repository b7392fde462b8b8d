package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Gap is a stretch of time in which facts may have been missed.
type Gap struct {
	ID       int64
	From, To time.Time // To is zero while it lasts
	Why      string
}

// keepGaps is how long a repaired gap is kept, for whoever asks what happened.
const keepGaps = 90 * 24 * time.Hour

// AddGap notes a gap that lasts from now on; To means nothing. One that began
// before and still lasts has it in already.
func (db GapList) AddGap(ctx context.Context, g Gap) error {
	from := g.From.UnixMilli()
	if _, err := db.writer.ExecContext(ctx, `INSERT INTO gaps (from_at, why)
		SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM gaps WHERE to_at IS NULL AND from_at <= ?)`, from, g.Why, from); err != nil {
		return fmt.Errorf("note gap: %w", err)
	}
	return nil
}

// CloseGaps ends the gaps that last.
func (db GapList) CloseGaps(ctx context.Context, at time.Time) error {
	if _, err := db.writer.ExecContext(ctx, `UPDATE gaps SET to_at = max(from_at, ?) WHERE to_at IS NULL`, at.UnixMilli()); err != nil {
		return fmt.Errorf("close gaps: %w", err)
	}
	return nil
}

// Gaps lists the gaps that are not repaired, oldest first.
func (db GapList) Gaps(ctx context.Context) ([]Gap, error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT id, from_at, to_at, why FROM gaps WHERE repaired_at IS NULL ORDER BY from_at, id`)
	if err != nil {
		return nil, fmt.Errorf("list gaps: %w", err)
	}
	defer rows.Close()
	var out []Gap
	for rows.Next() {
		var g Gap
		var from int64
		var to sql.NullInt64
		if err := rows.Scan(&g.ID, &from, &to, &g.Why); err != nil {
			return nil, fmt.Errorf("list gaps: %w", err)
		}
		g.From = time.UnixMilli(from).UTC()
		if to.Valid {
			g.To = time.UnixMilli(to.Int64).UTC()
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// GapRepaired notes that everything that can be known of a gap is known.
func (db GapList) GapRepaired(ctx context.Context, id int64, at time.Time) error {
	if _, err := db.writer.ExecContext(ctx, `UPDATE gaps SET repaired_at = ? WHERE id = ?`, at.UnixMilli(), id); err != nil {
		return fmt.Errorf("note that a gap is repaired: %w", err)
	}
	if _, err := db.writer.ExecContext(ctx, `DELETE FROM gaps WHERE repaired_at < ?`, at.Add(-keepGaps).UnixMilli()); err != nil {
		return fmt.Errorf("drop old gaps: %w", err)
	}
	return nil
}

// Mark gives the moment kept under a name; zero: there is none.
func (db GapList) Mark(ctx context.Context, name string) (time.Time, error) {
	var at int64
	err := db.reader.QueryRowContext(ctx, `SELECT at FROM marks WHERE name = ?`, name).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read mark %s: %w", name, err)
	}
	return time.UnixMilli(at).UTC(), nil
}

// ClearMark drops what is kept under a name.
func (db GapList) ClearMark(ctx context.Context, name string) error {
	_, err := db.writer.ExecContext(ctx, `DELETE FROM marks WHERE name = ?`, name)
	return wrap("clear mark "+name, err)
}

// SetMark keeps a moment under a name.
func (db GapList) SetMark(ctx context.Context, name string, at time.Time) error {
	if _, err := db.writer.ExecContext(ctx, `INSERT INTO marks (name, at) VALUES (?, ?)
		ON CONFLICT (name) DO UPDATE SET at = excluded.at`, name, at.UnixMilli()); err != nil {
		return fmt.Errorf("write mark %s: %w", name, err)
	}
	return nil
}
