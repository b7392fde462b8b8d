package record

import "time"

// clockSet takes in that the PBX's wall clock was set, by hand, by NTP or by a
// time zone that was no zone: what happened before is from now on told by the
// new clock, so that times that lie on both sides of it can be compared. Told
// again, it changes nothing.
func (m *Machine) clockSet(e Event) {
	if e.At.Equal(m.clock) {
		return
	}
	m.clock = e.At
	shift(e.Age, &m.now)
	for i := range m.fading[m.faded:] {
		shift(e.Age, &m.fading[m.faded+i].at)
	}
	for id, o := range m.ordered {
		o.at = o.at.Add(e.Age)
		m.ordered[id] = o
	}
	for _, c := range m.unanswered {
		c.shift(e.Age)
	}
	for _, c := range m.calls {
		c.shift(e.Age)
	}
}

func (c *call) shift(by time.Duration) {
	shift(by, &c.began, &c.last, &c.queueSince, &c.heldSince, &c.dropped.reached)
	for _, ch := range c.members {
		shift(by, &ch.began, &ch.up, &ch.ended, &ch.gaveUp)
	}
	for _, a := range c.attempts {
		shift(by, &a.at, &a.ended)
	}
	for _, t := range c.talks {
		shift(by, &t.start, &t.end)
	}
	for _, t := range c.recordings {
		shift(by, &t.at, &t.stopped)
	}
	for i := range c.transfers {
		shift(by, &c.transfers[i].At)
	}
}

// shift moves those times that are known.
func shift(by time.Duration, times ...*time.Time) {
	for _, t := range times {
		if !t.IsZero() {
			*t = t.Add(by)
		}
	}
}
