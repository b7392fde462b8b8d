package pbx

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

const (
	// near is how close to a leap a call still counts as one during which the
	// clock was set: events of several channels come out of order, and CEL has
	// times of its own.
	near = time.Second
	// tolerated is by how much the clocks may differ before health warns.
	tolerated = 5 * time.Second
	// keepClockEvery is how often the comparison of the clocks is written down.
	// After a kill, so much time before it also counts as one in which the PBX's
	// clock may have been set.
	keepClockEvery = 10 * time.Second
	// keepClockAgain is how soon that is tried again where it failed: facts by the
	// clock's new time may be on the disk already.
	keepClockAgain = 250 * time.Millisecond
	// mostLeaps bounds the leaps that are remembered. Beyond it the two oldest
	// become one stretch of time: more calls than need be are then approximate.
	mostLeaps = 1000
)

// ClockMark is a comparison of the PBX's clock with this machine's.
type ClockMark struct {
	PBX, Ours time.Time     // what each said
	Up        time.Duration // how long this machine had been up
	Boot      string        // id of this machine's boot; empty: not known
}

// ClockLeap is a stretch of the PBX's time in which its clock was set.
type ClockLeap struct{ From, To time.Time }

// ClockStore keeps what is known of the clocks from one run to the next.
type ClockStore interface {
	Clock(context.Context) (ClockMark, []ClockLeap, error)
	// SetClock replaces the comparison and, unless leaps is nil, all leaps.
	SetClock(ctx context.Context, m ClockMark, leaps []ClockLeap) error
}

// Clock follows the PBX's clock, finds out when it was set, and tells how far it
// is from ours. Make one with [ResumeClock]; any goroutine may use it.
type Clock struct {
	kept  ClockMark     // the comparison of the run before; zero: not known
	ahead time.Duration // how far it may run ahead without having been set

	mu      sync.Mutex
	state   clockState
	leaps   []ClockLeap   // stretches of its time in which it was set; at most mostLeaps
	count   int           // how often it was set since the start
	unkept  bool          // leaps are not on the disk yet
	changed chan struct{} // gets one at each leap
}

// ResumeClock takes up what an earlier run kept. ahead is by how much the PBX's
// clock may differ, and run ahead without having been set; 0 is five seconds,
// and only a fake PBX whose time runs faster than ours needs more.
func ResumeClock(ctx context.Context, from ClockStore, ahead time.Duration) (*Clock, error) {
	mark, leaps, err := from.Clock(ctx)
	if err != nil {
		return nil, err
	}
	c := &Clock{kept: mark, leaps: leaps, ahead: ahead, changed: make(chan struct{}, 1)}
	c.state.by = mark.PBX.Sub(mark.Ours) // until the PBX says a time
	return c, nil
}

// stamp gives out a fact that came at received, and before it, where the PBX's
// clock was set, that fact. A fact without a time of the PBX's gets what the
// PBX's clock would say.
func (c *Clock) stamp(e record.Event, received time.Time, handle func(record.Event)) {
	c.mu.Lock()
	l := c.compare(&e, received)
	c.mu.Unlock()
	if !l.none() {
		handle(record.Event{At: e.At, Kind: record.ClockSet, Source: record.SourceClock, Age: l.by})
	}
	handle(e)
}

// compare moves the state on by one fact. c.mu is held.
func (c *Clock) compare(e *record.Event, received time.Time) (l leap) {
	if e.At.Sub(received).Abs() > mostAway {
		e.At = received
	}
	switch {
	case e.At.Equal(received): // Asterisk gave no time
		if c.state.by.Abs() > tolerated {
			e.At = e.At.Add(c.state.by)
		}
		return leap{}
	case c.state.first.IsZero():
		c.state, l = c.state.begin(e.At, received, c.ahead, c.kept, thisMachine())
	default:
		c.state, e.At, l = c.state.step(e.At, received, c.ahead)
	}
	if !l.none() {
		c.remember(l)
	}
	return l
}

// remember notes a leap, by the old clock and by the new. c.mu is held.
func (c *Clock) remember(l leap) {
	c.leaps = append(c.leaps, ClockLeap{From: l.from, To: l.to.Add(-l.by)}, ClockLeap{From: l.from.Add(l.by), To: l.to})
	for len(c.leaps) > mostLeaps {
		first, second := c.leaps[0], c.leaps[1]
		c.leaps = c.leaps[1:]
		if first.From.Before(second.From) {
			c.leaps[0].From = first.From
		}
		if first.To.After(second.To) {
			c.leaps[0].To = first.To
		}
	}
	c.unkept = true
	c.count++
	select {
	case c.changed <- struct{}{}:
	default: // it is being kept anyway
	}
}

// Sets is how often the clock was set since the start.
func (c *Clock) Sets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// WasSet tells whether the PBX's clock was set between two of its own times, as
// far as voipd has seen.
func (c *Clock) WasSet(from, to time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.leaps, func(l ClockLeap) bool {
		return !l.From.After(to.Add(near)) && !l.To.Before(from.Add(-near))
	})
}

// Off is the most that the clocks were seen to differ; 0 below five seconds.
func (c *Clock) Off() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.worst < tolerated {
		return 0
	}
	return c.state.worst
}

// by is how far the PBX's clock is ahead of ours, as its latest event says.
func (c *Clock) by() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.by
}

// health warns where the clocks differ.
func (c *Clock) health(h *contract.Health) {
	c.mu.Lock()
	by := c.state.by.Round(time.Second)
	c.mu.Unlock()
	if by.Abs() <= max(c.ahead, tolerated) {
		return
	}
	where := "ahead of"
	if by < 0 {
		where = "behind"
	}
	h.Warn("pbx-clock", fmt.Sprintf("the PBX's clock is %s %s this machine's: records have the PBX's time; set both by NTP", by.Abs(), where))
}

// keep writes the comparison down, and the leaps that are not there yet.
func (c *Clock) keep(ctx context.Context, to ClockStore, now time.Time) error {
	c.mu.Lock()
	if c.state.first.IsZero() {
		c.mu.Unlock()
		return nil // no event came yet: what an earlier run kept still holds
	}
	m := c.state.mark(now, thisMachine())
	var leaps []ClockLeap
	if c.unkept {
		leaps = slices.Clone(c.leaps)
	}
	c.unkept = false
	c.mu.Unlock()
	err := to.SetClock(ctx, m, leaps)
	if err != nil && leaps != nil {
		c.mu.Lock()
		c.unkept = true
		c.mu.Unlock()
	}
	return err
}

// run keeps the comparison until ctx ends, and once more then. wasSet is called
// after the clock was set.
func (c *Clock) run(ctx context.Context, to ClockStore, wasSet func(), log *slog.Logger) {
	failed := ""
	for {
		wait := keepClockEvery
		err := c.keep(context.WithoutCancel(ctx), to, time.Now())
		if err != nil {
			wait = keepClockAgain
		}
		switch {
		case err == nil:
			failed = ""
		case err.Error() != failed:
			failed = err.Error()
			log.Warn("cannot write down how the clocks differ; after a restart voipd may not notice that the PBX's clock was set", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
		tick := time.NewTimer(wait)
		select {
		case <-tick.C:
		case <-c.changed:
			wasSet()
		case <-ctx.Done():
		}
		tick.Stop()
	}
}
