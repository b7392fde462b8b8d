package record

import (
	"slices"
	"strings"
	"time"
)

// This file follows calls that the PBX begins: for whom it rang its first
// channel (decide.go: direction, srcPhone).

// order is for whom a channel will be made, and when that was said.
type order struct {
	at       time.Time
	operator string // whose phone is rung first
	exten    string
}

// originated: the PBX tells what became of a call that it began. A failed one
// names no channel id, only "PJSIP/101": it is the oldest call that the PBX
// began there and that has not been claimed.
func (m *Machine) originated(dst []Change, e Event) []Change {
	if o, ordered := m.ordered[e.Key]; ordered && e.Value == orderFailed {
		return m.endOrder(dst, e.Key, o, e)
	}
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

// orderFailed is what an Originated fact's Value says where no channel was made,
// or none that answered.
const orderFailed = "Failure"

// orderFor is how long an order waits for its channel or for the PBX's word that
// it failed: the PBX makes the channel at once.
const orderFor = 30 * time.Second

// order remembers for whom a channel will be made.
func (m *Machine) order(e Event) {
	if _, over := m.ended[e.Channel.ID]; over || e.Channel.ID == "" || e.Source != SourceClock {
		return
	}
	m.ordered[e.Channel.ID] = order{e.At, e.Number, e.Exten}
	m.aboutOrder = e.Channel.ID
}

// expireOrders ends the orders of which nothing was heard.
func (m *Machine) expireOrders(dst []Change) []Change {
	var old []string
	for id, o := range m.ordered {
		if m.now.Sub(o.at) > orderFor {
			old = append(old, id)
		}
	}
	slices.Sort(old)
	for _, id := range old {
		o := m.ordered[id]
		dst = m.endOrder(dst, id, o, Event{At: o.at.Add(orderFor), Source: SourceClock})
	}
	return dst
}

// endOrder makes the record of a call that voipd ordered and for which the PBX
// made no channel.
func (m *Machine) endOrder(dst []Change, id string, o order, e Event) []Change {
	source := e.Source
	if source == SourceClock {
		source = m.interfaceInUse()
	}
	who := Channel{ID: id, Linked: id, Name: "PJSIP/" + o.operator + "-", Class: ClassExtension}
	ch, dst := m.create(dst, Event{At: o.at, Kind: Created, Source: source, Channel: who, State: Down}, who)
	a := m.rings(ch, o.at)
	a.status, a.ended, ch.cause = "CHANUNAVAIL", e.At, e.Cause
	if e.Cause == causeBusy {
		a.status = "BUSY"
	}
	if e.Source == SourceClock && e.Value != orderFailed {
		ch.call.approximate("what became of the order was not told")
	}
	return m.remove(dst, ch, e.At)
}

// interfaceInUse is the interface that told the latest fact: the order went out
// by the same one.
func (m *Machine) interfaceInUse() Source {
	if m.heard == SourceARI {
		return SourceARI
	}
	return SourceAMI
}

// Hangup causes (Q.850).
const (
	causeBusy       = 17 // user busy
	causeCongestion = 34 // no circuit
)

func (m *Machine) unclaimed(name string) *channel {
	c := m.origins.oldest(dialledDevice(name), func(c *call) bool { return c.unclaimed(name) && c.origin.alive() })
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
