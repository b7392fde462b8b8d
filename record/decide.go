package record

import (
	"slices"
	"strings"
	"time"
)

// This file decides direction, srcPhone, dstPhone, disposition and duration. Each
// function returns the value and the rule that gave it.

// beganBy tells who began the call: "external", "operator" or "pbx".
func (c *call) beganBy() string {
	o := c.origin
	switch {
	case c.byPBX, o.role == helper, o.seen && (o.born == Down || o.born == Reserved):
		return "pbx"
	case o.role == external:
		return "external"
	}
	return "operator"
}

// direction: who began the call decides, and then whom he asked for.
func (m *Machine) direction(c *call) (Direction, string) {
	switch c.beganBy() {
	case "external":
		return In, "direction 1: an external party began it"
	case "operator":
		if m.asksOutside(c) {
			return Out, "direction 2: an operator asked for an outside number"
		}
		return Internal, "direction 2: an operator asked for an extension or a service"
	}
	if m.outsideOfPBXCall(c) != "" {
		return Out, "direction 3: the PBX began it and an outside number is in it"
	}
	return Internal, "direction 3: the PBX began it and no outside number is in it"
}

// asksOutside tells whether the operator asked for an outside number: by the
// number's shape, or because a trunk was dialled with that very number, perhaps
// without an access prefix (112, a town's short numbers).
func (m *Machine) asksOutside(c *call) bool {
	number, _ := m.rules.dialled(c.origin.first)
	if m.rules.outside(number) {
		return true
	}
	for _, a := range c.attempts {
		if a.ch.role == external && a.ch.dialled != "" && strings.HasSuffix(number, a.ch.dialled) {
			return true
		}
	}
	return false
}

// outsideOfPBXCall is the outside number of a call that the PBX began; empty
// where there is none.
func (m *Machine) outsideOfPBXCall(c *call) string {
	for _, asked := range [...]string{c.pbxAsked, c.origin.exten} {
		if n, _ := m.rules.dialled(asked); m.rules.outside(n) {
			return n
		}
	}
	for _, a := range c.attempts {
		if a.ch.role == external && a.owner == "" {
			return a.phone
		}
	}
	for _, ch := range c.members {
		if ch.role == external && ch.rung == nil {
			return ch.phone(&m.rules)
		}
	}
	if c.pbxAsked == "" && len(c.attempts) < 2 && len(c.talks) == 0 {
		// The originate was never answered, and OriginateResponse did not come (ARI
		// has none): only the caller ID that it showed the operator tells.
		if n, _ := m.rules.dialled(c.origin.shown); m.rules.outside(n) {
			return n
		}
	}
	return ""
}

// srcPhone is the calling side's phone.
func (m *Machine) srcPhone(c *call, d Direction) (phone, ext, rule string) {
	switch c.beganBy() {
	case "external":
		phone, ext = m.rules.caller(c.origin.number)
		if c.srcExt != "" {
			ext = c.srcExt
		}
		return phone, ext, "srcPhone: the caller's number as first presented"
	case "operator":
		return c.origin.ext, "", "srcPhone: the extension of the operator who began it"
	}
	for _, t := range c.talks {
		for _, ch := range [...]*channel{t.a, t.b} {
			if ch != nil && ch.role == operator {
				return ch.ext, "", "srcPhone: the PBX began it; the operator who talked first"
			}
		}
	}
	if a := c.firstOperatorRung(""); a != nil {
		return a.phone, "", "srcPhone: the PBX began it; the operator rung first"
	}
	if c.origin.role == operator {
		return c.origin.ext, "", "srcPhone: the PBX began it at this extension"
	}
	for _, asked := range [...]string{c.pbxAsked, c.origin.shown} {
		if ext, is := m.rules.extension(asked); is {
			return ext, "", "srcPhone: the PBX began it for this extension, which was never rung"
		}
	}
	return c.origin.phone(&m.rules), "", "srcPhone: the PBX began it and no operator was in it"
}

