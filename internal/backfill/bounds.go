package backfill

import (
	"context"
	"fmt"
	"time"
)

// bounds are the places on the axis between which rows have to be read, so
// that the calls of the span are told whole.
func (db *database) bounds(ctx context.Context, t table, span Span) (from, end time.Time, err error) {
	// Before it are only rows without a time, such as MySQL's zeros; and seconds
	// since 1970, kept as text, have ten digits only since September 2001.
	first := time.Date(2001, 10, 1, 0, 0, 0, 0, time.UTC)
	oldest, some, err := db.one(ctx, t, `min`, t.time+` >= `+db.mark(1), t.axis.bind(first))
	if err != nil || !some {
		return from, end, err
	}
	newest, _, err := db.one(ctx, t, `max`, t.time+` >= `+db.mark(1), t.axis.bind(first))
	if err != nil {
		return from, end, err
	}
	from, end = oldest, newest.Add(time.Second)
	if span.From.After(first) {
		if from, err = db.began(ctx, t, t.axis.place(span.From)); err != nil {
			return from, end, err
		}
	}
	if !span.To.IsZero() {
		if end, err = db.ended(ctx, t, t.axis.place(span.To).Add(time.Second)); err != nil {
			return from, end, err
		}
	}
	if from.Before(oldest) {
		from = oldest
	}
	if last := newest.Add(time.Second); end.After(last) {
		end = last
	}
	return from, end, nil
}

// began is where the calls began that have rows within a day from a place on.
// A CDR row stands at its start, and tells of a day behind it; without
// linkedids nothing tells which rows are a call's.
func (db *database) began(ctx context.Context, t table, from time.Time) (time.Time, error) {
	back := from.Add(-reach)
	if db.opt.Kind == CDR || t.linked == "" {
		return back, nil
	}
	at, some, err := db.one(ctx, t, `min`, t.time+` >= `+db.mark(1)+` AND `+t.time+` < `+db.mark(2)+` AND `+db.sameCalls(t, 3),
		t.axis.bind(back), t.axis.bind(from), t.axis.bind(from), t.axis.bind(from.Add(reach)))
	if err != nil || !some {
		return from, err
	}
	return at, nil
}

// ended is where the calls ended that have rows within a day before a place.
func (db *database) ended(ctx context.Context, t table, end time.Time) (time.Time, error) {
	if t.linked == "" {
		return end.Add(reach), nil
	}
	at, some, err := db.one(ctx, t, `max`, t.time+` >= `+db.mark(1)+` AND `+t.time+` < `+db.mark(2)+` AND `+db.sameCalls(t, 3),
		t.axis.bind(end), t.axis.bind(end.Add(reach)), t.axis.bind(end.Add(-reach)), t.axis.bind(end))
	if err != nil || !some {
		return end, err
	}
	return at.Add(time.Second), nil
}

// sameCalls is the condition that a row's call has others between two places,
// which are the n-th argument and the one behind it.
func (db *database) sameCalls(t table, n int) string {
	return t.linked + ` IN (SELECT ` + t.linked + ` FROM ` + db.table(db.opt.Table) + ` WHERE ` + t.time + ` >= ` + db.mark(n) + ` AND ` +
		t.time + ` < ` + db.mark(n+1) + ` AND ` + t.linked + ` <> '')`
}

// one asks for one time, on the axis; false where no row fits.
func (db *database) one(ctx context.Context, t table, which, condition string, args ...any) (time.Time, bool, error) {
	var v any
	err := db.pool.QueryRowContext(ctx, `SELECT `+which+`(`+t.time+`) FROM `+db.table(db.opt.Table)+` WHERE `+condition, args...).Scan(&v)
	if err != nil || v == nil {
		if err != nil {
			err = fmt.Errorf("read the times of rows: %w", err)
		}
		return time.Time{}, false, err
	}
	at, err := t.axis.read(text(v, t.axis.zone == nil))
	if err != nil {
		return time.Time{}, false, fmt.Errorf("read the times of rows: %w", err)
	}
	return at.Truncate(time.Second), true, nil
}
