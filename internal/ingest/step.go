package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// step is one turn of the loop. It is collected, committed and told, in this
// order; nobody outside hears of anything in it before it is on the disk.
type step struct {
	facts   []record.Event
	came    []time.Time     // when each of the facts was put
	refused bool            // facts were refused behind these: the PBX has to list its channels
	poison  *poison         // a fact behind these made the Machine panic
	rest    []record.Event  // the facts behind that one
	changes []record.Change // what the facts decided
	batch   store.Batch     // what all of it is to the disk
}

// take brings a block of facts through a step.
func (l *Loop) take(ctx context.Context, taken block) error {
	l.setBusy(true)
	defer l.setBusy(false)
	s := l.collect(ctx, taken)
	if err := l.commit(ctx, &s); err != nil {
		return err
	}
	l.unwritten, l.ended = nil, nil
	l.tell(&s)
	if s.poison == nil {
		return nil
	}
	if err := l.heal(ctx, s.poison); err != nil {
		return err
	}
	return l.take(ctx, block{facts: s.rest, gap: taken.gap})
}

// collect applies facts to the Machine and gathers what they mean for the disk.
// What Boot left comes first.
func (l *Loop) collect(ctx context.Context, taken block) step {
	s := step{facts: taken.facts, came: taken.came, refused: taken.gap}
	if taken.gap {
		l.opt.Log.Error("the queue was full and facts were refused: asking the PBX for its channels again", "bound", l.opt.Bound)
		s.facts = append(s.facts, record.Event{At: lastAt(s.facts), Kind: record.Gapped, Source: record.SourceClock, Value: "voipd's queue was full"})
	}
	s.batch.Journal = l.unwritten
	for _, c := range l.identified(ctx, l.ended) {
		l.decided(&s, c, nil)
	}
	for i := range s.facts {
		decisions, err := l.apply(ctx, &s, i)
		var panicked *caught.Panic
		if errors.As(err, &panicked) {
			s.poison = &poison{s.facts[i], panicked}
			s.facts, s.rest, s.refused = s.facts[:i], s.facts[i+1:], false
			s.came = s.came[:min(i, len(s.came))]
			break
		}
		for i, c := range decisions {
			l.decided(&s, c, decisions[i+1:])
		}
	}
	return s
}

// apply takes one fact of the step in, puts it into the journal, and gives what
// it decides. The error is that it panicked.
func (l *Loop) apply(ctx context.Context, s *step, i int) ([]record.Change, error) {
	e := s.facts[i]
	if e.Kind == record.RecordingChecked {
		return l.recordingChecked(ctx, s, e), nil
	}
	if l.shunned(e) {
		return nil, nil
	}
	repeated := e.Kind == record.Gapped && i > 0 && s.facts[i-1].Kind == record.Gapped // one gap is as good as many
	var open []string                                                                  // before the fact, which may end some
	if e.Kind.AboutAll() && !repeated {
		open = l.machine.OpenIDs()
	}
	var err error
	if l.decisions, err = l.applySafely(l.decisions[:0], e); err != nil {
		return nil, err
	}
	s.batch.Journal = aboutAll(s.batch.Journal, open, e)
	if id := l.machine.Touched(); id != "" {
		s.batch.Journal = append(s.batch.Journal, store.Entry{CallID: id, Event: e})
	}
	for _, aside := range l.machine.Asides() {
		if id := l.machine.CallOf(aside.Channel.ID); id != "" {
			s.batch.Journal = append(s.batch.Journal, store.Entry{CallID: id, Event: aside})
		}
	}
	if c, is := l.machine.Compaction(); is {
		s.batch.Journal = append(s.batch.Journal, store.Entry{CallID: c.CallID, Event: c.Summary})
		s.batch.Compacted = append(s.batch.Compacted, store.Compacted{CallID: c.CallID, Channels: c.Channels})
	}
	return l.identified(ctx, l.decisions), nil
}

// aboutAll appends a fact about every open call to a journal.
func aboutAll(journal []store.Entry, open []string, e record.Event) []store.Entry {
	for _, id := range open {
		journal = append(journal, store.Entry{CallID: id, Event: e})
	}
	return journal
}

// recordingChecked decides whether what the disk says of a recording of an
// ended call is new.
func (l *Loop) recordingChecked(ctx context.Context, s *step, e record.Event) []record.Change {
	r, err := l.opt.Store.Record(ctx, e.Value)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			l.opt.Log.Error("cannot note the state of a recording; it will be checked again", "call", e.Value, "error", err)
		}
		return nil
	}
	for _, c := range s.changes { // a change of this very step is not on the disk yet
		if c.Record != nil && c.CallID == e.Value {
			r = *c.Record
		}
	}
	if !r.UpdateRecording(e.Key, e.Recorded) {
		return nil
	}
	return []record.Change{{Kind: record.RecordRevised, At: e.At, CallID: e.Value, Record: &r, Recording: e.Key}}
}

// endOf is the record of a call that the same fact ends; nil where it does not.
func endOf(callID string, rest []record.Change) *record.Record {
	for _, c := range rest {
		if c.Kind == record.CallEnded && c.CallID == callID {
			return c.Record
		}
	}
	return nil
}

