package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ClockMark is a comparison of the PBX's clock with this machine's.
type ClockMark struct {
	PBX, Ours time.Time     // what each said
	Up        time.Duration // how long this machine had been up
	Boot      string        // which start of this machine that was; empty: not known
}

// ClockLeap is a stretch of the PBX's time in which its clock was set.
type ClockLeap struct{ From, To time.Time }

// SetClock keeps the latest comparison in the place of the one before and, in
// the same transaction, all leaps in the place of those before; nil leaves
// those as they are.
func (db GapList) SetClock(ctx context.Context, m ClockMark, leaps []ClockLeap) error {
	return wrap("keep how the clocks stand", db.inTx(ctx, func(tx *sql.Tx) error {
		if leaps != nil {
			if _, err := tx.ExecContext(ctx, `DELETE FROM clock_leaps`); err != nil {
				return err
			}
		}
		for _, l := range leaps {
			if _, err := tx.ExecContext(ctx, `INSERT INTO clock_leaps (from_at, to_at) VALUES (?, ?)`, l.From.UnixMilli(), l.To.UnixMilli()); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO pbx_clock (id, pbx, ours, up, boot) VALUES (1, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET pbx = excluded.pbx, ours = excluded.ours, up = excluded.up, boot = excluded.boot`,
			m.PBX.UnixMilli(), m.Ours.UnixMilli(), m.Up.Milliseconds(), m.Boot)
		return err
	}))
}

// Clock gives what SetClock kept; a zero comparison where there is none.
func (db GapList) Clock(ctx context.Context) (m ClockMark, leaps []ClockLeap, err error) {
	var pbx, ours, up int64
	err = db.reader.QueryRowContext(ctx, `SELECT pbx, ours, up, boot FROM pbx_clock`).Scan(&pbx, &ours, &up, &m.Boot)
	switch {
	case err == nil:
		m.PBX, m.Ours, m.Up = time.UnixMilli(pbx).UTC(), time.UnixMilli(ours).UTC(), time.Duration(up)*time.Millisecond
	case !errors.Is(err, sql.ErrNoRows):
		return m, nil, fmt.Errorf("read how the clocks stood: %w", err)
	}
	rows, err := db.reader.QueryContext(ctx, `SELECT from_at, to_at FROM clock_leaps ORDER BY id`)
	if err != nil {
		return m, nil, fmt.Errorf("read when the clock was set: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var from, to int64
		if err := rows.Scan(&from, &to); err != nil {
			return m, nil, fmt.Errorf("read when the clock was set: %w", err)
		}
		leaps = append(leaps, ClockLeap{time.UnixMilli(from).UTC(), time.UnixMilli(to).UTC()})
	}
	return m, leaps, rows.Err()
}
