package record

import (
	"slices"
	"time"
)

// This file follows agents who are logged in: an operator whose line stands for hours
// while customers are given to him (AgentLogin and AgentRequest, or a bridge in which
// he waits). His own call is one to a service. In a customer's call a stand-in takes
// the place of his channel, so that neither call goes into the other.
//
// Where his channel is in a customer's bridge is a fact of his own call, too. What it
// is to the customer's, for a replay of that call alone, is what Lent and Returned are
// for.

// logsIn notes that the party on a channel waits there for customers.
func (m *Machine) logsIn(ch *channel) {
	c, b := ch.call, ch.bridge
	if !ch.party() || ch.id != c.id || ch != c.origin || c.alive != 1 || b != nil && b.kind == Mixing && len(b.members) > 1 {
		return
	}
	c.agent, c.service = ch, "agent"
	if b != nil && b.kind == Mixing {
		ch.bridge, ch.left, ch.waits = nil, b.id, b.id
		m.waiting[b.id] = ch
		delete(m.bridges, b.id)
	}
}

// agentRuns takes in which application a channel runs: with another one, an agent
// has logged out.
func (m *Machine) agentRuns(ch *channel, app string) {
	switch {
	case app == agentLogin:
		m.logsIn(ch)
	case ch == ch.call.agent && ch.waits == "":
		ch.call.agent = nil
	}
}

// agentLogin is the application, in lower case, by which an agent logs in.
const agentLogin = "agentlogin"

// customers tells which facts about an agent's channel are the customer's call's
// alone.
func customers(k Kind) bool {
	switch k {
	case BlindTransferred, AttendedTransferred, PickedUp, Parked, Held, Resumed:
		return true
	}
	return false
}

// aboutUnknown applies a fact about a channel that is not known: of an agent, of whose
// own call nothing is, it may be about the customer's.
func (m *Machine) aboutUnknown(dst []Change, e Event) []Change {
	s := m.standIns[e.Channel.ID]
	switch {
	case s == nil:
		return m.companionLeft(dst, e)
	case customers(e.Kind):
		m.about = s
		return m.applyTo(dst, s, e)
	}
	return dst
}

// agentEntered takes in that an agent came into a bridge. In a mixing one there is a
// customer, or there will be.
func (m *Machine) agentEntered(dst []Change, ch *channel, e Event) []Change {
	if ch.waits != "" {
		dst = m.agentLeft(dst, ch, e.At)
	}
	b := m.bridges[e.Bridge]
	if e.BridgeKind != Mixing || b != nil && b.kind != Mixing {
		return dst // he is in nobody's call
	}
	ch.waits, ch.left = e.Bridge, e.Bridge
	m.waiting[e.Bridge] = ch
	if b != nil {
		for _, other := range b.members {
			if other.standsFor == nil {
				return m.lend(dst, ch, other, b, e.At)
			}
		}
	}
	return dst
}

// settles takes in that somebody comes to the only one in a bridge, which may show
// that that one waits there for customers.
func (m *Machine) settles(b *bridge, customer *channel, at time.Time) {
	if b.kind != Mixing || len(b.members) != 1 || !m.standing(b.members[0], customer) {
		return
	}
	agent := b.members[0]
	m.logsIn(agent)
	m.asides = append(m.asides, Event{At: at, Kind: Executed, Source: agent.call.source, Channel: channelOf(agent), Key: agentLogin})
}

// agentMeets gives an agent who waits in a bridge to the channel that came into it.
func (m *Machine) agentMeets(dst []Change, b *bridge, ch *channel, at time.Time) []Change {
	if agent := m.waiting[b.id]; agent != nil && agent.lent == nil && agent.call != ch.call {
		return m.lend(dst, agent, ch, b, at)
	}
	return dst
}

// standing tells whether somebody who is alone in a bridge waits there for customers:
// he came by himself, asked for nobody, and a customer who called later is put to
// him.
func (m *Machine) standing(who, customer *channel) bool {
	c, theirs := who.call, customer.call
	return who.role == operator && who == c.origin && c.alive == 1 && !c.tried && !c.rangAnother() && len(c.talks) == 0 && c.queue == "" &&
		older(c, theirs) && theirs.agent == nil && theirs.beganBy() == "external" && customer.role != operator
}

