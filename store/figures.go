package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/voipd/voipd/record"
)

const (
	// mostNamed operators, queues or DIDs have figures of their own: those with most
	// calls.
	mostNamed = 200
	// longestWaits are told one by one.
	longestWaits = 10
	// waitStep is how exactly the time to answer is told, and waitSteps the steps up to
	// an hour; whoever waited longer counts as an hour.
	waitStep  = 100 * time.Millisecond
	waitSteps = int(time.Hour / waitStep)
	// quarter is the part of an hour by which zones differ.
	quarter = 15 * time.Minute
)

// Tally counts calls.
type Tally struct {
	Calls, Answered  int
	In, InAnswered   int
	Out, OutAnswered int
	TalkSeconds      int64
	Median, P90      time.Duration // time to answer, of the inbound calls that were answered
}

// Named is the tally of one operator, queue or DID.
type Named struct {
	Name string
	Tally
}

// Wait is how long one inbound call waited for its answer, or in vain.
type Wait struct {
	Wait time.Duration
	Row  Row
}

// Figures are what the records of a time come to.
type Figures struct {
	Total, Before           Tally     // Before: of as long a time before
	Hours                   [24]Tally // by hour of the day
	Days                    []Named   // "2006-01-02", each day of the time
	Operators, Queues, DIDs []Named   // at most mostNamed of each, most calls first
	Waits                   []Wait    // the longest
}

// Figures counts the records that fit; From and To are needed. Hours and days are
// those of a zone. It goes by the sets of keys (DESIGN.md, "Finding"), and reads no
// record but those of the longest waits.
func (db CallRecords) Figures(ctx context.Context, q Query, zone *time.Location) (Figures, error) {
	t := newTallier(zone, q.From, q.To)
	var out Figures
	err := db.reading(ctx, func(tx *sql.Tx) error {
		if err := t.all(ctx, tx, q); err != nil {
			return err
		}
		before := newTallier(zone, q.From, q.From)
		before.brief = true
		q.From, q.To = q.From.Add(-q.To.Sub(q.From)), q.From
		if err := before.all(ctx, tx, q); err != nil {
			return err
		}
		var err error
		out = t.figures()
		out.Before = before.total()
		out.Waits, err = t.longest(ctx, tx)
		return err
	})
	return out, wrap("count records for figures", err)
}

// tallier counts records chunk by chunk.
type tallier struct {
	brief bool // the total alone
	zone  *time.Location
	first int64 // milliseconds since 1970: where the quarters begin
	hours []Tally
	days  []Named
	of    []clockPlace                 // which hour and day a quarter is in
	named map[string]map[string]*Tally // by kind of key and name
	sum   Tally
	waits []int // how many answered inbound calls waited so many steps
	long  []longWait
}

// clockPlace is the hour and the day of a quarter.
type clockPlace struct{ hour, day int16 }

type longWait struct {
	ms     int64
	place  int64
	callID string // where place is 0
}

func newTallier(zone *time.Location, from, to time.Time) *tallier {
	t := &tallier{zone: zone, hours: make([]Tally, 24), waits: make([]int, waitSteps+1), named: map[string]map[string]*Tally{keyOperator: {}, keyQueue: {}, keyDID: {}}}
	t.first = from.Truncate(quarter).UnixMilli()
	for at := from.Truncate(quarter); at.Before(to); at = at.Add(quarter) {
		local := at.In(zone)
		if day := local.Format(time.DateOnly); len(t.days) == 0 || t.days[len(t.days)-1].Name != day {
			t.days = append(t.days, Named{Name: day})
		}
		t.of = append(t.of, clockPlace{int16(local.Hour()), int16(len(t.days) - 1)})
	}
	return t
}

// all counts what fits a query.
func (t *tallier) all(ctx context.Context, tx *sql.Tx, q Query) error {
	q.After, q.CallID, q.Oldest = Cursor{}, "", true
	f, err := newFinder(ctx, tx, &q)
	if err != nil {
		return err
	}
	for i := range f.late {
		t.late(&f.late[i])
	}
	return f.chunks(ctx, func(c *hits) error { return t.chunk(ctx, f, c) })
}

// late counts a record that has no place yet.
func (t *tallier) late(e *entry) {
	one := seen{at: e.at, seconds: int64(min(max(e.duration, 0), 1<<31-1)), wait: min(max(e.wait, 0), 1<<31-1), in: e.keys[keyDirection+string(record.In)],
		out: e.keys[keyDirection+string(record.Out)], answered: e.keys[keyDisposition+string(record.Answered)]}
	t.count(one, longWait{ms: one.wait, callID: e.callID})
	if t.brief {
		return
	}
	for key := range e.keys {
		if of, is := t.named[key[:1]]; is {
			one.addTo(tallyOf(of, key[1:]))
		}
	}
}

func tallyOf(of map[string]*Tally, name string) *Tally {
	if of[name] == nil {
		of[name] = &Tally{}
	}
	return of[name]
}

// seen is what matters of one record.
type seen struct {
	at, seconds, wait int64
	in, out, answered bool
}

func (s *seen) addTo(t *Tally) {
	t.Calls++
	t.TalkSeconds += s.seconds
	answered := 0
	if s.answered {
		answered = 1
	}
	t.Answered += answered
	switch {
	case s.in:
		t.In++
		t.InAnswered += answered
	case s.out:
		t.Out++
		t.OutAnswered += answered
	}
}

