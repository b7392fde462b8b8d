package record

import (
	"sort"
	"strings"
	"time"
)

// This file decides which channels are one call.

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
	if a == b || a == nil || b == nil || a.agent != nil || b.agent != nil {
		return dst
	}
	if older(b, a) {
		a, b = b, a
	}
	if !relation && !hasExternal(a) && hasExternal(b) && b.beganBy() != "pbx" {
		return m.consulted(dst, a, b, at)
	}
	change := Change{Kind: CallMerged, At: at, CallID: b.id, Other: a.id, Quiet: !b.told}
	// A Local channel's halves are no call of their own; where linkedids are
	// told, theirs says whose they are.
	if !relation && hasExternal(a) && hasExternal(b) && !(b.bare && b.origin.role == helper) {
		b.mergedInto = a.id
		change.Record, change.Channels = m.build(b, at, true), b.channelIDs()
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
	return c.dropped.external
}

// absorb moves everything that the younger call b had into a.
func absorb(a, b *call) {
	a.members, a.phones = append(a.members, b.members...), nil
	a.alive += b.alive
	a.linked = append(a.linked, b.linked...)
	a.attempts = append(a.attempts, b.attempts...)
	sort.SliceStable(a.attempts, func(i, j int) bool { return a.attempts[i].at.Before(a.attempts[j].at) })
	a.dropped.absorb(b.dropped)
	a.gone = append(a.gone, b.gone...)
	a.talks = append(a.talks, b.talks...)
	sort.SliceStable(a.talks, func(i, j int) bool { return a.talks[i].start.Before(a.talks[j].start) })
	a.recordings = append(a.recordings, b.recordings...)
	sort.SliceStable(a.recordings, func(i, j int) bool { return a.recordings[i].at.Before(a.recordings[j].at) })
	a.transfers = append(a.transfers, b.transfers...)
	for _, number := range b.services {
		a.serves(number)
	}
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
	return m.halve(dst, one, two, e.At)
}

func (m *Machine) halve(dst []Change, one, two *channel, at time.Time) []Change {
	one.half, two.half = two, one
	first, second := one, two // the PBX makes ;1 first; without linkedids nothing else tells
	if strings.HasSuffix(two.name, ";1") {
		first, second = two, one
	}
	if c, theirs := first.call, second.call; c.bare && theirs.bare && c.origin == first && theirs.origin == second && older(theirs, c) {
		c.began, c.seq = theirs.began, theirs.seq-1 // its Created was lost
	}
	dst = m.join(dst, one.call, two.call, at, true)
	if c := one.call; c.bare && (c.origin == one || c.origin == two) {
		c.origin = first
	}
	return m.hear(dst, one.call, at)
}

// pairHalves finds the other half of a new Local channel by its name, which is
// all that ARI, CEL and CDR tell: ;1 and ;2 of one name are one channel.
func (m *Machine) pairHalves(dst []Change, ch *channel, at time.Time) []Change {
	name := localName(ch.name)
	if name == "" || ch.half != nil {
		return dst
	}
	other := m.halves[name]
	if other == nil || other == ch {
		m.halves[name] = ch
		return dst
	}
	delete(m.halves, name)
	return m.halve(dst, ch, other, at)
}

// localName is a Local channel's name without its half; empty for another one.
func localName(name string) string {
	if n := len(name) - 2; n > 0 && name[n] == ';' && strings.HasPrefix(name, "Local/") {
		return name[:n]
	}
	return ""
}

