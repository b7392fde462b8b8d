package ingest

import (
	"sync"

	"github.com/voipd/voipd/record"
)

// queue holds facts between the sources and the loop. Putting never waits: at
// its bound it takes nothing more, counts what it refused, and remembers that
// there is a gap.
type queue struct {
	mu      sync.Mutex
	events  []record.Event
	bound   int
	refused int64 // since the beginning
	gap     bool  // something was refused since the last take
	wake    chan struct{}
}

func newQueue(bound int) *queue {
	return &queue{bound: bound, wake: make(chan struct{}, 1)}
}

func (q *queue) put(e record.Event) {
	q.mu.Lock()
	if len(q.events) >= q.bound {
		q.refused++
		q.gap = true
		q.mu.Unlock()
		return
	}
	q.events = append(q.events, e)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// take moves up to n facts into buf and tells whether, right behind them,
// others were refused.
func (q *queue) take(buf []record.Event, n int) (events []record.Event, gap bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n = min(n, len(q.events))
	events = append(buf[:0], q.events[:n]...)
	rest := copy(q.events, q.events[n:])
	clear(q.events[rest:])
	q.events = q.events[:rest]
	if rest == 0 {
		gap, q.gap = q.gap, false
		if cap(q.events) > 4096 {
			q.events = nil // a burst is over: give its memory back
		}
	}
	return events, gap
}

func (q *queue) state() (waiting int, refused int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.events), q.refused
}
