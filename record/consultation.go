package record

import (
	"slices"
	"time"
)

// This file tells a consultation from a call.

// consulted joins an internal call with a younger one that has an external party:
// a customer calls while 109 talks to 102, and 109 joins the two. The internal call
// was the consultation, though it is the older. Its record ends here; whoever is
// still on the line goes on in the customer's call, together with recordings that run.
func (m *Machine) consulted(dst []Change, internal, customers *call, at time.Time) []Change {
	if by := internal.heldBy; by != nil {
		dst = m.holdEnded(dst, by, at)
	}
	internal.mergedInto = customers.id
	dst = append(dst, Change{Kind: CallMerged, At: at, CallID: internal.id, Other: customers.id, Quiet: !internal.told,
		Record: m.build(internal, at, true), Channels: internal.channelIDs()})
	for _, ch := range internal.members {
		if ch.alive() {
			ch.call = customers
			customers.members, customers.phones = append(customers.members, ch), nil
			if ch.standsFor == nil {
				customers.alive++
			}
		}
	}
	for _, t := range internal.recordings {
		if t.stopped.IsZero() {
			customers.recordings = append(customers.recordings, t)
		}
	}
	for _, why := range internal.approx {
		customers.approximate(why)
	}
	customers.absorbed = append(customers.absorbed, internal.absorbed...)
	if internal.told {
		customers.absorbed = append(customers.absorbed, internal.id)
	}
	for _, l := range internal.linked {
		m.linked[l] = customers
	}
	customers.linked = append(customers.linked, internal.linked...)
	delete(m.calls, internal.id)
	return m.hear(dst, customers, at)
}

// blindWithin is how soon after giving up a consultation its maker sends the held party
// to the same number, for the two to be one act: so do phones whose transfer key is
// pressed while the second line still rings. The PBX may tell either first.
const blindWithin = 2 * time.Second

// givenUp is a call that an operator gave up before anybody answered.
type givenUp struct {
	call, by, asked string
	at              time.Time
}

// sentOn is a blind transfer by an operator.
type sentOn struct {
	ch *channel
	to string
	at time.Time
}

// consultationOver takes in that a call is over, which may have been a consultation: of
// a blind transfer that was told before, and then it is part of that call, or of one
// that comes.
func (m *Machine) consultationOver(dst []Change, c *call) (out []Change, was bool) {
	m.givenUp = slices.DeleteFunc(m.givenUp, func(g givenUp) bool { return m.now.Sub(g.at) > blindWithin })
	o := c.origin
	if !c.cancelled || c.beganBy() != "operator" || len(c.talks) > 0 {
		return dst, false
	}
	asked, _ := m.rules.dialled(o.first)
	for _, s := range m.sentOn {
		if s.ch.ext == o.ext && s.to == asked && s.ch.call != c && c.last.Sub(s.at) <= blindWithin && m.calls[s.ch.call.id] == s.ch.call {
			into := s.ch.call
			if c.told {
				into.absorbed = append(into.absorbed, c.id)
			}
			into.absorbed = append(into.absorbed, c.absorbed...)
			for _, ch := range c.members {
				ch.call = into // the last fact belongs there as well
			}
			return append(dst, Change{Kind: CallMerged, At: c.last, CallID: c.id, Other: into.id, Quiet: !c.told}), true
		}
	}
	m.givenUp = append(m.givenUp, givenUp{c.id, o.ext, asked, c.last})
	return dst, false
}

// consultedBlindly finds the consultation that an operator gave up just before he
// sent the party he held to the same number: it is part of that call.
func (m *Machine) consultedBlindly(dst []Change, ch *channel, to string, at time.Time) []Change {
	m.sentOn = slices.DeleteFunc(m.sentOn, func(s sentOn) bool { return m.now.Sub(s.at) > blindWithin })
	if ch.role != operator {
		return dst
	}
	to, _ = m.rules.dialled(to)
	m.sentOn = append(m.sentOn, sentOn{ch, to, at})
	for i, g := range m.givenUp {
		if g.by != ch.ext || g.asked != to || g.call == ch.call.id || at.Sub(g.at) > blindWithin {
			continue
		}
		m.givenUp = slices.Delete(m.givenUp, i, i+1)
		ch.call.absorbed = append(ch.call.absorbed, g.call)
		m.asides = append(m.asides, Event{At: at, Kind: Consulted, Source: ch.call.source, Channel: channelOf(ch), Value: g.call})
		return append(dst, Change{Kind: CallMerged, At: at, CallID: g.call, Other: ch.call.id, Retracts: true})
	}
	return dst
}

// consultationTold takes in what an aside says of a call that is over.
func (m *Machine) consultationTold(e Event) {
	ch := m.channels[e.Channel.ID]
	if ch == nil || slices.Contains(ch.call.absorbed, e.Value) {
		return
	}
	m.about = ch
	ch.call.absorbed = append(ch.call.absorbed, e.Value)
}
