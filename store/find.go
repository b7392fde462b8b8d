package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// candidate is a record that may belong into a list.
type candidate struct {
	at     int64
	place  int64  // 0: it has none, and callID is known
	callID string // empty: not looked up yet
}

// finder walks the chunks in the order of the list. It lives for one query, in
// one read transaction.
type finder struct {
	tx       *sql.Tx
	q        *Query
	w        wanted
	from, to int64            // starts that are asked for, both inclusive
	skip     map[int64]*slots // places of records that have changed since, by chunk
	waiting  []candidate      // those of them that fit
	late     []entry          // the same
	pool     []candidate      // not in the list yet: later chunks may have some before them
}

// first gives the ids of the first records of a list, in its order; one too many
// where there are more.
func first(ctx context.Context, tx *sql.Tx, q *Query) ([]string, error) {
	f, err := newFinder(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	return f.list(ctx, q.Limit+1)
}

// reading runs f in a read transaction: all that it reads is of one moment.
func (db *file) reading(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.reader.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	return errors.Join(f(tx), ignoreDone(tx.Rollback()))
}

// one gives the call that a query names, if it fits.
func one(ctx context.Context, tx *sql.Tx, q *Query) ([]string, error) {
	all, err := entries(ctx, tx, []string{q.CallID})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	w, e := q.wanted(), &all[0]
	from, to := q.span()
	if e.at < from || e.at > to || !w.fits(e) || !q.behind(e.at, e.callID) {
		return nil, nil
	}
	return []string{e.callID}, nil
}

// span are the starts that a query asks for, both inclusive.
func (q *Query) span() (from, to int64) {
	from, to = math.MinInt64, math.MaxInt64
	if !q.From.IsZero() {
		from = q.From.UnixMilli()
		if q.From.After(time.UnixMilli(from)) {
			from++
		}
	}
	if !q.To.IsZero() {
		to = q.To.UnixMilli() - 1
		if q.To.After(time.UnixMilli(to + 1)) {
			to++
		}
	}
	switch {
	case q.After.CallID == "":
	case q.Oldest:
		from = max(from, q.After.StartedAt.UnixMilli())
	default:
		to = min(to, q.After.StartedAt.UnixMilli())
	}
	return from, to
}

// behind tells whether a record is behind the cursor.
func (q *Query) behind(at int64, callID string) bool {
	return q.After.CallID == "" || q.compare(at, q.After.StartedAt.UnixMilli(), callID, q.After.CallID) > 0
}

// compare is the order of the list.
func (q *Query) compare(a, b int64, aID, bID string) int {
	if q.Oldest {
		return compareAt(a, b, aID, bID)
	}
	return compareAt(b, a, bID, aID)
}

// newFinder looks at the records that wait for their places.
func newFinder(ctx context.Context, tx *sql.Tx, q *Query) (*finder, error) {
	f := &finder{tx: tx, q: q, w: q.wanted(), skip: map[int64]*slots{}}
	f.from, f.to = q.span()
	ids, err := column[string](ctx, tx, `SELECT call_id FROM unplaced`)
	if err != nil || len(ids) == 0 {
		return f, err
	}
	places, err := placesOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for _, place := range places {
		chunk := chunkOf(place)
		if f.skip[chunk] == nil {
			f.skip[chunk] = &slots{}
		}
		f.skip[chunk].add(slotOf(place))
	}
	all, err := entries(ctx, tx, ids)
	for i := range all {
		if e := &all[i]; e.at >= f.from && e.at <= f.to && f.w.fits(e) {
			f.waiting = append(f.waiting, candidate{at: e.at, callID: e.callID})
			f.late = append(f.late, *e)
		}
	}
	return f, err
}

// list gives the first n ids.
func (f *finder) list(ctx context.Context, n int) (ids []string, err error) {
	f.pool = f.waiting
	enough := errors.New("enough")
	err = f.chunks(ctx, func(c *hits) error {
		edge := c.to
		if f.q.Oldest {
			edge = c.from
		}
		if ids, err = f.take(ctx, ids, n, func(at int64) bool { return f.q.compare(at, edge, "", "") < 0 }); err != nil {
			return err
		}
		if len(ids) == n {
			return enough
		}
		starts, err := f.fitting(ctx, c, false)
		if err != nil {
			return err
		}
		for slot := range c.slots.all {
			f.pool = append(f.pool, candidate{at: c.week*weekMS + int64(at(starts, slot)), place: placeOf(c.id, slot)})
		}
		return nil
	})
	if err != nil && !errors.Is(err, enough) {
		return nil, err
	}
	return f.take(ctx, ids, n, func(int64) bool { return true })
}

// lookStep candidates are looked up at once, about.
const lookStep = 128

// take moves candidates from the pool to the list while sure says that nothing can
// come before them, up to n.
func (f *finder) take(ctx context.Context, ids []string, n int, sure func(at int64) bool) ([]string, error) {
	if len(ids) == n || len(f.pool) == 0 {
		return ids, nil
	}
	slices.SortFunc(f.pool, func(a, b candidate) int {
		return cmp.Or(f.q.compare(a.at, b.at, "", ""), cmp.Compare(a.place, b.place))
	})
	for len(ids) < n && len(f.pool) > 0 && sure(f.pool[0].at) {
		some := min(lookStep, len(f.pool), n-len(ids)+8)
		for some < len(f.pool) && f.pool[some].at == f.pool[some-1].at {
			some++ // of those that began at once the ids decide
		}
		for some > 0 && !sure(f.pool[some-1].at) {
			some--
		}
		batch := f.pool[:some]
		f.pool = f.pool[some:]
		known, err := f.look(ctx, batch)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(known, func(a, b candidate) int { return f.q.compare(a.at, b.at, a.callID, b.callID) })
		for _, c := range known {
			if len(ids) < n && f.q.behind(c.at, c.callID) {
				ids = append(ids, c.callID)
			}
		}
	}
	return ids, nil
}

// look looks up the ids of candidates, and drops those whose texts do not have
// the parts that are asked for.
func (f *finder) look(ctx context.Context, batch []candidate) (known []candidate, err error) {
	starts := make(map[int64]int64, len(batch))
	var places []int64
	for _, c := range batch {
		if c.callID != "" {
			known = append(known, c)
			continue
		}
		starts[c.place] = c.at
		places = append(places, c.place)
	}
	err = eachIn(ctx, f.tx, `SELECT place, call_id, numbers, name FROM places WHERE place`, places, func(rows *sql.Rows) error {
		var c candidate
		var numbers, name string
		err := rows.Scan(&c.place, &c.callID, &numbers, &name)
		if c.at = starts[c.place]; f.w.reads(numbers, name) {
			known = append(known, c)
		}
		return err
	})
	return known, err
}

// hits are the slots of a chunk that have the keys.
type hits struct {
	id, week, from, to int64
	slots              slots
}

// fitting drops slots that began at another time or did not last as long as is
// asked for, and gives the starts. Where only is true and all began at the right
// time, the starts are not read.
func (f *finder) fitting(ctx context.Context, c *hits, only bool) (starts []byte, err error) {
	if c.slots == (slots{}) {
		return nil, nil
	}
	if f.w.minDuration > 0 {
		var lengths []byte
		if err := f.tx.QueryRowContext(ctx, `SELECT durations FROM chunk_columns WHERE chunk = ?`, c.id).Scan(&lengths); err != nil {
			return nil, fmt.Errorf("read chunk %d: %w", c.id, err)
		}
		for slot := range c.slots.all {
			if int(at(lengths, slot)) < f.w.minDuration {
				c.slots.drop(slot)
			}
		}
	}
	inside := c.from >= f.from && c.to <= f.to
	if only && inside || c.slots == (slots{}) {
		return nil, nil
	}
	if err := f.tx.QueryRowContext(ctx, `SELECT starts FROM chunk_columns WHERE chunk = ?`, c.id).Scan(&starts); err != nil {
		return nil, fmt.Errorf("read chunk %d: %w", c.id, err)
	}
	if inside {
		return starts, nil
	}
	for slot := range c.slots.all {
		if start := c.week*weekMS + int64(at(starts, slot)); start < f.from || start > f.to {
			c.slots.drop(slot)
		}
	}
	return starts, nil
}

// chunks gives the chunks that have the keys, in the order of the list.
func (f *finder) chunks(ctx context.Context, take func(*hits) error) error {
	text, args := f.sql()
	rows, err := f.tx.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	var c hits
	packed := make([]sql.RawBytes, len(args)-2)
	into := []any{&c.id, &c.week, &c.from, &c.to}
	for i := range packed {
		into = append(into, &packed[i])
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if !f.meet(&c, packed) {
			continue
		}
		if err := take(&c); err != nil {
			return err
		}
	}
	return rows.Err()
}

// meet is the slots that have every key, one of each group, and none of the
// others.
func (f *finder) meet(c *hits, packed []sql.RawBytes) bool {
	c.slots = slots{}
	required := max(len(f.w.all), 1)
	c.slots.read(packed[0])
	some := true
	for _, p := range packed[1:required] {
		var s slots
		s.read(p)
		some = some && c.slots.and(&s)
	}
	packed = packed[required:]
	for _, keys := range f.w.any {
		var s slots
		for _, p := range packed[:len(keys)] {
			s.read(p)
		}
		packed = packed[len(keys):]
		some = some && c.slots.and(&s)
	}
	for _, p := range packed {
		var s slots
		s.read(p)
		some = some && c.slots.but(&s)
	}
	if skip := f.skip[c.id]; skip != nil {
		some = some && c.slots.but(skip)
	}
	return some
}

// sql reads the sets of keys chunk by chunk. CROSS JOIN keeps SQLite to the order
// in which they stand: a chunk without the first key is left at once.
func (f *finder) sql() (string, []any) {
	var picked, joined strings.Builder
	var args []any
	join := func(kind, key string) {
		n := len(args)
		fmt.Fprintf(&picked, `, k%d.slots`, n)
		fmt.Fprintf(&joined, ` %s JOIN found AS k%d ON k%d.chunk = c.chunk AND k%d.key = ?`, kind, n, n, n)
		args = append(args, []byte(key))
	}
	for _, key := range f.w.all {
		join(`CROSS`, key)
	}
	if len(f.w.all) == 0 {
		join(`CROSS`, keyAll)
	}
	for _, keys := range f.w.any {
		for _, key := range keys {
			join(`LEFT`, key)
		}
	}
	for _, key := range f.w.none {
		join(`LEFT`, key)
	}
	index, order := `chunks_to`, `c.to_at DESC`
	if f.q.Oldest {
		index, order = `chunks_from`, `c.from_at`
	}
	return `SELECT c.chunk, c.week, c.from_at, c.to_at` + picked.String() + ` FROM chunks AS c INDEXED BY ` + index + joined.String() +
		` WHERE c.to_at >= ? AND c.from_at <= ? ORDER BY ` + order, append(args, f.from, f.to)
}
