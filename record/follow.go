package record

import "strings"

// This file follows where a channel stands in the dialplan.

// follow takes what every fact says of where a channel stands.
func (m *Machine) follow(ch *channel, e Event) {
	if e.Exten != "" {
		ch.exten = e.Exten
		if m.internalNumber(e.Exten) {
			ch.stands = e.Exten
		}
		m.askedFor(ch, e.Exten)
	}
	if e.State == Up && ch.up.IsZero() {
		ch.up = e.At // every fact about a channel says its state
	}
	switch e.Kind {
	case Created, StateChanged, ChannelPresent:
		ch.state = e.State
		if e.State == Ring && (ch.born == Down || ch.born == Reserved || ch.born == OffHook) {
			ch.born = Ring // chan_sip makes a caller's channel before it is one; an analog phone is off hook before it dials
		}
		ch.rang = ch.rang || e.State == Ringing
		if e.Kind == ChannelPresent && strings.EqualFold(e.Key, agentLogin) {
			m.agentRuns(ch, agentLogin)
		}
	case Identified:
		if ch.shown == "" {
			ch.shown = e.Number
		}
		if a := ch.rung; a != nil && a.phone == Anonymous {
			a.phone = ch.phone(&m.rules)
		}
		m.callerIDLate(ch, e.Number)
		m.dialledLate(ch, e)
	}
}

// dialledLate takes the number outside that was rung from its caller ID, where no
// row of CEL has a dial string. That of one whom the PBX rang first is what it
// shows him.
func (m *Machine) dialledLate(ch *channel, e Event) {
	if e.Source != SourceCEL || ch.rung == nil || !ch.rung.dialled || ch.role != external || ch.dialled != "" || withheld(e.Number) {
		return
	}
	ch.dialled = e.Number
	ch.rung.phone = ch.phone(&m.rules)
}

// callerIDLate takes the number of a caller from outside who had none at first: an
// analog line tells it between two rings, behind the channel.
func (m *Machine) callerIDLate(ch *channel, number string) {
	c := ch.call
	if ch != c.origin || ch.role != external || ch.born == Down || ch.number != "" || len(c.attempts) > 0 || withheld(number) {
		return
	}
	if _, inside := m.rules.extension(number); !inside {
		ch.number = number
	}
}

// askedFor notes which extension or service the origin has come to, as long as
// nobody was rung for it.
func (m *Machine) askedFor(ch *channel, exten string) {
	c := ch.call
	if ch != c.origin || ch.role == helper {
		return
	}
	if ch.first == "" || ch.first == "s" {
		ch.first = exten
	}
	inside := c.source == SourceCDR && m.internalNumber(exten) // CDR has the number that it came to, not the one dialled
	if c.did == "" && ch.role == external && ch.born != Down && exten != "s" && !inside {
		c.did = exten
	}
	for _, a := range c.attempts {
		if a.ch != ch {
			return
		}
	}
	if len(c.talks) > 0 {
		return
	}
	if exten != c.did && exten != c.asked && m.internalNumber(exten) {
		c.asked = exten
	}
}

// internalNumber tells whether exten can be an extension's or a service's
// number: two to six digits, perhaps behind a star. Menu keys, "s", "i", "t"
// and outside numbers are not.
func (m *Machine) internalNumber(exten string) bool {
	if _, is := m.rules.extension(exten); is {
		return true
	}
	return ShortNumber(strings.TrimLeft(exten, "*#"))
}