// firstOperatorRung is the operator rung first, other than not.
func (c *call) firstOperatorRung(not string) *attempt {
	for _, a := range c.attempts {
		if a.ch.role == operator && a.phone != not {
			return a
		}
	}
	return nil
}

// dstPhone is the side that was called. src is the calling side's phone.
func (m *Machine) dstPhone(c *call, d Direction, src string) (phone, ext, rule string) {
	if d == Out {
		return m.outsideNumber(c)
	}
	if c.conference != "" {
		return c.conference, "", "dstPhone: the conference's number"
	}
	if d == In {
		src = "" // an operator may have the same digits as an outside caller
	}
	for _, t := range c.talks {
		for _, ch := range [...]*channel{t.a, t.b} {
			if ch != nil && ch.role == operator && ch != c.origin && ch.ext != src {
				return ch.ext, "", "dstPhone: the first operator who talked"
			}
		}
		if owner := t.forwardedBy(c); owner != src && m.person(c, owner) {
			return owner, "", "dstPhone: forwarded outside; the operator who was asked for"
		}
	}
	if a := c.firstOperatorRung(src); a != nil {
		return a.phone, "", "dstPhone: nobody talked; the operator rung first"
	}
	for _, a := range c.attempts {
		if m.person(c, a.owner) {
			return a.owner, "", "dstPhone: forwarded outside; the operator who was asked for"
		}
	}
	return m.askedNumber(c, d)
}

// forwardedBy is the operator on whose behalf an outside party of the talk was
// rung.
func (t *talk) forwardedBy(c *call) string {
	for _, ch := range [...]*channel{t.a, t.b} {
		if ch != nil && ch != c.origin && ch.rung != nil && ch.rung.owner != "" {
			return ch.rung.owner
		}
	}
	return ""
}

// person tells whether a number on whose behalf somebody outside was rung is an
// operator's, and not that of a queue, a conference or a group. A group's number
// itself never rings; it rings others.
func (m *Machine) person(c *call, number string) bool {
	switch {
	case number == "" || number == c.queue || number == c.conference:
		return false
	case m.rules.Numbers[number] || !m.rules.Guessed:
		return true
	case slices.Contains(c.services, number):
		return false
	}
	others := false
	for _, a := range c.attempts {
		if a.ch.role == operator && a.phone == number {
			return true
		}
		others = others || a.ch.role == operator && a.asked == number
	}
	return !others
}

// askedNumber is the number asked for, where nobody was rung.
func (m *Machine) askedNumber(c *call, d Direction) (phone, ext, rule string) {
	if d == In {
		if c.asked != "" {
			return c.asked, "", "dstPhone: nobody was rung; the extension or service asked for"
		}
		for _, a := range c.attempts {
			if a.ch != c.origin {
				return a.phone, "", "dstPhone: no operator was rung; the outside number to which the call was led"
			}
		}
		number, ext := m.rules.normalise(c.did, nil)
		return number, ext, "dstPhone: nobody was rung; the DID"
	}
	asked := c.origin.first
	if c.beganBy() == "pbx" {
		if asked = c.pbxAsked; asked == "" {
			asked = c.asked
		}
		if asked == "" {
			asked = c.origin.exten
		}
	}
	number, ext := m.rules.dialled(asked)
	return number, ext, "dstPhone: nobody was rung; the extension or service asked for"
}

func (m *Machine) outsideNumber(c *call) (phone, ext, rule string) {
	if c.beganBy() == "pbx" {
		phone = m.outsideOfPBXCall(c)
		_, ext = m.rules.dialled(c.pbxAsked)
	} else {
		phone, ext = m.rules.dialled(c.origin.first)
	}
	phone = c.withoutAccess(phone)
	if c.dstExt != "" {
		ext = c.dstExt
	}
	return phone, ext, "dstPhone: the outside number asked for"
}

