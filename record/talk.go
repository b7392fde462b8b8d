package record

import "time"

// A conversation is two people who can hear each other, in one bridge or in bridges that Local channels join, and never
// in a holding bridge.

// seam is how short a silence between the same two parties is no end of their
// conversation: an optimised Local channel and an attended transfer take a
// party out of one bridge and put him into the next within a few ms.
const seam = 250 * time.Millisecond

func (m *Machine) bridgeEntered(dst []Change, ch *channel, e Event) []Change {
	if e.Bridge == "" {
		return dst
	}
	b := m.bridges[e.Bridge]
	if b != nil {
		dst = m.turn(dst, b, e.BridgeKind, e.At)
	}
	if b != nil && ch.bridge == b || ch.waits == e.Bridge {
		return dst
	}
	if ch.bridge != nil {
		dst = m.leave(dst, ch, e.At)
	}
	if e.Kind == BridgeEntered && e.Value != "" {
		ch.call.approximate(e.Value)
	}
	if ch == ch.call.agent {
		return m.agentEntered(dst, ch, e)
	}
	if b != nil {
		m.settles(b, ch, e.At)
	}
	if b = m.bridges[e.Bridge]; b == nil {
		b = &bridge{id: e.Bridge, kind: e.BridgeKind}
		m.bridges[b.id] = b
	}
	ch.bridge = b
	b.members = append(b.members, ch)
	switch b.kind {
	case Mixing:
		// rule 1: a bridge joins calls, even while their linkedids differ.
		for _, other := range b.members {
			dst = m.join(dst, ch.call, other.call, e.At, false)
		}
		dst = m.hear(m.agentMeets(dst, b, ch, e.At), ch.call, e.At)
		if conference := ch.conference(); conference != nil {
			return m.hearConference(dst, conference, e.At)
		}
		return dst
	case Conference:
		ch.call.service = "conference"
		return m.hearConference(dst, b, e.At)
	}
	return dst
}

// turn takes in that a bridge held for a mixing one is of another kind.
func (m *Machine) turn(dst []Change, b *bridge, kind BridgeKind, at time.Time) []Change {
	if b.kind != Mixing || kind == Mixing {
		return dst
	}
	b.kind = kind
	for _, ch := range b.members {
		dst = m.hear(dst, ch.call, at)
	}
	return dst
}

func (m *Machine) bridgeLeft(dst []Change, ch *channel, e Event) []Change {
	if ch.waits != "" && (e.Bridge == "" || e.Bridge == ch.waits) {
		return m.agentLeft(dst, ch, e.At)
	}
	if ch.bridge == nil && e.Bridge != "" && e.Bridge != ch.left {
		dst = m.companionLeft(dst, e)
		ch.call.approximate("who came into a bridge was not told")
		ch.left = e.Bridge
	}
	if ch.bridge == nil || (e.Bridge != "" && ch.bridge.id != e.Bridge) {
		return dst
	}
	return m.leave(dst, ch, e.At)
}

func (m *Machine) leave(dst []Change, ch *channel, at time.Time) []Change {
	b, conference, people := ch.bridge, ch.conference(), ch.people()
	if conference != nil && conference != b && !ch.party() {
		people = b.people() // who talked to this half
	}
	ch.bridge, ch.left = nil, b.id
	b.remove(ch)
	if len(b.members) == 0 {
		delete(m.bridges, b.id)
	}
	if conference != nil {
		dst = m.leftConference(dst, conference, people, at)
	}
	if b.kind == Conference {
		return dst
	}
	return m.hear(dst, ch.call, at)
}

// inBridge is the id of a party in a bridge; empty where there is none.
func (m *Machine) inBridge(id string) string {
	if b := m.bridges[id]; b != nil {
		for _, ch := range b.members {
			if ch.party() {
				return ch.id
			}
		}
	}
	return ""
}

// conferenceJoined tells the number of the conference that a channel is in.
func (m *Machine) conferenceJoined(dst []Change, ch *channel, e Event) []Change {
	c := ch.call
	c.service = "conference"
	if c.conference == "" {
		c.conference = m.conferenceNumber(ch, e)
	}
	if ch.bridge == nil && e.Bridge != "" && e.Bridge != ch.left {
		e.BridgeKind = Conference
		return m.bridgeEntered(dst, ch, e)
	}
	if ch.bridge != nil && ch.bridge.id == e.Bridge && ch.bridge.kind != Conference {
		dst = m.turn(dst, ch.bridge, Conference, e.At)
		return m.hearConference(dst, ch.bridge, e.At)
	}
	return dst
}