// decided adds a change to the step. It is called right after the fact that
// decided it, as long as the Machine shows the calls as they were then; rest is what
// that fact decided behind it.
func (l *Loop) decided(s *step, c record.Change, rest []record.Change) {
	b := &s.batch
	switch c.Kind {
	case record.CallMerged:
		if c.Retracts {
			b.Retracted = append(b.Retracted, [2]string{c.CallID, c.Other})
			break
		}
		b.Merged = append(b.Merged, [2]string{c.CallID, c.Other})
	case record.CallEnded:
		closed := store.Closed{CallID: c.CallID, At: c.At}
		if c.Record != nil {
			closed.As = c.Record.CallID
		}
		b.Closed = append(b.Closed, closed)
	}
	if c.Record != nil {
		c.CallID = c.Record.CallID
	}
	s.changes = append(s.changes, c)
	if c.Record != nil {
		b.Records = append(b.Records, c.Record)
	}
	if l.opt.Plan == nil {
		return
	}
	id := c.CallID
	if c.Kind == record.CallMerged {
		id = c.Other
	}
	if live, open := l.machine.OpenLive(id); open {
		b.Changes = append(b.Changes, l.opt.Plan(c, &live)...)
		return
	}
	if c.Record == nil { // the last phone stops ringing with the end of the call
		if ended := endOf(c.CallID, rest); ended != nil {
			b.Changes = append(b.Changes, l.opt.Plan(c, &record.Live{Record: *ended})...)
			return
		}
	}
	b.Changes = append(b.Changes, l.opt.Plan(c, nil)...)
}

// identified gives the records of what the Machine decided the ids under which they
// are kept.
func (l *Loop) identified(ctx context.Context, decisions []record.Change) []record.Change {
	for i := range decisions {
		if r := decisions[i].Record; r != nil {
			r.CallID = l.identify(ctx, r)
		}
	}
	return decisions
}

// identify is the id under which a record is kept. Where the store cannot tell,
// that is its own: the calls of two PBXs with one id are rarer than a bad disk.
func (l *Loop) identify(ctx context.Context, r *record.Record) string {
	id, err := l.opt.Store.Identify(ctx, r)
	if err != nil {
		l.opt.Log.Error("cannot tell whether another call has the id", "call", r.CallID, "error", err)
		return r.CallID
	}
	if id != r.CallID {
		l.opt.Log.Warn("another call has the id already; the record has one of its own", "call", r.CallID, "record", id)
		l.count(func(s *Stats) { s.Twice = id })
	}
	return id
}

// mostRecords is how many records are written in one transaction. A list of
// channels may end thousands of calls at once.
const mostRecords = 1000

// commit writes the step's batch, and tries again until it is on the disk or
// ctx ends, and then once more: the disk may have room again. Meanwhile facts
// wait in the queue.
func (l *Loop) commit(ctx context.Context, s *step) error {
	if s.batch.Empty() {
		return nil
	}
	l.count(func(s *Stats) { s.Writing = time.Now() })
	defer l.count(func(s *Stats) { s.Writing = time.Time{} })
	for _, piece := range s.batch.Split(mostRecords) {
		if err := l.commitPiece(ctx, piece); err != nil {
			return err
		}
		s.batch.Last = max(s.batch.Last, piece.Last)
	}
	return nil
}

func (l *Loop) commitPiece(ctx context.Context, b *store.Batch) error {
	wait := retryFirst
	for last := false; ; {
		l.setBusy(true) // a store that fails is no dead loop
		began := time.Now()
		err := l.opt.Store.Commit(context.WithoutCancel(ctx), b)
		l.committed(err, time.Since(began))
		if err == nil {
			return nil
		}
		if last {
			return fmt.Errorf("write to the store: %w", err)
		}
		last = !pause(ctx, wait)
		wait = min(2*wait, retryLast)
	}
}

// committed counts a try to write, and logs where writing began to fail or to
// work again.
func (l *Loop) committed(err error, took time.Duration) {
	l.count(func(s *Stats) {
		switch failed := s.StoreError != ""; {
		case err != nil && !failed:
			l.opt.Log.Error("cannot write to the store; facts wait in the queue", "error", err)
		case err == nil && failed:
			l.opt.Log.Info("the store takes records again")
		}
		if err != nil {
			s.StoreError, s.Trouble = err.Error(), store.TroubleOf(err)
			return
		}
		s.Commits, s.LastCommit, s.StoreError, s.Trouble, s.CommitTook = s.Commits+1, time.Now(), "", "", took
	})
}

// tell shows a step that is on the disk to everybody outside the loop.
func (l *Loop) tell(s *step) {
	if !s.batch.Empty() {
		l.tellLag(s.came)
	}
	l.showCalls(s)
	l.count(func(n *Stats) {
		n.Applied += int64(len(s.facts))
		n.Records += int64(len(s.batch.Records))
		n.OpenCalls = l.machine.Open()
		if at := lastAt(s.facts); at.After(n.LastEvent) {
			n.LastEvent = at
		}
	})
	l.tellGaps(s.facts)
	if len(s.changes) > 0 && l.opt.Publish != nil {
		l.opt.Publish(s.changes)
	}
	if s.refused && l.opt.Resync != nil {
		l.opt.Resync()
	}
}

// tellLag tells how long ago facts that are on the disk now were put.
func (l *Loop) tellLag(came []time.Time) {
	now := time.Now()
	for _, at := range came {
		late := now.Sub(at)
		l.lagged.Observe(late.Seconds())
		if l.opt.Lag != nil {
			l.opt.Lag(late)
		}
	}
}

// tellGaps tells the gaps among facts that are on the disk now, and what ends
// them.
func (l *Loop) tellGaps(facts []record.Event) {
	if l.opt.Saw == nil {
		return
	}
	for _, e := range facts {
		if e.Kind == record.Gapped || e.Kind == record.SnapshotEnded {
			l.opt.Saw(e)
		}
	}
}

func lastAt(facts []record.Event) time.Time {
	if len(facts) == 0 {
		return time.Time{}
	}
	return facts[len(facts)-1].At
}
