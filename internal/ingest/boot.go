package ingest

import (
	"context"
	"fmt"

	"github.com/voipd/voipd/record"
)

// Boot replays the journal of the calls that were open when the daemon last
// stopped. It is called once, before Run.
func (l *Loop) Boot(ctx context.Context) error {
	events, err := l.opt.Store.Journal(ctx)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	for i, e := range events {
		if e.Kind.AboutAll() && i > 0 && e == events[i-1] {
			continue // it stands there for each call
		}
		for _, c := range l.machine.Apply(nil, e) {
			if c.Kind == record.CallEnded {
				l.ended = append(l.ended, c) // who has a journal was not told to have ended
			}
		}
	}
	if n := l.machine.Open(); n > 0 {
		gap := record.Event{At: lastAt(events), Kind: record.Gapped, Source: record.SourceClock, Value: "voipd was not running"}
		l.machine.Apply(nil, gap)
		l.unwritten = aboutAll(nil, l.machine.OpenIDs(), gap)
		l.opt.Log.Info("took up the calls that were open at the last stop", "calls", n, "facts", len(events))
	}
	span, err := l.opt.Store.Span(ctx)
	if err != nil {
		return fmt.Errorf("boot: %w", err)
	}
	l.last = span.Last
	for _, live := range l.machine.OpenLives() {
		l.show(live.Record.CallID, live, true)
	}
	l.count(func(s *Stats) { s.OpenCalls = l.machine.Open() })
	return nil
}
