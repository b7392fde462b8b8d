package ingest

import (
	"slices"
	"strings"

	"github.com/voipd/voipd/record"
)

// showCalls brings the view of the open calls to what was just written: only
// the step's calls can have changed, or, by a list of channels, every one.
func (l *Loop) showCalls(s *step) {
	touched := make(map[string]bool, len(s.batch.Journal))
	if slices.ContainsFunc(s.facts, func(e record.Event) bool { return e.Kind == record.SnapshotEnded }) {
		for id := range l.live {
			touched[id] = true
		}
	}
	for _, e := range s.batch.Journal {
		touched[e.CallID] = true
	}
	for _, c := range s.changes {
		touched[c.CallID] = true
		if c.Kind == record.CallMerged {
			touched[c.Other] = true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last, s.batch.Last)
	for id := range touched {
		live, open := l.machine.OpenLive(id)
		l.show(id, live, open)
	}
}

// show puts a call into the view of those going on, or takes it out. l.mu is
// held, but at the start.
func (l *Loop) show(id string, live record.Live, open bool) {
	for _, part := range l.live[id].Record.Details.Absorbed {
		if l.parts[part]--; l.parts[part] == 0 {
			delete(l.parts, part)
		}
	}
	if !open {
		delete(l.live, id)
		return
	}
	l.live[id] = live
	for _, part := range live.Record.Details.Absorbed {
		l.parts[part]++
	}
}

// Live gives the open calls, the oldest first, as far as they are on the disk, and
// the number of the last change that they include. It waits until the journal is
// replayed. Any goroutine may call it; what it gives is shared, for reading.
func (l *Loop) Live() ([]record.Live, int64) {
	<-l.booted
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]record.Live, 0, len(l.live))
	for _, live := range l.live {
		all = append(all, live)
	}
	slices.SortFunc(all, func(a, b record.Live) int {
		if c := a.Record.Details.StartedAt.Compare(b.Record.Details.StartedAt); c != 0 {
			return c
		}
		return strings.Compare(a.Record.CallID, b.Record.CallID)
	})
	return all, l.last
}
