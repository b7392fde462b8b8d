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

// Boot replays the journal of the calls that were open when the daemon last
// stopped. Run does it where nobody has. Facts that cannot be read, or that make
// the Machine panic, are set aside with their call: they cost only themselves.
func (l *Loop) Boot(ctx context.Context) error {
	defer close(l.booted)
	size, err := l.opt.Store.JournalSize(ctx)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	l.count(func(s *Stats) { s.JournalSize = size })
	if err := l.replayAll(ctx, "voipd was not running"); err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	span, err := l.opt.Store.Span(ctx)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = span.Last
	return nil
}

// replayAll makes the Machine anew from the journal, and notes in each open call
// why facts may be missing.
func (l *Loop) replayAll(ctx context.Context, why string) error {
	for {
		last, bad, err := l.replay(ctx)
		if err != nil {
			return err
		}
		if len(bad) == 0 {
			l.replayed(last, why)
			return nil
		}
		for _, q := range bad {
			if err := l.setAside(ctx, q); err != nil {
				return err
			}
		}
	}
}

// replay applies the journal to a new Machine. Where a fact is bad it gives the
// calls to be set aside instead: what they did to the Machine cannot be undone.
func (l *Loop) replay(ctx context.Context) (last record.Event, bad []store.Quarantine, err error) {
	l.machine, l.ended = record.New(l.opt.Rules), nil
	stop := errors.New("a fact made the Machine panic")
	seen := map[string]bool{}
	err = l.opt.Store.Journal(ctx, func(row store.JournalRow) error {
		l.setBusy(true) // a long journal is no dead loop
		l.count(func(s *Stats) { s.Replayed++ })
		if row.Err != nil && !seen[row.CallID] {
			seen[row.CallID] = true
			bad = append(bad, store.Quarantine{CallID: row.CallID, Reason: row.Err.Error()})
		}
		if len(bad) > 0 || row.Event.Kind.AboutAll() && row.Event == last {
			return nil // it is replayed again; or stands there for each call
		}
		changes, err := l.applySafely(nil, row.Event)
		var panicked *caught.Panic
		if errors.As(err, &panicked) {
			bad = append(bad, store.Quarantine{CallID: row.CallID, Reason: panicked.Error(), Stack: string(panicked.Stack)})
			return stop
		}
		for _, c := range changes {
			if c.Kind == record.CallEnded {
				l.ended = append(l.ended, c) // who has a journal was not told to have ended
			}
		}
		last = row.Event
		return nil
	})
	l.setBusy(false)
	if errors.Is(err, stop) {
		err = nil
	}
	return last, bad, err
}

// replayed takes up the calls that the journal left open.
func (l *Loop) replayed(last record.Event, why string) {
	l.unwritten = nil
	if n := l.machine.Open(); n > 0 {
		gap := record.Event{At: last.At, Kind: record.Gapped, Source: record.SourceClock, Value: why}
		l.machine.Apply(nil, gap)
		l.unwritten = aboutAll(nil, l.machine.OpenIDs(), gap)
		l.opt.Log.Info("took up the open calls from the journal", "calls", n, "because", why)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.live)
	clear(l.parts)
	for _, live := range l.machine.OpenLives() {
		l.show(live.Record.CallID, live, true)
	}
	l.stats.OpenCalls = l.machine.Open()
}

// applySafely applies a fact. The error is a [*caught.Panic]; the Machine cannot
// be used any more then.
func (l *Loop) applySafely(dst []record.Change, e record.Event) (changes []record.Change, err error) {
	err = caught.In(func() error {
		if l.opt.Fault != nil {
			l.opt.Fault(e)
		}
		changes = l.machine.Apply(dst, e)
		return nil
	})
	return changes, err
}

// setAside moves a call's facts into the quarantine. It tries until that is on
// the disk or ctx ends.
func (l *Loop) setAside(ctx context.Context, q store.Quarantine) error {
	l.opt.Log.Error("a call's facts are set aside, as they cannot be understood; please report it (voipd export)", "call", q.CallID, "reason", q.Reason)
	wait := retryFirst
	for {
		l.setBusy(true)
		err := l.opt.Store.SetCallAside(context.WithoutCancel(ctx), q, time.Now())
		if err == nil {
			return nil
		}
		l.opt.Log.Error("cannot write to the store; facts wait in the queue", "error", err)
		if !pause(ctx, wait) {
			return err
		}
		wait = min(2*wait, retryLast)
	}
}
