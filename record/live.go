package record

import (
	"slices"
	"sort"
)

// LiveState is what goes on in a call at the moment.
type LiveState string

// The states of a call that goes on.
const (
	Waiting LiveState = "waiting" // nobody rings and nobody talks: a menu, a queue, the dialplan
	Rings   LiveState = "ringing" // at least one phone rings and nobody talks
	Talks   LiveState = "talking" // at least two people hear each other
	OnHold  LiveState = "held"    // somebody put the call on hold
)

// Live is a call that goes on, as it is after the latest fact.
type Live struct {
	Record    Record // provisional: as if the call ended now, but for disposition and end; its details have no lists but Absorbed
	State     LiveState
	Ringing   []string // phones that ring, in the order of their ringing
	Talking   []string // phones in a conversation, in the order of its beginning
	HeldBy    string   // phone that holds the call; empty: none
	Operators []string // every operator's phone that had to do with the call so far
	Channels  []string // ids of its channels that are up, rung or on their way
}

// OpenLive tells how one call going on stands. false: there is no such call.
func (m *Machine) OpenLive(id string) (Live, bool) {
	c := m.calls[id]
	if c == nil {
		return Live{}, false
	}
	return m.live(c), true
}

// OpenLives tells how every call going on stands, the oldest first.
func (m *Machine) OpenLives() []Live {
	var out []Live
	for _, c := range m.sortedCalls() {
		out = append(out, m.live(c))
	}
	return out
}

func (m *Machine) live(c *call) Live {
	r, _, _ := m.decide(c, m.now, false)
	m.describe(c, &r.Details)
	l := Live{Record: *r, State: Waiting, Operators: slices.Clone(c.operatorPhones())}
	for _, a := range c.attempts {
		if a.open() && a.ch.up.IsZero() {
			l.Ringing = addOnce(l.Ringing, a.phone)
		}
	}
	for _, t := range c.talks {
		if !t.end.IsZero() {
			continue
		}
		l.Talking = addOnce(l.Talking, t.aPhone)
		if t.b != nil { // else bPhone is the conference
			l.Talking = addOnce(l.Talking, t.bPhone)
		}
	}
	for _, ch := range c.members {
		if ch.alive() && ch.standsFor == nil {
			l.Channels = append(l.Channels, ch.id)
		}
	}
	switch {
	case c.heldBy != nil:
		l.State, l.HeldBy = OnHold, c.heldBy.phone(&m.rules)
	case len(l.Talking) > 0:
		l.State = Talks
	case len(l.Ringing) > 0:
		l.State = Rings
	}
	return l
}

func addOnce(list []string, phone string) []string {
	if phone == "" || slices.Contains(list, phone) {
		return list
	}
	return append(list, phone)
}

// OpenIDs are the ids of the calls going on, the oldest first.
func (m *Machine) OpenIDs() []string {
	var out []string
	for _, c := range m.sortedCalls() {
		out = append(out, c.id)
	}
	return out
}

// sortedCalls are the calls going on, oldest first.
func (m *Machine) sortedCalls() []*call {
	all := make([]*call, 0, len(m.calls))
	for _, c := range m.calls {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return older(all[i], all[j]) })
	return all
}

// older is the order of calls: by beginning, then as they came, then by id.
func older(a, b *call) bool {
	if !a.began.Equal(b.began) {
		return a.began.Before(b.began)
	}
	if a.seq != b.seq {
		return a.seq < b.seq
	}
	return a.id < b.id
}

// OpenRecords tells the calls still going on, as far as they are known at the
// time of the latest event, oldest first.
func (m *Machine) OpenRecords() []Record {
	var out []Record
	for _, c := range m.sortedCalls() {
		out = append(out, *m.build(c, m.now, false))
	}
	return out
}
