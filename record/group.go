package record

import (
	"sort"
	"time"
)

// This file implements record-rules, "Which channels are one call".

// relink follows a change of linkedid: Asterisk tells it by no event of its
// own, the next one of the channel simply carries the new id. It comes when
// bridges join calls, so the calls are one.
func (m *Machine) relink(dst []Change, ch *channel, linked string, at time.Time) []Change {
	ch.linked = linked
	other := m.linked[linked]
	if other == nil {
		m.linked[linked] = ch.call
		ch.call.linked = append(ch.call.linked, linked)
		return dst
	}
	return m.join(dst, ch.call, other, at, false)
}

// join makes two calls one (rule 3): the older keeps its id and goes on with
// everything the younger had. By relation (a dial, Local halves) they were one
// from the start; else a younger call with an external party of its own keeps
// its record, which ends here.
func (m *Machine) join(dst []Change, a, b *call, at time.Time, relation bool) []Change {
	if a == b || a == nil || b == nil {
		return dst
	}
	if older(b, a) {
		a, b = b, a
	}
	change := Change{Kind: CallMerged, At: at, CallID: b.id, Other: a.id, Quiet: !b.told}
	// A Local channel's halves are no call of their own; where linkedids are
	// told, theirs says whose they are.
	if !relation && hasExternal(a) && hasExternal(b) && !(b.bare && b.origin.role == helper) {
		b.mergedInto = a.id
		change.Record = m.build(b, at, true)
	}
	absorb(a, b)
	for _, ch := range b.members {
		ch.call = a
	}
	for _, l := range b.linked {
		m.linked[l] = a
	}
	delete(m.calls, b.id)
	dst = append(dst, change)
	return m.hear(dst, a, at)
}

// hasExternal tells whether a call has an external party of its own.
func hasExternal(c *call) bool {
	for _, ch := range c.members {
		if ch.role == external {
			return true
		}
	}
	return false
}

// absorb moves everything that the younger call b had into a.
func absorb(a, b *call) {
	a.members = append(a.members, b.members...)
	a.alive += b.alive
	a.linked = append(a.linked, b.linked...)
	a.attempts = append(a.attempts, b.attempts...)
	sort.SliceStable(a.attempts, func(i, j int) bool { return a.attempts[i].at.Before(a.attempts[j].at) })
	a.talks = append(a.talks, b.talks...)
	sort.SliceStable(a.talks, func(i, j int) bool { return a.talks[i].start.Before(a.talks[j].start) })
	a.tapes = append(a.tapes, b.tapes...)
	sort.SliceStable(a.tapes, func(i, j int) bool { return a.tapes[i].at.Before(a.tapes[j].at) })
	a.transfers = append(a.transfers, b.transfers...)
	a.held += b.held
	a.voicemail = a.voicemail || b.voicemail
	a.tried = a.tried || b.tried
	if b.last.After(a.last) {
		a.last = b.last
	}
	if a.queue == "" {
		a.queue, a.queueSince, a.queueWait, a.waiting = b.queue, b.queueSince, b.queueWait, b.waiting
	}
	if a.heldBy == nil {
		a.heldBy, a.heldSince = b.heldBy, b.heldSince
	}
	if b.told {
		a.absorbed = append(a.absorbed, b.id)
	}
	a.absorbed = append(a.absorbed, b.absorbed...)
	for _, why := range b.approx {
		a.approximate(why)
	}
}

// localJoined: the two halves of a Local channel are one way through the PBX.
func (m *Machine) localJoined(dst []Change, one *channel, e Event) []Change {
	two, dst := m.meet(dst, e, e.Peer)
	if two == nil || two == one {
		return dst
	}
	one.half, two.half = two, one
	dst = m.join(dst, one.call, two.call, e.At, true)
	return m.hear(dst, one.call, e.At)
}