// conferenceNumber is the number by which a channel came to a conference: the one at
// which it stands, or stood before a room's own context took it in, or was dialled; the
// room's name where there is none. A caller from outside may have stood at a menu's.
func (m *Machine) conferenceNumber(ch *channel, e Event) string {
	numbers := [...]string{e.Exten, ch.stands, e.Value}
	if ch.role == external {
		numbers = [...]string{e.Exten, e.Value, ch.stands}
	}
	for _, number := range numbers {
		if m.internalNumber(number) {
			return number
		}
	}
	if o := ch.call.origin; o.role == operator && o.first != "" && o.first != "s" { // ch may be one whom Page rang
		number, _ := m.rules.dialled(o.first)
		return number
	}
	return e.Value
}

// hear begins and ends the conversations of a call after its bridges changed.
func (m *Machine) hear(dst []Change, c *call, at time.Time) []Change {
	var parties []*channel
	for _, ch := range c.members {
		if ch.alive() && ch.party() && ch.bridge != nil && ch.bridge.kind == Mixing {
			parties = append(parties, ch)
		}
	}
	closeTalks(c, at, func(t *talk) bool { return t.b != nil && !m.together(t.a, t.b) })
	for i, a := range parties {
		for _, b := range parties[i+1:] {
			if m.together(a, b) && !samePerson(a, b) {
				dst = m.openTalk(dst, c, a, b, at)
			}
		}
	}
	return dst
}

// samePerson: two devices of one operator are one person.
func samePerson(a, b *channel) bool {
	return a.role == operator && b.role == operator && a.ext == b.ext
}

// together tells whether two channels hear each other.
func (m *Machine) together(a, b *channel) bool {
	if a.bridge == nil || b.bridge == nil || a.bridge.kind != Mixing {
		return false
	}
	m.walk++
	return m.reaches(a.bridge, b.bridge)
}

func (m *Machine) reaches(from, to *bridge) bool {
	if from == to {
		return true
	}
	from.visited = m.walk
	for _, ch := range from.members {
		if ch.half == nil || ch.half.bridge == nil {
			continue
		}
		next := ch.half.bridge
		if next.kind == Mixing && next.visited != m.walk && m.reaches(next, to) {
			return true
		}
	}
	return false
}

func (m *Machine) openTalk(dst []Change, c *call, a, b *channel, at time.Time) []Change {
	first := true
	for _, t := range c.talks {
		if (t.a != a || t.b != b) && (t.a != b || t.b != a) {
			continue
		}
		if t.end.IsZero() {
			return dst
		}
		if at.Sub(t.end) <= seam {
			t.end = time.Time{}
			return dst
		}
		first = false
	}
	t := &talk{a: a, b: b, start: at, aPhone: a.phone(&m.rules), bPhone: b.phone(&m.rules),
		withExternal: a.role == external || b.role == external}
	c.talks = append(c.talks, t)
	c.hungUpBy = nil   // who leaves a transferred call does not end it
	m.queueLeft(c, at) // ARI has no event for leaving a queue
	if !first {
		return dst
	}
	phone, other := t.aPhone, t.bPhone
	if a.role == external && b.role == operator {
		phone, other = other, phone
	}
	return m.tell(dst, c, Change{Kind: CallAnswered, At: at, Phone: phone, Other: other})
}

// closeTalks ends the open conversations that over picks, and tells whether
// there was one.
func closeTalks(c *call, at time.Time, over func(*talk) bool) (closed bool) {
	for _, t := range c.talks {
		if t.end.IsZero() && over(t) {
			t.end = at
			if t.end.Before(t.start) {
				t.end = t.start
			}
			closed = true
		}
	}
	return closed
}

func (m *Machine) holdBegan(dst []Change, ch *channel, at time.Time) []Change {
	c := ch.call
	if c.heldBy != nil {
		return dst
	}
	c.heldBy, c.heldSince = ch, at
	return m.tell(dst, c, Change{Kind: CallHeld, At: at, Phone: ch.phone(&m.rules)})
}

func (m *Machine) holdEnded(dst []Change, ch *channel, at time.Time) []Change {
	c := ch.call
	if c.heldBy != ch {
		return dst
	}
	if d := at.Sub(c.heldSince); d > 0 {
		c.held += d
	}
	c.heldBy = nil
	return m.tell(dst, c, Change{Kind: CallResumed, At: at, Phone: ch.phone(&m.rules)})
}
