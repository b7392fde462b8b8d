// Package ingest is the one loop through which every fact goes: sources put
// facts into a bounded queue, the loop applies them to the Machine, writes what
// they decide in one transaction, and only then tells others.
package ingest

import (
	"context"
	"fmt"
	"log/slog"
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
	// apart is how long after a write the next one begins at the earliest, unless a
	// whole batch waits: some 2 ms of processor time are spent on each, most of them on
	// waiting for the disk, and on a busy PBX there would be one for nearly every fact.
	// A fact that comes alone does not wait for it, and 100 ms are not felt either.
	apart = 100 * time.Millisecond
	// retryFirst and retryLast bound the wait between tries to write.
	retryFirst, retryLast = 100 * time.Millisecond, 5 * time.Second
)

// Store is what the loop needs of a database.
type Store interface {
	Commit(context.Context, *store.Batch) error
	Journal(ctx context.Context, each func(store.JournalRow) error) error
	JournalSize(context.Context) (int64, error)
	SetCallAside(context.Context, store.Quarantine, time.Time) error
	Sizes() (database, wal int64)
	Room() (free, all int64)
	InQuarantine(context.Context) (facts, calls int, latest string, err error)
	Record(ctx context.Context, callID string) (record.Record, error)
	Span(context.Context) (store.Span, error)
	Identify(context.Context, *record.Record) (id string, err error)
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
	// into), or nil. nil: nothing is told to the outside.
	Plan func(c record.Change, live *record.Live) []store.Change
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
	// Fault is for tests: it is called before each fact is applied, and may panic.
	Fault func(record.Event)
	Log   *slog.Logger
}

// Loop applies every fact and writes what it decides. Make one with New.
type Loop struct {
	opt     Options
	queue   *queue
	machine *record.Machine

	improvements chan improvement
	rules        chan record.Rules // others, to be used from now on; one at the most
	flush        chan struct{}     // gets one when what waits need not wait for more
	booted       chan struct{}     // closed when the journal is replayed, or that failed

	// What Boot found and has not written yet: facts for the journal, and calls
	// that ended.
	unwritten []store.Entry
	ended     []record.Change

	panics    map[string]int  // how often a fact about a channel panicked, by its id
	decisions []record.Change // of the latest fact; its memory is used again

	mu     sync.Mutex
	live   map[string]record.Live // the calls going on, as they are on the disk
	parts  map[string]int         // calls that became part of one that goes on: of how many
	last   int64                  // the last change on the disk
	stats  Stats
	lagged prometheus.Histogram // from a fact's arrival to the disk
	busy   time.Time            // since when a step is under way; zero: it waits for facts
}

// Stats are the loop's counters and state, for health and metrics.
type Stats struct {
	Waiting    int   // facts in the queue
	Bound      int   // how many may wait
	Refused    int64 // facts refused at the bound, since the start
	Refusing   bool  // some were refused behind facts that wait: their gap is not marked yet
	Applied    int64 // facts applied, since the start
	Commits    int64
	Records    int64 // records written, since the start
	OpenCalls  int
	Twice      string    // the latest record whose id another call had already; empty: there was none
	LastEvent  time.Time // when the latest fact happened on the PBX
	LastCommit time.Time
	CommitTook time.Duration // how long the last write that worked took
	Writing    time.Time     // since when a write is under way, tries included; zero: none is
	StoreError string        // why the last write failed; empty: it did not
	Trouble    store.Trouble // what kind of failure that is

	Booting     bool  // the journal is not replayed yet
	JournalSize int64 // how many facts it has
	Replayed    int64 // how many of them are
}

// New makes a Loop. Put may be called at once; nothing is applied before Run.
func New(opt Options) *Loop {
	if opt.Bound <= 0 {
		opt.Bound = 100_000
	}
	return &Loop{opt: opt, queue: newQueue(opt.Bound), machine: record.New(opt.Rules), live: map[string]record.Live{}, parts: map[string]int{}, panics: map[string]int{}, booted: make(chan struct{}),
		improvements: make(chan improvement), rules: make(chan record.Rules, 1), flush: make(chan struct{}, 1), lagged: newLag()}
}