// transferred notes a hand-over and joins the calls that it joins.
func (m *Machine) transferred(dst []Change, ch *channel, e Event) []Change {
	peer, dst := m.meet(dst, e, e.Peer)
	t := Transfer{By: ch.phone(&m.rules), At: e.At}
	switch e.Kind {
	case BlindTransferred:
		t.Kind, t.To = "blind", e.Exten
	case AttendedTransferred:
		t.Kind, t.To = "attended", m.transferTarget(ch, peer)
	case PickedUp:
		t.Kind = "pickup"
		if peer != nil {
			t.To = peer.phone(&m.rules) // from whose phone it was taken
		}
	}
	if peer != nil {
		dst = m.join(dst, ch.call, peer.call, e.At, false)
	}
	ch.call.transfers = append(ch.call.transfers, t)
	return m.tell(dst, ch.call, Change{Kind: CallTransferred, At: e.At, Phone: t.By, Other: t.To})
}

// transferTarget is the party that the transferer talked to, or rang, last.
func (m *Machine) transferTarget(by, second *channel) string {
	c := by.call
	if second != nil {
		c = second.call
	}
	for i := len(c.talks) - 1; i >= 0; i-- {
		t := c.talks[i]
		switch {
		case t.b == nil:
		case t.a == by || t.a == second:
			return t.bPhone
		case t.b == by || t.b == second:
			return t.aPhone
		}
	}
	if n := len(c.attempts); n > 0 {
		return c.attempts[n-1].phone
	}
	return ""
}

func (m *Machine) parked(dst []Change, ch *channel, e Event) []Change {
	t := Transfer{At: e.At, To: e.Value}
	switch e.Kind {
	case Parked:
		t.Kind = "park"
		_, _, t.By, _ = m.rules.classify(e.Key + "-")
	case Unparked:
		t.Kind = "unpark"
		taker, d := m.meet(dst, e, e.Peer)
		if dst = d; taker != nil {
			t.By = taker.phone(&m.rules)
			dst = m.join(dst, ch.call, taker.call, e.At, false)
		}
	case ParkTimedOut:
		t.Kind = "recall"
	case ParkAbandoned:
		return dst
	}
	c := ch.call
	c.transfers = append(c.transfers, t)
	return m.tell(dst, c, Change{Kind: CallTransferred, At: e.At, Phone: t.By, Other: t.To})
}

// hungUp ends a channel and, with its last channel, the call.
func (m *Machine) hungUp(dst []Change, e Event) []Change {
	ch := m.channels[e.Channel.ID]
	if ch == nil {
		return dst
	}
	m.about = ch
	if e.Channel.Linked != "" && e.Channel.Linked != ch.linked {
		dst = m.relink(dst, ch, e.Channel.Linked, e.At)
	}
	if ch.bridge != nil {
		dst = m.leave(dst, ch, e.At)
	}
	ch.cause = e.Cause
	if e.Tech != 0 {
		ch.tech = e.Tech
	}
	return m.remove(dst, ch, e.At)
}

// remove takes an ended channel out, and closes its call after the last one.
func (m *Machine) remove(dst []Change, ch *channel, at time.Time) []Change {
	c := ch.call
	ch.ended = at
	if c.last.Before(at) {
		c.last = at
	}
	if a := ch.rung; a != nil && a.ended.IsZero() {
		a.ended = at
	}
	if ch == c.heldBy {
		dst = m.holdEnded(dst, ch, at)
	}
	for _, t := range c.tapes {
		if t.ch == ch && t.stopped.IsZero() {
			t.stopped = at
		}
	}
	if ch == c.origin {
		m.queueLeft(c, at)
	}
	delete(m.channels, ch.id)
	m.ended[ch.id] = struct{}{}
	m.fading = append(m.fading, fading{ch.id, m.now})
	if c.alive--; c.alive > 0 {
		return dst
	}
	delete(m.calls, c.id)
	for _, l := range c.linked {
		delete(m.linked, l)
	}
	rec := m.build(c, c.last, true)
	return m.tell(dst, c, Change{Kind: CallEnded, At: c.last, Record: rec})
}
