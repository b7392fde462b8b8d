package record

import (
	"strings"
	"time"
)

// This file follows calls that the PBX begins: for whom it rang its first
// channel (decide.go: direction, srcPhone).

// order is for whom a channel will be made, and when that was said.
type order struct {
	at    time.Time
	exten string
}

// originated: the PBX tells what became of a call that it began. A failed one
// names no channel id, only "PJSIP/101": it is the oldest call that the PBX
// began there and that has not been claimed.
func (m *Machine) originated(dst []Change, e Event) []Change {
	ch := m.channels[e.Channel.ID]
	if ch == nil && e.Channel.ID == "" {
		if c := m.lateClaim(e); c != nil {
			return append(dst, Change{Kind: RecordRevised, At: e.At, CallID: c.id, Record: m.build(c, c.last, true)})
		}
		ch = m.unclaimed(e.Channel.Name)
	}
	if ch == nil {
		m.order(e)
		return dst
	}
	c := ch.call
	if ch == c.origin || c.origin.role == helper {
		c.byPBX = true
		if e.Exten != "" && c.pbxAsked == "" {
			c.pbxAsked = e.Exten
		}
	}
	return dst
}

// orderFor is how long an order for a call is remembered until its channel is
// there: the PBX makes it at once, or never.
const orderFor = 10 * time.Second

// order remembers for whom a channel will be made.
func (m *Machine) order(e Event) {
	if _, over := m.ended[e.Channel.ID]; over || e.Channel.ID == "" || e.Source != SourceClock {
		return
	}
	for id, o := range m.ordered {
		if e.At.Sub(o.at) > orderFor {
			delete(m.ordered, id)
		}
	}
	m.ordered[e.Channel.ID] = order{e.At, e.Exten}
}

func (m *Machine) unclaimed(name string) *channel {
	c := m.devices.oldest(dialledDevice(name), func(c *call) bool { return c.unclaimed(name) && c.origin.alive() })
	if c == nil {
		return nil
	}
	return c.origin
}

// unclaimed tells whether the PBX began a call at the channel that an
// OriginateResponse names, and has not said whom it was for.
func (c *call) unclaimed(name string) bool {
	return c.beganBy() == "pbx" && c.pbxAsked == "" && device(c.origin.name) == dialledDevice(name)
}

// dialledDevice is the device of the channel that a dial string makes: dialled
// as PJSIP/NUMBER@TRUNK, the channel is PJSIP/TRUNK-….
func dialledDevice(dialled string) string {
	if number, endpoint, ok := strings.Cut(dialled, "@"); ok && strings.HasPrefix(number, "PJSIP/") {
		return "PJSIP/" + endpoint
	}
	return dialled
}

// lateFor is how long after the end of a call that the PBX began its
// OriginateResponse may come: it was seen 0.1 ms behind the Hangup.
const lateFor = 2 * time.Second

// lateClaim finds the ended call that a failed originate's answer is about,
// and lets it have the number.
func (m *Machine) lateClaim(e Event) *call {
	for i, c := range m.unanswered {
		if e.Exten != "" && e.At.Sub(c.last) <= lateFor && c.unclaimed(e.Channel.Name) {
			c.pbxAsked = e.Exten
			m.unanswered = append(m.unanswered[:i], m.unanswered[i+1:]...)
			return c
		}
	}
	return nil
}

// awaitClaim keeps an ended call for its late OriginateResponse.
func (m *Machine) awaitClaim(c *call) {
	for len(m.unanswered) > 0 && m.now.Sub(m.unanswered[0].last) > lateFor {
		m.unanswered = m.unanswered[1:]
	}
	if c.source == SourceAMI && c.beganBy() == "pbx" && c.pbxAsked == "" && c.origin.up.IsZero() {
		m.unanswered = append(m.unanswered, c)
	}
}