// Put gives a fact to the loop. It never blocks; any goroutine may call it.
func (l *Loop) Put(e record.Event) { l.queue.put(e) }

// Flush tells the loop that a source which puts facts together has put all that it
// had: they need not wait for more. It never blocks; any goroutine may call it.
func (l *Loop) Flush() {
	if waiting, _, _ := l.queue.state(); waiting == 0 {
		return
	}
	select {
	case l.flush <- struct{}{}:
	default:
	}
}

// SetRules makes these the rules for channels that are met from now on. One
// goroutine may call it.
func (l *Loop) SetRules(r record.Rules) {
	select {
	case <-l.rules: // not taken up yet
	default:
	}
	l.rules <- r
}

// Stats gives the counters and the state at the moment.
func (l *Loop) Stats() Stats {
	l.mu.Lock()
	s := l.stats
	l.mu.Unlock()
	s.Waiting, s.Refused, s.Refusing = l.queue.state()
	s.Bound = l.opt.Bound
	select {
	case <-l.booted:
	default:
		s.Booting = true
	}
	return s
}

// Alive tells whether the loop moves: it waits for facts, or its present step
// began, or tried again to write, less than so long ago.
func (l *Loop) Alive(within time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.busy.IsZero() || time.Since(l.busy) < within
}

// setBusy notes that a step begins or goes on, or that it is done.
func (l *Loop) setBusy(busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = time.Time{}
	if busy {
		l.busy = time.Now()
	}
}

// Run replays the journal, unless [Loop.Boot] has, and takes facts until ctx ends.
// Then it writes what still waits and returns.
func (l *Loop) Run(ctx context.Context) error {
	select {
	case <-l.booted:
	default:
		if err := l.Boot(ctx); err != nil {
			if ctx.Err() != nil {
				return nil // voipd stops: the journal is replayed at the next start
			}
			return err
		}
	}
	if len(l.ended) > 0 {
		if err := l.take(ctx, block{}); err != nil {
			return err
		}
	}
	for wrote := (time.Time{}); ; wrote = time.Now() {
		select {
		case <-l.queue.wake:
		case l.opt.Rules = <-l.rules:
			l.machine.SetRules(l.opt.Rules)
			continue
		case job := <-l.improvements:
			n, err := l.improve(ctx, job.records)
			job.done <- improvedOr{n, err}
			continue
		case <-ctx.Done():
			return l.drain()
		}
		if waiting, _, _ := l.queue.state(); waiting < batch {
			l.linger(ctx, max(linger, apart-time.Since(wrote)))
		}
		if err := l.takeWaiting(ctx); err != nil {
			return err
		}
	}
}

// linger waits for more facts, for d or until a source has put all that it had.
func (l *Loop) linger(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.flush:
	case <-ctx.Done():
	}
}

// takeWaiting takes what waits until that is less than a batch: what came during a
// write waits for more, as what came before it did.
func (l *Loop) takeWaiting(ctx context.Context) error {
	for ctx.Err() == nil {
		b, ok := l.queue.take()
		if !ok {
			return nil
		}
		if err := l.take(ctx, b); err != nil {
			return err
		}
		if waiting, _, _ := l.queue.state(); waiting > 0 && waiting < batch {
			l.queue.rouse()
			return nil
		}
	}
	return nil
}

// drainWithin is how long facts that wait are still written when voipd stops.
const drainWithin = 2 * time.Second

// drain writes what waits when the daemon stops. What cannot be written in time is
// a gap: the next start asks the PBX for its channels and reads CEL or CDR.
func (l *Loop) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainWithin)
	defer cancel()
	for ctx.Err() == nil {
		b, ok := l.queue.take()
		if !ok {
			return nil
		}
		if err := l.take(ctx, b); err != nil {
			return fmt.Errorf("drain: %w", err)
		}
	}
	waiting, _, _ := l.queue.state()
	l.opt.Log.Error("voipd stops before all facts are written; the next start reads what is missing from CEL or CDR", "facts", waiting)
	return nil
}

// count changes the statistics.
func (l *Loop) count(f func(*Stats)) {
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
