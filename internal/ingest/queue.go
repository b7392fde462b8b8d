package ingest

import (
	"sync"
	"time"

	"github.com/voipd/voipd/record"
)

// queue holds facts between the sources and the loop. Putting never waits: at
// its bound it takes nothing more, counts what it refused, and remembers where
// among the facts that it holds there is a gap.
type queue struct {
	mu      sync.Mutex
	blocks  []block // oldest first; none is empty
	waiting int     // facts in blocks
	bound   int     // at least 1
	refused int64   // since the beginning
	wake    chan struct{}
}

// block is a row of facts that are taken together, batch at the most. Blocks
// are given away whole, so that nothing is moved however many there are, and
// what was a burst is free as soon as it is taken.
type block struct {
	facts []record.Event
	came  []time.Time // when each of them was put
	gap   bool        // right behind them others were refused
}

func newQueue(bound int) *queue {
	return &queue{bound: bound, wake: make(chan struct{}, 1)}
}

func (q *queue) put(e record.Event) {
	if q.admit(e) {
		q.rouse()
	}
}

// rouse makes the loop look into the queue.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) admit(e record.Event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	last := len(q.blocks) - 1
	if q.waiting >= q.bound {
		q.refused++
		q.blocks[last].gap = true
		return false
	}
	if last < 0 || q.blocks[last].gap || len(q.blocks[last].facts) == batch {
		q.blocks = append(q.blocks, block{})
		last++
	}
	b := &q.blocks[last]
	b.facts, b.came = append(b.facts, e), append(b.came, time.Now())
	q.waiting++
	return true
}

// take gives the oldest facts; ok is false where there are none.
func (q *queue) take() (b block, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.blocks) == 0 {
		return block{}, false
	}
	b, q.blocks[0] = q.blocks[0], block{}
	q.blocks = q.blocks[1:]
	q.waiting -= len(b.facts)
	return b, true
}

// state tells how many facts wait, how many were refused, and whether the gap
// of some that were is still in the queue.
func (q *queue) state() (waiting int, refused int64, gap bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, b := range q.blocks {
		gap = gap || b.gap
	}
	return q.waiting, q.refused, gap
}
