package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Count counts the records that fit, but not further than most: more tells that
// there are more of them. After and Limit do not count.
func (db CallRecords) Count(ctx context.Context, q Query, most int) (n int, more bool, err error) {
	q.After = Cursor{}
	err = db.reading(ctx, func(tx *sql.Tx) error {
		if q.CallID != "" {
			ids, err := one(ctx, tx, &q)
			n = len(ids)
			return err
		}
		f, err := newFinder(ctx, tx, &q)
		if err != nil {
			return err
		}
		n, err = f.count(ctx, most+1)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("count records: %w", err)
	}
	return min(n, most), n > most, nil
}

// count counts up to n.
func (f *finder) count(ctx context.Context, n int) (total int, err error) {
	total = len(f.waiting)
	enough := errors.New("enough")
	err = f.chunks(ctx, func(c *hits) error {
		if _, err := f.fitting(ctx, c, true); err != nil {
			return err
		}
		if f.w.undecided() {
			if err := f.readAll(ctx, c); err != nil {
				return err
			}
		}
		if total += c.slots.count(); total >= n {
			return enough
		}
		return nil
	})
	if errors.Is(err, enough) {
		err = nil
	}
	return total, err
}

// readAll drops the slots whose texts do not have the parts. Where many have the
// keys, SQLite passes all of the chunk, and looks at their texts by itself.
func (f *finder) readAll(ctx context.Context, c *hits) error {
	if c.slots == (slots{}) {
		return nil
	}
	var fit slots
	take := func(rows *sql.Rows) error {
		var place int64
		var numbers, name string
		err := rows.Scan(&place, &numbers, &name)
		if f.w.visible == nil || f.w.reads(numbers, name) {
			fit.add(slotOf(place))
		}
		return err
	}
	const text = `SELECT place, numbers, name FROM places WHERE instr(numbers, ?) > 0 AND instr(name, ?) > 0 AND place`
	var err error
	if c.slots.count() > chunkSlots/16 {
		err = eachRow(ctx, f.tx, text+` BETWEEN ? AND ?`, []any{f.w.number, f.w.name, placeOf(c.id, 0), placeOf(c.id, chunkSlots)}, take)
	} else {
		var places []int64
		for slot := range c.slots.all {
			places = append(places, placeOf(c.id, slot))
		}
		err = eachIn(ctx, f.tx, text, places, take, f.w.number, f.w.name)
	}
	c.slots.and(&fit)
	return err
}
