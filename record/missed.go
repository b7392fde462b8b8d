package record

import "time"

// Contact is a call with one person outside, as far as it matters to whether
// somebody has to call that person back.
type Contact struct {
	CallID      string
	At          time.Time // when the call began
	Until       time.Time // when the talk was over, ringing left out; At where nobody talked
	Direction   Direction // In or Out
	Disposition Disposition
}

// Missed tells whether the person called and nobody answered.
func (c Contact) Missed() bool { return c.Direction == In && c.Disposition != Answered }

// Missed is a person who called, whom nobody answered, and whom nobody has talked
// with since. The zero value is nobody: there is no call to return.
type Missed struct {
	Calls   int // unanswered calls of the person in a row
	FirstAt time.Time
	LastAt  time.Time
	LastID  string // id of the last of them
	Tries   int    // calls to the person since the last of them, which nobody answered
}

// MissedOf is what a person's calls, the newest first, come to. Calls that began
// at dismissed or before are dealt with; zero: none are. docs/missed.md has the
// rules.
func MissedOf(calls []Contact, dismissed time.Time) (m Missed) {
	done := dismissed // calls that began up to then need no return
	for _, c := range calls {
		if c.Disposition == Answered && c.Until.After(done) {
			done = c.Until
		}
	}
	for _, c := range calls {
		switch {
		case c.Missed() && !c.At.After(done):
			return m.orNobody() // and so did all before it
		case c.Missed():
			if m.Calls == 0 {
				m.LastAt, m.LastID = c.At, c.CallID
			}
			m.Calls++
			m.FirstAt = c.At
		case m.Calls == 0 && c.Direction == Out:
			m.Tries++
		}
	}
	return m.orNobody()
}

// orNobody leaves out tries that return nothing.
func (m Missed) orNobody() Missed {
	if m.Calls == 0 {
		return Missed{}
	}
	return m
}

// Return is the talk that came after a missed call.
type Return struct {
	CallID    string
	At        time.Time // when they began to talk
	By        string    // the operator's extension
	Direction Direction // Out: somebody called back; In: the person called again
}
