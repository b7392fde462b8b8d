package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
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

// moves are those of one transaction, by chunk.
type moves map[int64]*move

func (m moves) in(chunk int64) *move {
	if m[chunk] == nil {
		m[chunk] = &move{put: map[int]entry{}}
	}
	return m[chunk]
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
	moves, chunks := moves{}, openChunks{tx: tx, all: map[int64]*chunk{}}
	in := moves.in
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
