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
	"strings"

	"github.com/voipd/voipd/record"
)

const (
	// mostUnplaced records wait for their places: a query looks at each of them.
	mostUnplaced = 256
	// placeStep is how many get theirs in one transaction.
	placeStep = 2000
	// weekMS is how long the calls of a chunk may be apart.
	weekMS = 7 * 24 * 3600 * 1000
)

func weekOf(at int64) int64 {
	week := at / weekMS
	if at%weekMS < 0 {
		week--
	}
	return week
}

// placeMany gives records their places where so many wait that queries would
// become slow.
func placeMany(ctx context.Context, tx *sql.Tx) error {
	waiting, err := number(ctx, tx, `SELECT count(*) FROM unplaced`)
	if err != nil || waiting < mostUnplaced {
		return wrap("count records without places", err)
	}
	for n := placeStep; n == placeStep; {
		if n, err = placeSome(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// placeSome gives the next records that wait their places, and tells how many.
func placeSome(ctx context.Context, tx *sql.Tx) (int, error) {
	ids, err := column[string](ctx, tx, `SELECT call_id FROM unplaced ORDER BY call_id LIMIT ?`, placeStep)
	if err != nil || len(ids) == 0 {
		return 0, wrap("list records without places", err)
	}
	if err := place(ctx, tx, ids); err != nil {
		return 0, fmt.Errorf("give records their places: %w", err)
	}
	_, err = deleteIn(ctx, tx, "unplaced", "call_id", ids)
	return len(ids), err
}

// placeAll gives all that wait their places, in bounded transactions.
func (db *file) placeAll(ctx context.Context) error {
	for n := 1; n > 0; {
		err := db.inTx(ctx, func(tx *sql.Tx) (err error) {
			n, err = placeSome(ctx, tx)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// move is what changes in one chunk.
type move struct {
	cleared slots
	put     map[int]entry // by slot
}

// place brings the places of calls to what their records are now. Calls that have
// no record any more lose theirs.
func place(ctx context.Context, tx *sql.Tx, ids []string) error {
	had, err := placesOf(ctx, tx, ids)
	if err != nil {
		return err
	}
	all, err := entries(ctx, tx, ids)
	if err != nil {
		return err
	}
	moves, chunks := map[int64]*move{}, openChunks{tx: tx, all: map[int64]*chunk{}}
	in := func(chunk int64) *move {
		if moves[chunk] == nil {
			moves[chunk] = &move{put: map[int]entry{}}
		}
		return moves[chunk]
	}
	var gone []int64
	for _, place := range had {
		in(chunkOf(place)).cleared.add(slotOf(place))
	}
	slices.SortFunc(all, func(a, b entry) int { return compareAt(a.at, b.at, a.callID, b.callID) })
	now := map[string]bool{}
	for _, e := range all {
		now[e.callID] = true
		place, ok := had[e.callID]
		if ok {
			c, err := chunks.open(ctx, chunkOf(place))
			if err != nil {
				return err
			}
			if c.week == weekOf(e.at) {
				in(c.id).put[slotOf(place)] = e
				continue
			}
			gone = append(gone, place)
		}
		c, slot, err := chunks.room(ctx, weekOf(e.at))
		if err != nil {
			return err
		}
		in(c.id).put[slot] = e
	}
	for id, place := range had {
		if !now[id] {
			gone = append(gone, place)
		}
	}
	if _, err := deleteIn(ctx, tx, "places", "place", gone); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(moves)) {
		c, err := chunks.open(ctx, id)
		if err != nil {
			return err
		}
		if err := c.change(ctx, tx, moves[id]); err != nil {
			return err
		}
	}
	return nil
}

func compareAt(a, b int64, aID, bID string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return strings.Compare(aID, bID)
}

// placesOf are the places that calls have.
func placesOf(ctx context.Context, from querier, ids []string) (map[string]int64, error) {
	out := make(map[string]int64, len(ids))
	err := eachIn(ctx, from, `SELECT call_id, place FROM places WHERE call_id`, ids, func(rows *sql.Rows) error {
		var id string
		var place int64
		err := rows.Scan(&id, &place)
		out[id] = place
		return err
	})
	return out, err
}

// entries are those of the records that calls have.
func entries(ctx context.Context, from querier, ids []string) (out []entry, err error) {
	recorded := map[string][]record.Recording{}
	err = eachIn(ctx, from, `SELECT call_id, `+recordingColumns+` FROM recordings WHERE call_id`, ids, func(rows *sql.Rows) error {
		var id string
		rec, err := scanRecording(rows, &id)
		recorded[id] = append(recorded[id], rec)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = eachIn(ctx, from, `SELECT `+columns+` FROM records WHERE call_id`, ids, func(rows *sql.Rows) error {
		var row Row
		if err := row.scan(rows); err != nil {
			return err
		}
		row.Recordings = recorded[row.CallID]
		r, err := row.Whole()
		if err != nil {
			r = row.Known() // it is found by what can be read
		}
		e := entryOf(&r)
		e.at = row.StartedAt.UnixMilli()
		out = append(out, e)
		return nil
	})
	return out, err
}

// eachIn reads the rows whose last column of the query is among values; args are
// those of the query before it.
func eachIn[T any](ctx context.Context, from querier, query string, values []T, f func(*sql.Rows) error, before ...any) error {
	for some := range slices.Chunk(values, 400) {
		args := slices.Clone(before)
		for _, v := range some {
			args = append(args, v)
		}
		if err := eachRow(ctx, from, query+` IN (?`+strings.Repeat(`, ?`, len(some)-1)+`)`, args, f); err != nil {
			return err
		}
	}
	return nil
}

// chunk is one that is being changed.
type chunk struct {
	id, week          int64
	used              int
	fresh             bool // it has no rows yet
	starts, durations []byte
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
	err := o.tx.QueryRowContext(ctx, `SELECT week, used, starts, durations FROM chunks JOIN chunk_columns USING (chunk) WHERE chunk = ?`, id).
		Scan(&c.week, &c.used, &c.starts, &c.durations)
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
	_, err = tx.ExecContext(ctx, `UPDATE chunk_columns SET starts = ?, durations = ? WHERE chunk = ?`, c.starts, c.durations, c.id)
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