// transferred notes a hand-over and joins the calls that it joins.
func (m *Machine) transferred(dst []Change, ch *channel, e Event) []Change {
	peer, dst := m.meet(dst, e, e.Peer)
	t := Transfer{By: ch.phone(&m.rules), At: e.At}
	switch e.Kind {
	case BlindTransferred:
		t.Kind, t.To = "blind", e.Exten
		dst = m.consultedBlindly(dst, ch, e.Exten, e.At)
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
	if o := ch.call.origin; t.Kind == "attended" && o != ch && o != peer && t.To == o.phone(&m.rules) {
		if to := ch.call.talksWith(o); to != t.By && to != "" {
			t.To = to // who began the call is the one handed over
		}
	}
	ch.call.transfers = append(ch.call.transfers, t)
	return m.tell(dst, ch.call, Change{Kind: CallTransferred, At: e.At, Phone: t.By, Other: t.To})
}

// recalled finds the call to which a new channel belongs, if the PBX rings the
// operator of an attended transfer again because his target did not answer: it
// shares no linkedid, dial or bridge with the call until he answers. What tells
// is that his first channel, which has left every bridge, is kept until then.
func (m *Machine) recalled(dst []Change, ch *channel, at time.Time) (*call, []Change) {
	if ch.role != operator {
		return nil, dst
	}
	c := m.operators.oldest(ch.ext, func(c *call) bool { return c.agent == nil && c.awaits(ch.ext) })
	if c == nil {
		return nil, dst
	}
	c.linked = append(c.linked, ch.linked)
	m.linked[ch.linked] = c
	c.transfers = append(c.transfers, Transfer{Kind: "recall", At: at, To: ch.ext})
	return c, m.tell(dst, c, Change{Kind: CallTransferred, At: at, Other: ch.ext})
}

// awaits tells whether the operator at ext handed the call over to somebody who
// has not answered yet: he has hung up, or transferred it, and hears nobody, but
// his channel is still there.
func (c *call) awaits(ext string) bool {
	for _, ch := range c.members {
		alone := ch.bridge == nil || len(ch.bridge.members) == 1
		if ch.role == operator && ch.ext == ext && ch.alive() && !ch.up.IsZero() && alone && (ch.wantsDown && c.rangSince(ch.up) || c.handedOver(ext)) {
			return true
		}
	}
	return false
}

// rangSince tells whether somebody was rung after that: else whoever hangs up ends
// his call, and asked for nobody.
func (c *call) rangSince(at time.Time) bool {
	for _, a := range c.attempts {
		if a.at.After(at) {
			return true
		}
	}
	return false
}

func (c *call) handedOver(ext string) bool {
	for _, t := range c.transfers {
		if t.Kind == "attended" && t.By == ext {
			return true
		}
	}
	return false
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

// talksWith is the phone of the party that ch talks to, or talked to last.
func (c *call) talksWith(ch *channel) string {
	for i := len(c.talks) - 1; i >= 0; i-- {
		switch t := c.talks[i]; {
		case t.b == nil:
		case t.a == ch:
			return t.bPhone
		case t.b == ch:
			return t.aPhone
		}
	}
	return ""
}

func (m *Machine) parked(dst []Change, ch *channel, e Event) []Change {
	t := Transfer{At: e.At, To: e.Value}
	switch e.Kind {
	case Parked:
		t.Kind = "park"
		t.By = m.rules.classify(e.Key+"-", shown{}).ext
		if ch.bridge != nil && ch.bridge.kind == Mixing {
			dst = m.leave(dst, ch, e.At)
		}
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
	dst = m.agentLeft(dst, ch, e.At)
	if ch.rang {
		m.rangUntold(ch) // an originated phone that does not answer has no DialEnded
	}
	if e.Value != "" {
		ch.call.approximate(e.Value)
	}
	ch.cause = e.Cause
	return m.remove(dst, ch, e.At)
}

// remove takes an ended channel out, and closes its call after the last one.
func (m *Machine) remove(dst []Change, ch *channel, at time.Time) []Change {
	c := ch.call
	ch.ended = at
	if c.last.Before(at) {
		c.last = at
	}
	if a := ch.rung; a != nil {
		if a.ended.IsZero() {
			a.ended = at
		}
		dst = m.stopped(dst, a)
	}
	if ch == c.heldBy {
		dst = m.holdEnded(dst, ch, at)
	}
	for _, t := range c.recordings {
		if t.ch == ch && t.stopped.IsZero() {
			t.stopped = at
		}
	}
	if ch == c.origin {
		m.queueLeft(c, at)
	}
	delete(m.channels, ch.id)
	m.origins.remove(device(ch.name), ch)
	m.operators.remove(ch.ext, ch)
	m.pagingEnded(ch)
	if name := localName(ch.name); name != "" && m.halves[name] == ch {
		delete(m.halves, name)
	}
	m.ended[ch.id] = struct{}{}
	m.fading = append(m.fading, fading{ch.id, m.now})
	c.endUntold(ch)
	c.ringingEndUntold(ch.rung)
	c.recordingUntold(ch)
	c.dropRingings()
	if len(c.gone) >= compactEvery {
		m.compact = c
	}
	if c.alive--; c.alive > 0 {
		return dst
	}
	dst = m.sendAgentsBack(dst, c, at)
	delete(m.calls, c.id)
	for _, l := range c.linked {
		if m.linked[l] == c { // an agent may have had that of a customer's channel
			delete(m.linked, l)
		}
	}
	m.awaitClaim(c)
	if d, was := m.consultationOver(dst, c); was {
		return d
	}
	rec := m.build(c, c.last, true)
	return m.tell(dst, c, Change{Kind: CallEnded, At: c.last, Record: rec, Channels: c.channelIDs()})
}

func (c *call) channelIDs() []string {
	ids := make([]string, 0, len(c.members))
	for _, ch := range c.members {
		if ch.standsFor == nil {
			ids = append(ids, ch.id)
		}
	}
	return ids
}
