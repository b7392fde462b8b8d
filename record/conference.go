package record

import (
	"sort"
	"time"
)

// This file follows conferences. Who was brought in through a Local channel that stays
// is in it, too: he talks to one half, and the other is the member.
//
// Each member is a call of its own, and talks as long as somebody else is there: so a
// fact about one call can begin or end a conversation of another. A replay of that
// other call alone has to know; that is what Accompanied and Alone are for.

// hearConference begins and ends the conversations of a conference's members.
func (m *Machine) hearConference(dst []Change, b *bridge, at time.Time) []Change {
	people := b.people()
	for _, ch := range people {
		if !m.accompany(b, people, ch, at) {
			if closeTalks(ch.call, at, func(t *talk) bool { return t.b == nil }) {
				m.aside(Alone, b, ch, "", at)
			}
			continue
		}
		dst = m.openConference(dst, ch, at)
	}
	return dst
}

// accompany tells whether somebody is in the conference with ch, and notes a
// channel of another call as its companion.
func (m *Machine) accompany(b *bridge, people []*channel, ch *channel, at time.Time) bool {
	var other *channel
	for _, o := range people {
		if o == ch {
			continue
		}
		if o.id == ch.companion || o.call == ch.call {
			return true
		}
		if other == nil {
			other = o
		}
	}
	if other != nil {
		ch.companion = other.id
		m.aside(Accompanied, b, ch, other.id, at)
		return true
	}
	if m.channels[ch.companion] != nil {
		ch.companion = ""
	}
	return ch.companion != "" // of an earlier run
}

// aside notes what the event under way is to the call of a channel in a
// conference.
func (m *Machine) aside(kind Kind, b *bridge, ch *channel, companion string, at time.Time) {
	if kind == Alone {
		ch.companion = ""
	}
	m.asides = append(m.asides, Event{At: at, Kind: kind, Source: ch.call.source, Channel: Channel{ID: ch.id, Linked: ch.linked, Name: ch.name},
		Peer: Channel{ID: companion}, Bridge: b.id})
}

// people are the parties in a conference: those in its bridge, and those who talk to
// the other half of a Local channel in it.
func (b *bridge) people() []*channel {
	var all []*channel
	for _, ch := range b.members {
		all = append(all, ch.people()...)
	}
	return all
}

// people are the parties for whom a member of a conference is there.
func (c *channel) people() []*channel {
	switch {
	case c.party():
		return []*channel{c}
	case c.half == nil || c.half.bridge == nil || c.half.bridge.kind != Mixing:
		return nil
	}
	var all []*channel
	for _, ch := range c.half.bridge.members {
		if ch.party() {
			all = append(all, ch)
		}
	}
	return all
}

// conference is the conference in which a channel is, by itself or through a Local
// channel; nil where there is none.
func (c *channel) conference() *bridge {
	if c.bridge == nil || c.bridge.kind == Conference {
		return c.bridge
	}
	for _, ch := range c.bridge.members {
		if ch.half != nil && ch.half.bridge != nil && ch.half.bridge.kind == Conference {
			return ch.half.bridge
		}
	}
	return nil
}

// leftConference ends the conversations of those who are no longer in a conference
// now that a channel has left a bridge.
func (m *Machine) leftConference(dst []Change, b *bridge, people []*channel, at time.Time) []Change {
	for _, ch := range people {
		if ch.conference() != b {
			closeTalks(ch.call, at, func(t *talk) bool { return t.b == nil && t.a == ch })
		}
	}
	return m.hearConference(dst, b, at)
}

// accompanied takes in what an aside says.
func (m *Machine) accompanied(dst []Change, e Event) []Change {
	ch := m.channels[e.Channel.ID]
	if ch == nil {
		return dst
	}
	b := ch.conference()
	if b == nil {
		return dst
	}
	m.about, ch.companion = ch, e.Peer.ID
	return m.hearConference(dst, b, e.At)
}

// companionLeft takes in that a channel left a bridge in which only its
// companions are known to be.
func (m *Machine) companionLeft(dst []Change, e Event) []Change {
	b := m.bridges[e.Bridge]
	if b == nil || b.kind != Conference || e.Kind != BridgeLeft {
		return dst
	}
	for _, ch := range b.people() {
		if ch.companion == e.Channel.ID {
			ch.companion = ""
		}
	}
	return m.hearConference(dst, b, e.At)
}

func (m *Machine) openConference(dst []Change, ch *channel, at time.Time) []Change {
	c := ch.call
	for _, t := range c.talks {
		if t.a != ch || t.b != nil {
			continue
		}
		if t.end.IsZero() || at.Sub(t.end) <= seam {
			t.end = time.Time{}
			return dst
		}
	}
	t := &talk{a: ch, start: at, aPhone: ch.phone(&m.rules), bPhone: c.conference, withExternal: ch.role == external}
	c.talks = append(c.talks, t)
	return m.tell(dst, c, Change{Kind: CallAnswered, At: at, Phone: t.aPhone, Other: t.bPhone})
}

// hearConferences goes through all conferences after a list of channels: who is
// not in it has left.
func (m *Machine) hearConferences(dst []Change, at time.Time) []Change {
	var all []*bridge
	for _, b := range m.bridges {
		if b.kind == Conference {
			all = append(all, b)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].id < all[j].id })
	for _, b := range all {
		for _, ch := range b.people() {
			ch.companion = ""
		}
		dst = m.hearConference(dst, b, at)
	}
	return dst
}
