package daemon

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/record"
)

const (
	// setAhead is how far an event's time leaps ahead where the PBX's clock was
	// set. An event is never early; the rest is for a PBX whose time runs faster
	// than ours, as the demo's does.
	setAhead = 30 * time.Second
	// setBack is how far it leaps back; an event may be late by as long as a
	// link that is thought alive can be silent.
	setBack = 2 * time.Minute
	// drift is how fast clocks may drift apart: parts of a second a second.
	drift = 1000
	// apart is by how much the clocks may differ before health says so.
	apart = 5 * time.Second
)

// pbxClock compares the PBX's clock, as events tell it, with ours. The zero
// value knows nothing.
type pbxClock struct {
	mu    sync.Mutex
	first time.Time      // when the first event with a time came; with our monotonic clock
	last  time.Time      // when the latest came
	said  time.Time      // and what it said
	base  time.Duration  // how far the PBX's clock is ahead of ours, as ours ran on from first
	worst time.Duration  // the furthest that it was ahead or behind
	leaps [][2]time.Time // stretches of what it said in which it was set; the latest ones
	by    time.Duration  // how far it is ahead of our wall clock now
}

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
		c.first, c.last, c.base = received, received, e.At.Sub(received)
	}
	// Round(0) leaves our monotonic clock out, Sub uses it.
	ahead := e.At.Sub(c.first.Round(0)) - received.Sub(c.first)
	switch {
	case ahead > c.base+setAhead, ahead < c.base-setBack:
		set, was = ahead-c.base, true
		// It was set at some time since the last event: by the old clock, by the new.
		c.leaps = append(c.leaps[max(0, len(c.leaps)-98):], [2]time.Time{c.said, e.At.Add(-set)}, [2]time.Time{c.said.Add(set), e.At})
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

// leapt tells whether the PBX's clock was set while it said what lies between
// from and to, as far as is known since voipd runs.
func (c *pbxClock) leapt(from, to time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.leaps {
		if !l[0].After(to.Add(apart)) && !l[1].Before(from.Add(-apart)) {
			return true
		}
	}
	return false
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
func (d *Daemon) clockHealth(h *api.Health) {
	by := d.clock.ahead().Round(time.Second)
	if by.Abs() <= cmp.Or(d.opt.ClockApart, apart) {
		return
	}
	where := "ahead of"
	if by < 0 {
		where = "behind"
	}
	h.Warnings = append(h.Warnings, api.Warning{Code: "pbx-clock",
		Text: fmt.Sprintf("the PBX's clock is %s %s this machine's: records say the PBX's time; set both by NTP", by.Abs(), where)})
}
