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
	text, parts := f.withParts()
	take := func(rows *sql.Rows) error {
		var place int64
		if f.w.visible == nil {
			err := rows.Scan(&place)
			fit.add(slotOf(place))
			return err
		}
		var numbers, name string
		err := rows.Scan(&place, &numbers, &name)
		if f.w.reads(numbers, name) {
			fit.add(slotOf(place))
		}
		return err
	}
	var err error
	if c.slots.count() > chunkSlots/16 {
		err = eachRow(ctx, f.tx, text+` BETWEEN ? AND ?`, append(parts, placeOf(c.id, 0), placeOf(c.id, chunkSlots)), take)
	} else {
		var places []int64
		for slot := range c.slots.all {
			places = append(places, placeOf(c.id, slot))
		}
		err = eachIn(ctx, f.tx, text, places, take, parts...)
	}
	c.slots.and(&fit)
	return err
}

// withParts is the question for places whose texts have the parts, and the parts. The
// texts themselves are asked for only where something of them may not be looked at.
func (f *finder) withParts() (text string, parts []any) {
	text = `SELECT place`
	if f.w.visible != nil {
		text += `, numbers, name`
	}
	text += ` FROM places WHERE `
	if f.w.number != "" {
		text, parts = text+`instr(numbers, ?) > 0 AND `, append(parts, f.w.number)
	}
	if f.w.name != "" {
		text, parts = text+`instr(name, ?) > 0 AND `, append(parts, f.w.name)
	}
	return text + `place`, parts
}
