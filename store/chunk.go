package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// chunk is one that is being changed.
type chunk struct {
	id, week          int64
	used              int
	fresh             bool // it has no rows yet
	starts, durations []byte
	waits             []byte
}

// openChunks are those of one transaction.
type openChunks struct {
	tx  *sql.Tx
	all map[int64]*chunk
}

// open reads a chunk.
func (o *openChunks) open(ctx context.Context, id int64) (*chunk, error) {
	if c := o.all[id]; c != nil {
		return c, nil
	}
	c := &chunk{id: id}
	err := o.tx.QueryRowContext(ctx, `SELECT week, used, starts, durations, waits FROM chunks JOIN chunk_columns USING (chunk) WHERE chunk = ?`, id).
		Scan(&c.week, &c.used, &c.starts, &c.durations, &c.waits)
	if err != nil {
		return nil, fmt.Errorf("read chunk %d: %w", id, err)
	}
	o.all[id] = c
	return c, nil
}

// room is a free slot for a call of a week.
func (o *openChunks) room(ctx context.Context, week int64) (*chunk, int, error) {
	var id int64
	err := o.tx.QueryRowContext(ctx, `SELECT chunk FROM chunks WHERE week = ? ORDER BY chunk DESC LIMIT 1`, week).Scan(&id)
	var c *chunk
	switch {
	case err == nil:
		if c, err = o.open(ctx, id); err != nil {
			return nil, 0, err
		}
	case !errors.Is(err, sql.ErrNoRows):
		return nil, 0, err
	}
	if c == nil || c.used == chunkSlots {
		if c, err = o.begin(ctx, week); err != nil {
			return nil, 0, err
		}
	}
	c.used++
	return c, c.used - 1, nil
}

// begin makes a chunk. Its number is never that of an earlier one that may still
// be read.
func (o *openChunks) begin(ctx context.Context, week int64) (*chunk, error) {
	res, err := o.tx.ExecContext(ctx, `INSERT INTO chunks (week, from_at, to_at, used) VALUES (?, 0, 0, 0)`, week)
	if err != nil {
		return nil, err
	}
	id, err := res.LastInsertId()
	if err != nil {
		return nil, err
	}
	if _, err := o.tx.ExecContext(ctx, `INSERT INTO chunk_columns (chunk, starts, durations) VALUES (?, x'', x'')`, id); err != nil {
		return nil, err
	}
	c := &chunk{id: id, week: week, fresh: true}
	o.all[id] = c
	return c, nil
}

// change writes what changes in a chunk.
func (c *chunk) change(ctx context.Context, tx *sql.Tx, m *move) error {
	if err := c.clear(ctx, tx, &m.cleared); err != nil {
		return err
	}
	put, err := tx.PrepareContext(ctx, `INSERT INTO places (place, call_id, numbers, name) VALUES (?, ?, ?, ?)
		ON CONFLICT (place) DO UPDATE SET call_id = excluded.call_id, numbers = excluded.numbers, name = excluded.name`)
	if err != nil {
		return err
	}
	defer put.Close()
	found := map[string]*slots{}
	for _, slot := range slices.Sorted(maps.Keys(m.put)) {
		e := m.put[slot]
		for key := range e.keys {
			if found[key] == nil {
				found[key] = &slots{}
			}
			found[key].add(slot)
		}
		c.starts = setAt(c.starts, slot, uint32(e.at-c.week*weekMS))
		c.durations = setAt(c.durations, slot, uint32(min(max(e.duration, 0), math.MaxInt32)))
		c.waits = setAt(c.waits, slot, uint32(min(max(e.wait, 0), math.MaxInt32)))
		if _, err := put.ExecContext(ctx, placeOf(c.id, slot), e.callID, e.numbers, e.name); err != nil {
			return err
		}
	}
	if err := c.add(ctx, tx, found); err != nil {
		return err
	}
	return c.settle(ctx, tx)
}

// clear takes slots out of every set.
func (c *chunk) clear(ctx context.Context, tx *sql.Tx, cleared *slots) error {
	if *cleared == (slots{}) {
		return nil
	}
	type row struct{ key, packed []byte }
	var changed []row
	err := eachRow(ctx, tx, `SELECT key, slots FROM found WHERE chunk = ?`, []any{c.id}, func(rows *sql.Rows) error {
		var key, packed sql.RawBytes
		if err := rows.Scan(&key, &packed); err != nil {
			return err
		}
		var s slots
		s.read(packed)
		left := s
		left.but(cleared)
		if left != s {
			changed = append(changed, row{slices.Clone(key), left.pack(nil)})
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range changed {
		if len(r.packed) == 0 {
			_, err = tx.ExecContext(ctx, `DELETE FROM found WHERE chunk = ? AND key = ?`, c.id, r.key)
		} else {
			_, err = tx.ExecContext(ctx, `UPDATE found SET slots = ? WHERE chunk = ? AND key = ?`, r.packed, c.id, r.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add puts slots into the sets of keys.
func (c *chunk) add(ctx context.Context, tx *sql.Tx, found map[string]*slots) error {
	keys := make([][]byte, 0, len(found))
	for _, k := range slices.Sorted(maps.Keys(found)) {
		keys = append(keys, []byte(k))
	}
	if !c.fresh {
		err := eachIn(ctx, tx, fmt.Sprintf(`SELECT key, slots FROM found WHERE chunk = %d AND key`, c.id), keys, func(rows *sql.Rows) error {
			var key, packed sql.RawBytes
			err := rows.Scan(&key, &packed)
			if s := found[string(key)]; s != nil {
				s.read(packed)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	c.fresh = false
	put, err := tx.PrepareContext(ctx, `INSERT INTO found (chunk, key, slots) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET slots = excluded.slots`)
	if err != nil {
		return err
	}
	defer put.Close()
	var packed []byte
	for _, k := range keys {
		packed = found[string(k)].pack(packed[:0])
		if _, err := put.ExecContext(ctx, c.id, k, packed); err != nil {
			return err
		}
	}
	return nil
}

// settle writes what is known of the chunk as a whole, or drops one that is empty.
func (c *chunk) settle(ctx context.Context, tx *sql.Tx) error {
	var packed []byte
	err := tx.QueryRowContext(ctx, `SELECT slots FROM found WHERE chunk = ? AND key = ?`, c.id, []byte(keyAll)).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		for _, table := range []string{"chunks", "chunk_columns", "found"} {
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE chunk = ?`, c.id); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil {
		return err
	}
	var all slots
	all.read(packed)
	from, to := int64(math.MaxInt64), int64(math.MinInt64)
	for slot := range all.all {
		at := c.week*weekMS + int64(at(c.starts, slot))
		from, to = min(from, at), max(to, at)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE chunks SET from_at = ?, to_at = ?, used = ? WHERE chunk = ?`, from, to, c.used, c.id); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE chunk_columns SET starts = ?, durations = ?, waits = ? WHERE chunk = ?`, c.starts, c.durations, c.waits, c.id)
	return err
}

// at and setAt are the numbers of a column by slot.
func at(column []byte, slot int) uint32 {
	if len(column) < slot*4+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(column[slot*4:])
}

func setAt(column []byte, slot int, v uint32) []byte {
	for len(column) < slot*4+4 {
		column = append(column, 0, 0, 0, 0)
	}
	binary.LittleEndian.PutUint32(column[slot*4:], v)
	return column
}
