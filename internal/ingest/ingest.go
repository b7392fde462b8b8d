// Package ingest is the one loop through which every fact goes: sources put
// facts into a bounded queue, the loop applies them to the Machine, writes what
// they decide in one transaction, and only then tells others.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	// batch is how many facts one transaction takes at the most. A transaction
	// costs a disk sync whatever its size; 256 facts are some six calls.
	batch = 256
	// linger is how long the loop waits for more facts before it writes: one
	// event of a call seldom comes alone, and 20 ms is not felt by anybody.
	linger = 20 * time.Millisecond
	// retryFirst and retryLast bound the wait between tries to write.
	retryFirst, retryLast = 100 * time.Millisecond, 5 * time.Second
)

// Store is what the loop needs of a database.
type Store interface {
	Commit(context.Context, *store.Batch) error
	Journal(context.Context) ([]record.Event, error)
	Record(ctx context.Context, callID string) (record.Record, error)
	Span(context.Context) (store.Span, error)
	Judge(context.Context, record.Record) (v record.Verdict, better record.Record, doubles []string, err error)
}

// Options of a Loop.
type Options struct {
	Rules record.Rules
	Store Store
	// Bound is how many facts may wait: 0 is 100,000, some 40 MB and ten
	// minutes of a busy call centre. Beyond it facts are refused, a gap is
	// marked and Resync asked for.
	Bound int
	// Resync asks the source for a new list of channels after facts were
	// refused. It must not block.
	Resync func()
	// Plan tells what a change is to the outside; it is written with the change.
	// live is how the call stands that goes on (of a merged call the one it went
	// into), or nil; place is that of the change's Record in the batch, from 1.
	// nil: nothing is told to the outside.
	Plan func(c record.Change, live *record.Live, place int) []store.Change
	// Publish is told what was decided, after it is on the disk, from the
	// loop's goroutine. It must not block.
	Publish func([]record.Change)
	// Saw is told of each gap among the facts, and of each end of a list of
	// channels, which ends it, from the loop's goroutine. It must not block.
	Saw func(record.Event)
	// Lag is called for each fact of a batch, once it is on the disk, with the time
	// since it was put, from the loop's goroutine. It must not block. Nil: only the
	// metric has it.
	Lag func(time.Duration)
	Log *slog.Logger
}

// Loop is the way of every fact. Make one with New.
type Loop struct {
	opt     Options
	queue   *queue
	machine *record.Machine

	improvements chan improvement

	// What Boot found and has not written yet: facts for the journal, and calls
	// that ended.
	unwritten []store.Entry
	ended     []record.Change

	mu     sync.Mutex
	live   map[string]record.Live // the calls going on, as they are on the disk
	parts  map[string]int         // calls that became part of one that goes on: of how many
	last   int64                  // the last change on the disk
	stats  Stats
	lagged prometheus.Histogram // from a fact's arrival to the disk

	busy time.Time // since when a step is under way; zero: it waits for facts
}

// Stats is how the loop does, for health and metrics.
type Stats struct {
	Waiting    int   // facts in the queue
	Bound      int   // how many may wait
	Refused    int64 // facts refused at the bound, since the start
	Refusing   bool  // some were refused behind facts that wait: their gap is not marked yet
	Applied    int64 // facts applied, since the start
	Commits    int64
	Records    int64 // records written, since the start
	OpenCalls  int
	LastEvent  time.Time // when the latest fact happened on the PBX
	LastCommit time.Time
	CommitTook time.Duration // how long the last write that worked took
	Writing    time.Time     // since when a write is under way, tries included; zero: none is
	StoreError string        // why the last write failed; empty: it did not
	Trouble    store.Trouble // what kind of failure that is
}

// New makes a Loop. Put may be called at once; nothing is applied before Run.
func New(opt Options) *Loop {
	if opt.Bound <= 0 {
		opt.Bound = 100_000
	}
	return &Loop{opt: opt, queue: newQueue(opt.Bound), machine: record.New(opt.Rules), live: map[string]record.Live{}, parts: map[string]int{},
		improvements: make(chan improvement), lagged: newLag()}
}