// withoutAccess drops a leading 9 that no rewrite took off and that the
// dialplan did: it dialled the trunk with the rest of the very same number.
func (c *call) withoutAccess(number string) string {
	for _, a := range c.attempts {
		if a.ch.role == external && a.ch.dialled != "" && number == "9"+a.ch.dialled {
			return a.ch.dialled
		}
	}
	return number
}

// disposition is the outcome of the call. over is false for one that goes on,
// which may be answered already and has no other outcome yet.
func (m *Machine) disposition(c *call, d Direction, over bool) (Disposition, string) {
	if c.conversed(d) {
		return Answered, "answered: a conversation took place"
	}
	if d == Internal && c.serviceAnswered() && !c.tried && !c.rangAnother() && !m.mailboxFor(c) {
		return Answered, "answered: an internal call to a service that answered"
	}
	if !over {
		return Unknown, "unknown: the call goes on"
	}
	if c.unseenEnd {
		return Unknown, "unknown: the end could not be seen"
	}
	if c.cancelled || c.quit() {
		return Cancelled, "cancelled: the calling side hung up while the call was on its way"
	}
	unanswered, busy, failed := c.dropped.noAnswer, c.dropped.busy, c.dropped.failed
	for _, a := range c.attempts {
		switch c.outcome(a) {
		case rangNoAnswer, rangElsewhere, rangCancelled, rangRinging:
			unanswered = true
		case rangBusy:
			busy = true
		case rangFailed:
			failed = true
		}
	}
	switch {
	case unanswered:
		return NoAnswer, "no_answer: somebody was rung and did not answer"
	case busy:
		return BusyLine, "busy: whoever was asked for was busy or refused"
	case failed:
		return Failed, "failed: nobody could be rung"
	}
	return m.unrung(c, d)
}

// unrung is the outcome where nobody was rung, or only the side that the PBX
// rang first.
func (m *Machine) unrung(c *call, d Direction) (Disposition, string) {
	switch {
	case c.origin.cause == causeBusy && !c.tried && !c.rangAnother():
		return BusyLine, "busy: the PBX said so without ringing anybody" // do not disturb
	case c.rangAnother():
		return NoAnswer, "no_answer: the rung phone answered, but nobody talked"
	case c.tried && c.queue == "":
		return Failed, "failed: nobody could be rung"
	case !c.origin.up.IsZero() && d != Out:
		return NoAnswer, "no_answer: a service answered and nobody was rung"
	}
	return Failed, "failed: the PBX ended the call without ringing anybody"
}

// conversed tells whether the conversation that the direction asks for took
// place: outbound, with somebody outside.
func (c *call) conversed(d Direction) bool {
	for _, t := range c.talks {
		if d != Out || t.withExternal {
			return true
		}
	}
	return false
}

// mailboxFor tells whether a mailbox answered for somebody who was asked for; one
// that was dialled for itself (*97, vm101) is a service.
func (m *Machine) mailboxFor(c *call) bool {
	_, person := m.rules.extension(c.asked)
	return c.voicemail && person
}

// serviceAnswered: the origin's line went up although nobody was rung for it.
func (c *call) serviceAnswered() bool {
	return !c.origin.up.IsZero() && c.queue == ""
}

// rangAnother tells whether anybody but the origin was rung; an application
// of the PBX rings without the origin's channel dialling.
func (c *call) rangAnother() bool {
	for _, a := range c.attempts {
		if a.ch != c.origin {
			return true
		}
	}
	return false
}

// span is the time from the first conversation to the end of the last; for a
// service that counts as answered, from its answer to the end.
func (c *call) span(d Disposition, end time.Time) (from, to time.Time, rule string) {
	if d != Answered {
		return from, to, "duration: no conversation"
	}
	if len(c.talks) == 0 {
		return c.origin.up, end, "duration: from the service's answer to the end"
	}
	for _, t := range c.talks {
		if from.IsZero() || t.start.Before(from) {
			from = t.start
		}
		stop := t.end
		if stop.IsZero() {
			stop = end
		}
		if stop.After(to) {
			to = stop
		}
	}
	return from, to, "duration: from the first conversation to the end of the last"
}
