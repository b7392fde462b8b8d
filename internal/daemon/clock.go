package daemon

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	// setAhead is how far an event's time leaps ahead where the PBX's clock was
	// set. An event is never early; the rest is for a clock that is slewed.
	setAhead = 30 * time.Second
	// setBack is how far it leaps back; an event may be late by as long as a
	// link that is thought alive can be silent.
	setBack = 2 * time.Minute
	// drift is how fast clocks may drift apart: parts of a second a second.
	drift = 1000
	// beside is how far from a leap a call is still taken for one in which it was:
	// events of several channels come out of order, and CEL has its own times.
	beside = time.Second
	// apart is by how much the clocks may differ before health says so.
	apart = 5 * time.Second
)

// pbxClock compares the PBX's clock, as events tell it, with ours. The zero
// value knows nothing.
type pbxClock struct {
	apart time.Duration // by how much it may run away from ours without having been set, where that is more than usual

	mu    sync.Mutex
	first time.Time     // when the first event with a time came; with our monotonic clock
	last  time.Time     // when the latest came
	said  time.Time     // and what it said
	base  time.Duration // how far the PBX's clock is ahead of ours, as ours ran on from first
	worst time.Duration // the furthest that it was ahead or behind
	by    time.Duration // how far it is ahead of our wall clock now

	kept  store.ClockMark   // how the clocks stood when voipd last ran; zero: not known
	leaps []store.ClockLeap // stretches of what it said in which it was set; at most mostLeaps
	count int               // how often it was set since voipd runs
	fresh bool              // leaps are not on the disk yet
	set   chan struct{}     // gets one when there is a leap; may be nil
}

// mostLeaps bounds the leaps that are remembered. Beyond it the two oldest are
// taken for one stretch: more calls than need be are then approximate.
const mostLeaps = 1000

// take gives out a fact that came at received, and before it, where the PBX's
// clock was set, that fact. A fact without a time of the PBX's gets what its
// clock would say.
func (c *pbxClock) take(e record.Event, received time.Time, put func(record.Event)) {
	c.mu.Lock()
	set, ok := c.compare(&e, received)
	c.mu.Unlock()
	if ok {
		put(record.Event{At: e.At, Kind: record.ClockSet, Source: record.SourceClock, Age: set})
	}
	put(e)
}

func (c *pbxClock) compare(e *record.Event, received time.Time) (set time.Duration, was bool) {
	if e.At.Equal(received) {
		if c.by.Abs() > apart {
			e.At = e.At.Add(c.by)
		}
		return 0, false
	}
	if c.first.IsZero() {
		return c.begin(e.At, received)
	}
	// Round(0) leaves our monotonic clock out, Sub uses it.
	ahead := e.At.Sub(c.first.Round(0)) - received.Sub(c.first)
	switch {
	case c.jumped(ahead - c.base):
		set, was = ahead-c.base, true
		c.leapt(c.said, e.At, set)
		c.base = ahead
	default:
		c.base = max(ahead, c.base-received.Sub(c.last)/drift)
	}
	c.last, c.said = received, e.At
	c.by = c.base + c.first.Round(0).Add(received.Sub(c.first)).Sub(received.Round(0))
	c.worst = max(c.worst, c.by.Abs())
	return set, was
}

// ahead is how far the PBX's clock is ahead of ours, as far as is known.
func (c *pbxClock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.by
}

// begin takes the first event in, and finds what the clock did while voipd was
// not running: the calls that were open before are told by the old one.
func (c *pbxClock) begin(at, received time.Time) (set time.Duration, was bool) {
	c.first, c.last, c.said, c.base = received, received, at, at.Sub(received)
	c.by = at.Sub(received.Round(0))
	c.worst = max(c.worst, c.by.Abs())
	if c.kept == (store.ClockMark{}) {
		return 0, false
	}
	passed := received.Sub(c.kept.Ours) // what our clock says, where it is not known what the time really was
	if up, boot := machine(); boot != "" && boot == c.kept.Boot && up >= c.kept.Up {
		passed = up - c.kept.Up
	}
	set = at.Sub(c.kept.PBX) - passed
	if !c.jumped(set) {
		return 0, false
	}
	c.leapt(c.kept.PBX, at, set)
	return set, true
}

// jumped tells whether a clock that is so far from where it should be was set.
func (c *pbxClock) jumped(by time.Duration) bool { return by > max(setAhead, c.apart) || by < -setBack }

// leapt notes that the clock was set between two moments of its own: at some
// time by the old clock, and by the new.
func (c *pbxClock) leapt(from, to time.Time, set time.Duration) {
	c.leaps = append(c.leaps, store.ClockLeap{From: from, To: to.Add(-set)}, store.ClockLeap{From: from.Add(set), To: to})
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
	c.fresh = true
	c.count++
	select {
	case c.set <- struct{}{}:
	default: // it is being kept anyway
	}
}

// sets is how often the clock was set since voipd runs.
func (c *pbxClock) sets() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// wasSet tells whether the PBX's clock was set while it said what lies between
// from and to, as far as voipd has seen.
func (c *pbxClock) wasSet(from, to time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(c.leaps, func(l store.ClockLeap) bool {
		return !l.From.After(to.Add(beside)) && !l.To.Before(from.Add(-beside))
	})
}

// off is how far the times of rows may be from ours: the most that was seen.
func (c *pbxClock) off() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.worst < apart {
		return 0
	}
	return c.worst
}

// clockHealth adds that the clocks differ.
func (d *Daemon) clockHealth(h *contract.Health) {
	by := d.clock.ahead().Round(time.Second)
	if by.Abs() <= cmp.Or(d.opt.ClockApart, apart) {
		return
	}
	where := "ahead of"
	if by < 0 {
		where = "behind"
	}
	h.Warnings = append(h.Warnings, contract.Warning{Code: "pbx-clock",
		Text: fmt.Sprintf("the PBX's clock is %s %s this machine's: records say the PBX's time; set both by NTP", by.Abs(), where)})
}