// Put gives a fact to the loop. It never blocks; any goroutine may call it.
func (l *Loop) Put(e record.Event) { l.queue.put(e) }

// Stats tells how the loop does at the moment.
func (l *Loop) Stats() Stats {
	l.mu.Lock()
	s := l.stats
	l.mu.Unlock()
	s.Waiting, s.Refused, s.Refusing = l.queue.state()
	s.Bound = l.opt.Bound
	return s
}

// Alive tells whether the loop moves: it waits for facts, or its present step
// began, or tried again to write, less than so long ago.
func (l *Loop) Alive(within time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy.IsZero() || time.Since(l.busy) < within
}

func (l *Loop) mark(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = time.Time{}
	if busy {
		l.busy = time.Now()
	}
}

// Run takes facts until ctx ends, then writes what still waits and returns.
func (l *Loop) Run(ctx context.Context) error {
	if len(l.ended) > 0 {
		if err := l.step(ctx, block{}); err != nil {
			return err
		}
	}
	for {
		select {
		case <-l.queue.wake:
		case job := <-l.improvements:
			n, err := l.improve(ctx, job.records)
			job.done <- improvedOr{n, err}
			continue
		case <-ctx.Done():
			return l.drain()
		}
		if waiting, _, _ := l.queue.state(); waiting < batch {
			pause(ctx, linger)
		}
		for b, ok := l.queue.take(); ok; b, ok = l.queue.take() {
			if err := l.step(ctx, b); err != nil {
				return err
			}
		}
	}
}

// drain writes what waits when the daemon stops. It has a bound of its own:
// what cannot be written then is told by the PBX's list at the next start.
func (l *Loop) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for b, ok := l.queue.take(); ok; b, ok = l.queue.take() {
		if err := l.step(ctx, b); err != nil {
			return fmt.Errorf("drain: %w", err)
		}
	}
	return nil
}

// step applies facts, writes what they decide, and publishes it.
func (l *Loop) step(ctx context.Context, taken block) error {
	l.mark(true)
	defer l.mark(false)
	events := taken.facts
	if taken.gap {
		l.opt.Log.Error("the queue was full and facts were refused: asking the PBX for its channels again", "bound", l.opt.Bound)
		events = append(events, record.Event{At: lastAt(events), Kind: record.Gapped, Source: record.SourceClock, Value: "voipd's queue was full"})
	}
	changes := slices.Clone(l.ended)
	b := &store.Batch{Journal: l.unwritten}
	for _, c := range changes {
		l.sum(b, c)
	}
	for i, e := range events {
		told := len(changes)
		if e.Kind == record.RecordingChecked {
			changes = l.settle(ctx, changes, e)
		} else {
			if e.Kind.AboutAll() && (e.Kind != record.Gapped || i == 0 || events[i-1].Kind != record.Gapped) { // one gap is as good as many
				b.Journal = aboutAll(b.Journal, l.machine.OpenIDs(), e)
			}
			changes = l.machine.Apply(changes, e)
			if id := l.machine.Touched(); id != "" {
				b.Journal = append(b.Journal, store.Entry{CallID: id, Event: e})
			}
		}
		for _, c := range changes[told:] {
			l.sum(b, c)
		}
	}
	if !b.Empty() {
		if err := l.commit(ctx, b); err != nil {
			return err
		}
		l.unwritten, l.ended = nil, nil
		l.lag(taken.came)
	}
	l.look(events, b, changes)
	l.note(func(s *Stats) {
		s.Applied += int64(len(events))
		s.Records += int64(len(b.Records))
		s.OpenCalls = l.machine.Open()
		if at := lastAt(events); at.After(s.LastEvent) {
			s.LastEvent = at
		}
	})
	l.saw(events)
	if len(changes) > 0 && l.opt.Publish != nil {
		l.opt.Publish(changes)
	}
	if taken.gap && l.opt.Resync != nil {
		l.opt.Resync()
	}
	return nil
}