// count takes a record into the total, its hour and its day.
func (t *tallier) count(s seen, w longWait) {
	s.addTo(&t.sum)
	if s.in && s.answered {
		t.waits[min(int(s.wait/waitStep.Milliseconds()), waitSteps)]++
	}
	if t.brief {
		return
	}
	if at := int((s.at - t.first) / quarter.Milliseconds()); at >= 0 && at < len(t.of) {
		s.addTo(&t.hours[t.of[at].hour])
		s.addTo(&t.days[t.of[at].day].Tally)
	}
	if s.in && (len(t.long) < longestWaits || w.ms > t.long[len(t.long)-1].ms) {
		at, _ := slices.BinarySearchFunc(t.long, w, func(a, b longWait) int { return cmp.Compare(b.ms, a.ms) })
		t.long = slices.Insert(t.long, at, w)
		t.long = t.long[:min(len(t.long), longestWaits)]
	}
}

// chunk counts the slots of a chunk.
func (t *tallier) chunk(ctx context.Context, f *finder, c *hits) error {
	if _, err := f.fitting(ctx, c, true); err != nil {
		return err
	}
	if f.w.undecided() {
		if err := f.readAll(ctx, c); err != nil {
			return err
		}
	}
	if c.slots == (slots{}) {
		return nil
	}
	var starts, durations, waits []byte
	if err := f.tx.QueryRowContext(ctx, `SELECT starts, durations, waits FROM chunk_columns WHERE chunk = ?`, c.id).Scan(&starts, &durations, &waits); err != nil {
		return fmt.Errorf("read chunk %d: %w", c.id, err)
	}
	var in, out, answered slots
	for key, set := range map[string]*slots{keyDirection + string(record.In): &in, keyDirection + string(record.Out): &out, keyDisposition + string(record.Answered): &answered} {
		if err := eachRow(ctx, f.tx, `SELECT slots FROM found WHERE chunk = ? AND key = ?`, []any{c.id, []byte(key)}, func(rows *sql.Rows) error {
			var packed sql.RawBytes
			err := rows.Scan(&packed)
			set.read(packed)
			return err
		}); err != nil {
			return err
		}
	}
	look := func(slot int) seen {
		return seen{at: c.week*weekMS + int64(at(starts, slot)), seconds: int64(at(durations, slot)), wait: int64(at(waits, slot)), in: in.has(slot), out: out.has(slot), answered: answered.has(slot)}
	}
	for slot := range c.slots.all {
		s := look(slot)
		t.count(s, longWait{ms: s.wait, place: placeOf(c.id, slot)})
	}
	if t.brief {
		return nil
	}
	return t.byName(ctx, f.tx, c, look)
}

// byName counts the slots of a chunk for each operator, queue and DID.
func (t *tallier) byName(ctx context.Context, tx *sql.Tx, c *hits, look func(int) seen) error {
	for kind, of := range t.named {
		err := eachRow(ctx, tx, `SELECT key, slots FROM found WHERE chunk = ? AND key >= ? AND key < ?`, []any{c.id, []byte(kind), []byte{kind[0] + 1}}, func(rows *sql.Rows) error {
			var key, packed sql.RawBytes
			if err := rows.Scan(&key, &packed); err != nil {
				return err
			}
			var s slots
			if s.read(packed); !s.and(&c.slots) {
				return nil
			}
			tally := tallyOf(of, string(key[1:]))
			for slot := range s.all {
				one := look(slot)
				one.addTo(tally)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *tallier) total() Tally {
	out := t.sum
	out.Median, out.P90 = t.share(50), t.share(90)
	return out
}

// share is how long the fastest so many percent of the answered calls waited at most.
func (t *tallier) share(percent int) time.Duration {
	left := (t.sum.InAnswered*percent + 99) / 100
	if left == 0 {
		return 0
	}
	for step, n := range t.waits {
		if left -= n; left <= 0 {
			return time.Duration(step) * waitStep
		}
	}
	return time.Hour
}

func (t *tallier) figures() Figures {
	out := Figures{Total: t.total(), Days: t.days, Operators: most(t.named[keyOperator]), Queues: most(t.named[keyQueue]), DIDs: most(t.named[keyDID])}
	copy(out.Hours[:], t.hours)
	return out
}

// most are those with most calls.
func most(of map[string]*Tally) []Named {
	out := make([]Named, 0, len(of))
	for name, t := range of {
		out = append(out, Named{name, *t})
	}
	slices.SortFunc(out, func(a, b Named) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name)) })
	return out[:min(len(out), mostNamed)]
}

// longest reads the records of the longest waits.
func (t *tallier) longest(ctx context.Context, tx *sql.Tx) (out []Wait, err error) {
	for _, w := range t.long {
		id := w.callID
		if id == "" {
			if err := tx.QueryRowContext(ctx, `SELECT call_id FROM places WHERE place = ?`, w.place).Scan(&id); err != nil {
				return nil, fmt.Errorf("read a place: %w", err)
			}
		}
		one := Wait{Wait: time.Duration(w.ms) * time.Millisecond}
		if err := one.Row.scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, id)); err != nil {
			return nil, fmt.Errorf("read record %s: %w", id, err)
		}
		out = append(out, one)
	}
	return out, nil
}
