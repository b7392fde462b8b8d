package record

import (
	"sort"
	"time"
)

// This file follows conferences. Each member is a call of its own, and talks as
// long as somebody else is there: so a fact about one call can begin or end a
// conversation of another. A replay of that other call alone has to know; that is
// what Accompanied and Alone are for.

// hearConference begins and ends the conversations of a conference's members.
func (m *Machine) hearConference(dst []Change, b *bridge, at time.Time) []Change {
	for _, ch := range b.members {
		if !ch.party() {
			continue
		}
		if !m.accompany(b, ch, at) {
			if closeTalks(ch.call, at, func(t *talk) bool { return t.b == nil }) {
				m.aside(Alone, ch, "", at)
			}
			continue
		}
		dst = m.openConference(dst, ch, at)
	}
	return dst
}

// accompany tells whether somebody is in the conference with ch, and notes a
// channel of another call as its companion.
func (m *Machine) accompany(b *bridge, ch *channel, at time.Time) bool {
	var other *channel
	for _, o := range b.members {
		if o == ch || !o.party() {
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
		m.aside(Accompanied, ch, other.id, at)
		return true
	}
	if m.channels[ch.companion] != nil {
		ch.companion = ""
	}
	return ch.companion != "" // of an earlier run
}

// aside notes what the event under way is to the call of a channel in a
// conference.
func (m *Machine) aside(kind Kind, ch *channel, companion string, at time.Time) {
	if kind == Alone {
		ch.companion = ""
	}
	m.asides = append(m.asides, Event{At: at, Kind: kind, Source: ch.call.source, Channel: Channel{ID: ch.id, Linked: ch.linked, Name: ch.name},
		Peer: Channel{ID: companion}, Bridge: ch.bridge.id})
}

// accompanied takes in what an aside says.
func (m *Machine) accompanied(dst []Change, e Event) []Change {
	ch := m.channels[e.Channel.ID]
	if ch == nil || ch.bridge == nil || ch.bridge.kind != Conference {
		return dst
	}
	m.about, ch.companion = ch, e.Peer.ID
	return m.hearConference(dst, ch.bridge, e.At)
}

// companionLeft takes in that a channel left a bridge in which only its
// companions are known to be.
func (m *Machine) companionLeft(dst []Change, e Event) []Change {
	b := m.bridges[e.Bridge]
	if b == nil || b.kind != Conference || e.Kind != BridgeLeft {
		return dst
	}
	for _, ch := range b.members {
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
		for _, ch := range b.members {
			ch.companion = ""
		}
		dst = m.hearConference(dst, b, at)
	}
	return dst
}
