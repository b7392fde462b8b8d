package record

// This file tells live which phones no longer ring: whoever shows a card for each
// phone that rings has to know when to close it.

// stopped tells that a phone no longer rings that was told to ring. Only the end of
// its channel says why (DialEnd, just before, has no cause). It stays silent where the
// phone answered, and where another device of the same operator still rings or has
// the call: the last of them tells.
func (m *Machine) stopped(dst []Change, a *attempt) []Change {
	c := a.ch.call
	if !a.told || a.answered() || c.has(a.phone) {
		return dst
	}
	e := c.ending(a)
	if e.call == anyCall && c.taken() {
		e.call = talked
	}
	return m.tell(dst, c, Change{Kind: PhoneStopped, At: a.ch.ended, Phone: a.phone, Other: m.ringsFor(a), Outcome: e.decide().outcome})
}

// answered tells whether the phone of a ringing went up.
func (a *attempt) answered() bool { return a.status == "ANSWER" || !a.ch.up.IsZero() }

// has tells whether a device of the phone still rings for the call or is in it.
func (c *call) has(phone string) bool {
	for _, a := range c.attempts {
		if a.phone == phone && (a.open() || a.answered() && a.ch.alive()) {
			return true
		}
	}
	for _, t := range c.talks {
		if t.end.IsZero() && (t.aPhone == phone || t.b != nil && t.bPhone == phone) {
			return true
		}
	}
	return false
}

// taken tells whether somebody who was rung answered the call: he may not talk yet.
func (c *call) taken() bool {
	for _, a := range c.attempts {
		if a.answered() && a.ch != c.origin && a.ch.alive() {
			return true
		}
	}
	return false
}
