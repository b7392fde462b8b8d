package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/record"
)

const (
	// fewRecords and manyRows bound one Part: what has to be told again when a
	// reading is cut, and what waits in memory.
	fewRecords = 500
	manyRows   = 20_000
)

// ClockWasSet is why a call is approximate in which the PBX's clock was set.
const ClockWasSet = "the PBX's clock was set in the call"

// Part is one portion of what a source has.
type Part struct {
	Records []record.Record
	// Channels are the ids of all channels of the records' calls, by the call's
	// id. CDR knows only those that have a row of their own.
	Channels map[string][]string
	Before   time.Time // every call that ended before it has been told; zero: not known yet
	Stats    Stats     // of the reading so far
	Share    float64   // how much of it that is, roughly: 0 to 1
	Bad      []BadFact // facts that could not be applied; they cost their own calls
}

// BadFact is a fact that made the Machine panic.
type BadFact struct {
	Fact  record.Event
	Panic *caught.Panic
}

// Records reads the span and tells the calls that are, in part, in it: each
// whole, also where it began up to a day before the span or goes on up to a day
// behind it. A fresh Machine with these rules makes their records, so calls
// that still go on are not told. each may not keep the Part; its first error
// ends the reading and is the error of Records. Memory does not grow with the
// span.
func (s *Source) Records(ctx context.Context, rules record.Rules, span Span, each func(Part) error) (Stats, error) {
	t := &tale{machine: record.New(rules), rules: rules, fault: s.opt.Fault, span: span, channels: map[string][]string{}, began: map[string]bool{}, doubts: map[string]string{}, went: map[string]way{}, each: each}
	if s.db != nil || s.opt.Zone != nil {
		t.span = span.Wide(twice) // no call may be lost for an hour that comes twice
	}
	rows := s.rows(t.event)
	rows.share = &t.share
	t.before = rows.before
	var err error
	if s.db != nil {
		err = s.db.read(ctx, t.span, rows, &t.stats, t.row)
	} else {
		err = s.readFile(ctx, t.span, rows, &t.stats, t.row)
	}
	if err == nil {
		before := rows.before()
		t.before = func() time.Time { return before }
		rows.flush()
		if rows.ended != nil && !span.Listed.IsZero() {
			rows.ended(span.Listed)
		}
		t.share = 1
		err = t.give()
	}
	if err != nil && !errors.Is(err, t.failed) {
		err = fmt.Errorf("read %s: %w", s.opt.Name, err)
	}
	return t.stats, err
}

// tale is one reading on its way to records.
type tale struct {
	machine *record.Machine
	rules   record.Rules
	fault   func(record.Event) // nil: none
	bad     []BadFact
	span    Span
	before  func() time.Time
	each    func(Part) error
	failed  error // what each said

	changes  []record.Change
	records  []record.Record
	channels map[string][]string // of the records, see Part
	began    map[string]bool     // channels that began a call, as far as they themselves know
	went     map[string]way      // by the call's id
	doubts   map[string]string   // calls that the rows do not tell whole, and why
	stats    Stats
	share    float64
	given    int // how many rows were read when records were last given
}

func (t *tale) event(e record.Event) {
	t.stats.Events++
	if !t.apply(e) {
		return
	}
	if e.Kind == record.Created && e.Channel.Linked == e.Channel.ID {
		t.began[e.Channel.ID] = true
	}
	t.follow(e)
	if e.Kind == record.ClockSet { // rows do not say by how much
		for _, open := range t.machine.OpenRecords() {
			t.doubts[open.CallID] = ClockWasSet
		}
	}
	for _, c := range t.changes {
		if c.Retracts {
			t.records = slices.DeleteFunc(t.records, func(r record.Record) bool { return r.CallID == c.CallID })
		}
		if c.Record == nil {
			continue
		}
		r := *c.Record
		if why := t.doubts[r.CallID]; why != "" {
			r.Details.Approximate = append(r.Details.Approximate, why)
			delete(t.doubts, r.CallID)
		}
		t.absorbs(&r, c.Channels)
		if why := t.unsaid(&r); why != "" {
			r.Details.Approximate = append(r.Details.Approximate, why)
		}
		if t.span.Touches(r.Details.StartedAt, r.Details.EndedAt) {
			t.records = append(t.records, r)
			t.channels[r.CallID] = c.Channels
		}
	}
}

// way is where a call began in the dialplan, and whether it was seen elsewhere.
type way struct {
	context string
	on      bool
}

// follow notes, by CEL's rows, whether the channel that began a call went on in
// the dialplan.
func (t *tale) follow(e record.Event) {
	id := e.Channel.ID
	if e.Source != record.SourceCEL || id == "" || id != e.Channel.Linked || e.Context == "" {
		return
	}
	w, known := t.went[id]
	switch {
	case !known && e.Kind == record.Created:
		t.went[id] = way{context: e.Context}
	case known && w.context != e.Context:
		t.went[id] = way{w.context, true}
	}
}

// apply applies a fact; false: it panicked. The calls that were open then are
// met anew on their way, and say so.
func (t *tale) apply(e record.Event) bool {
	err := caught.In(func() error {
		if t.fault != nil {
			t.fault(e)
		}
		e.HideSecrets()
		t.changes = t.machine.Apply(t.changes[:0], e)
		return nil
	})
	var panicked *caught.Panic
	if !errors.As(err, &panicked) {
		return true
	}
	t.bad = append(t.bad, BadFact{e, panicked})
	t.machine = record.New(t.rules)
	return false
}

// absorbs adds to what went into a call those of its channels that began one, as
// a recall does: who saw only such a channel may have told it as a call.
func (t *tale) absorbs(r *record.Record, channels []string) {
	for _, id := range channels {
		if t.began[id] && id != r.CallID && r.Details.MergedInto == "" && !slices.Contains(r.Details.Absorbed, id) {
			r.Details.Absorbed = append(r.Details.Absorbed, id)
		}
		if delete(t.began, id); id != r.CallID {
			delete(t.went, id)
		}
	}
}

// unsaid is what no row tells: of a call that the PBX began, whom it called
// outside, where no application was told the number, and whom it was to call,
// where it did not come to that; of one from outside that went on in the
// dialplan, rang no operator and came to no number, for whom it was.
func (t *tale) unsaid(r *record.Record) string {
	went := t.went[r.CallID]
	delete(t.went, r.CallID)
	if went.on && r.Direction == record.In && r.Details.Asked == "" && isDID(r.DstPhone, r.Details.DID) {
		return "whom the caller asked for was not written down"
	}
	if r.Details.BeganBy != "pbx" {
		return ""
	}
	switch {
	case r.Direction == record.Out && r.DstPhone == record.Anonymous:
		return "the number that the PBX called was not written down"
	case r.Direction == record.Internal && r.SrcPhone == r.DstPhone:
		return "whom the PBX was to call was not written down"
	}
	return ""
}

// isDID tells whether a phone is the DID, perhaps written another way.
func isDID(phone, did string) bool {
	n := min(len(phone), len(did), 7)
	return n > 0 && phone[len(phone)-n:] == did[len(did)-n:]
}

// row is called after each row.
func (t *tale) row() error {
	if len(t.records)+len(t.bad) < fewRecords && t.stats.Rows-t.given < manyRows {
		return nil
	}
	return t.give()
}

func (t *tale) give() error {
	t.failed = t.each(Part{Records: t.records, Channels: t.channels, Before: t.before(), Stats: t.stats, Share: t.share, Bad: t.bad})
	t.bad = t.bad[:0]
	t.records, t.given = t.records[:0], t.stats.Rows
	clear(t.channels)
	return t.failed
}