// aboutAll appends a fact about every call going on to a journal.
func aboutAll(journal []store.Entry, open []string, e record.Event) []store.Entry {
	for _, id := range open {
		journal = append(journal, store.Entry{CallID: id, Event: e})
	}
	return journal
}

// lag notes how long ago facts that are on the disk now were put.
func (l *Loop) lag(came []time.Time) {
	now := time.Now()
	for _, at := range came {
		late := now.Sub(at)
		l.lagged.Observe(late.Seconds())
		if l.opt.Lag != nil {
			l.opt.Lag(late)
		}
	}
}

func lastAt(events []record.Event) time.Time {
	if len(events) == 0 {
		return time.Time{}
	}
	return events[len(events)-1].At
}

// sum writes into b what a change means for the disk, right after the fact that
// made it.
func (l *Loop) sum(b *store.Batch, c record.Change) {
	switch c.Kind {
	case record.CallMerged:
		b.Merged = append(b.Merged, [2]string{c.CallID, c.Other})
	case record.CallEnded:
		b.Closed = append(b.Closed, store.Closed{CallID: c.CallID, At: c.At})
	}
	place := 0
	if c.Record != nil {
		b.Records = append(b.Records, *c.Record)
		place = len(b.Records)
	}
	if l.opt.Plan == nil {
		return
	}
	id := c.CallID
	if c.Kind == record.CallMerged {
		id = c.Other
	}
	if live, open := l.machine.OpenLive(id); open {
		b.Changes = append(b.Changes, l.opt.Plan(c, &live, place)...)
		return
	}
	b.Changes = append(b.Changes, l.opt.Plan(c, nil, place)...)
}

// settle takes in what the disk says of a recording of an ended call.
func (l *Loop) settle(ctx context.Context, changes []record.Change, e record.Event) []record.Change {
	r, err := l.opt.Store.Record(ctx, e.Value)
	if err != nil {
		if !errors.Is(err, store.ErrNotFound) {
			l.opt.Log.Error("cannot settle a recording, will look again", "call", e.Value, "error", err)
		}
		return changes
	}
	for i := range changes { // a change of this very batch is not on the disk yet
		if changes[i].Record != nil && changes[i].CallID == e.Value {
			r = *changes[i].Record
		}
	}
	if !r.SettleRecording(e.Key, e.Recorded) {
		return changes
	}
	return append(changes, record.Change{Kind: record.RecordRevised, At: e.At, CallID: e.Value, Record: &r, Recording: e.Key})
}

// commit writes a batch, trying again until it is on the disk or ctx ends, and
// then once more: the disk may have room again. Meanwhile facts wait in the
// queue.
func (l *Loop) commit(ctx context.Context, b *store.Batch) error {
	wait := retryFirst
	l.note(func(s *Stats) { s.Writing = time.Now() })
	defer l.note(func(s *Stats) { s.Writing = time.Time{} })
	for last := false; ; {
		l.mark(true) // a store that fails is no dead loop
		began := time.Now()
		err := l.opt.Store.Commit(context.WithoutCancel(ctx), b)
		if err == nil {
			l.note(func(s *Stats) {
				if s.StoreError != "" {
					l.opt.Log.Info("the store takes records again")
				}
				s.Commits, s.LastCommit, s.StoreError, s.Trouble = s.Commits+1, time.Now(), "", ""
				s.CommitTook = time.Since(began)
			})
			return nil
		}
		l.note(func(s *Stats) {
			if s.StoreError == "" {
				l.opt.Log.Error("cannot write to the store; facts wait in the queue", "error", err)
			}
			s.StoreError, s.Trouble = err.Error(), store.TroubleOf(err)
		})
		if last {
			return fmt.Errorf("write to the store: %w", err)
		}
		last = !pause(ctx, wait)
		wait = min(2*wait, retryLast)
	}
}

func (l *Loop) note(f func(*Stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.stats)
}

// pause waits for d, or until ctx ends, and tells whether d passed.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