// lend puts a stand-in for the agent into a customer's call.
func (m *Machine) lend(dst []Change, agent, customer *channel, b *bridge, at time.Time) []Change {
	s := m.standIn(agent, customer.call, b, at)
	agent.lent = s
	m.asides = append(m.asides, Event{At: at, Kind: Lent, Source: customer.call.source, Channel: channelOf(customer),
		Peer: Channel{ID: agent.id, Linked: agent.call.id, Name: agent.name, Class: agent.shownAs}, Bridge: b.id})
	return m.hear(dst, s.call, at)
}

func (m *Machine) standIn(agent *channel, c *call, b *bridge, at time.Time) *channel {
	s := &channel{id: agent.id, linked: agent.linked, name: agent.name, role: agent.role, endpoint: agent.endpoint, ext: agent.ext, number: agent.number,
		call: c, state: Up, born: Ring, began: at, up: at, bridge: b, standsFor: agent}
	b.members = append(b.members, s)
	c.members, c.phones = append(c.members, s), nil
	m.standIns[agent.id] = s
	return s
}

// agentLeft takes in that an agent left the bridge in which he waited, or his
// customer's.
func (m *Machine) agentLeft(dst []Change, agent *channel, at time.Time) []Change {
	if m.waiting[agent.waits] == agent {
		delete(m.waiting, agent.waits)
	}
	agent.waits = ""
	s := agent.lent
	if s == nil {
		return dst
	}
	how := ""
	if agent.wantsDown {
		how = hungUp
	}
	for _, ch := range s.call.members {
		if ch.alive() && ch.standsFor == nil {
			m.asides = append(m.asides, Event{At: at, Kind: Returned, Source: s.call.source, Channel: channelOf(ch), Peer: Channel{ID: agent.id}, Value: how})
			break
		}
	}
	return m.standInLeft(dst, s, at)
}

// hungUp is the Value of Returned where the agent hung up.
const hungUp = "hung up"

// standInLeft ends a stand-in.
func (m *Machine) standInLeft(dst []Change, s *channel, at time.Time) []Change {
	if s.bridge != nil {
		dst = m.leave(dst, s, at)
	}
	if s == s.call.heldBy {
		dst = m.holdEnded(dst, s, at)
	}
	s.ended, s.standsFor.lent = at, nil
	delete(m.standIns, s.id)
	return dst
}

// sendAgentsBack ends the stand-ins of a call that is over.
func (m *Machine) sendAgentsBack(dst []Change, c *call, at time.Time) []Change {
	for _, ch := range slices.Clone(c.members) {
		if ch.standsFor != nil && ch.alive() {
			dst = m.standInLeft(dst, ch, at)
		}
	}
	return dst
}

// asideTold takes in what an aside says.
func (m *Machine) asideTold(dst []Change, e Event) []Change {
	switch e.Kind {
	case Accompanied, Alone:
		return m.accompanied(dst, e)
	case Consulted:
		m.consultationTold(e)
		return dst
	}
	return m.lentOrReturned(dst, e)
}

// lentOrReturned takes in what an aside says: of an agent of whom nothing else is
// known here.
func (m *Machine) lentOrReturned(dst []Change, e Event) []Change {
	ch := m.channels[e.Channel.ID]
	s := m.standIns[e.Peer.ID]
	if ch == nil || (s != nil) != (e.Kind == Returned) || m.channels[e.Peer.ID] != nil {
		return dst
	}
	m.about = ch
	if e.Kind == Returned {
		if e.Value == hungUp {
			m.hangupRequested(s, e.Cause)
		}
		return m.standInLeft(dst, s, e.At)
	}
	b := m.bridges[e.Bridge]
	if b == nil || b.kind != Mixing || ch.bridge != b {
		return dst
	}
	m.agents[e.Peer.Linked] = true
	is := m.rules.classify(e.Peer.Name, shown{class: e.Peer.Class})
	agent := &channel{id: e.Peer.ID, linked: e.Peer.Linked, name: e.Peer.Name, role: is.role, endpoint: is.endpoint, ext: is.ext}
	agent.lent = m.standIn(agent, ch.call, b, e.At)
	return m.hear(dst, ch.call, e.At)
}

func channelOf(ch *channel) Channel {
	return Channel{ID: ch.id, Linked: ch.linked, Name: ch.name, Class: ch.shownAs}
}
