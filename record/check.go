package record

import (
	"errors"
	"fmt"
)

// Check reports every broken invariant of the Machine. It is for tests and
// fuzzing; it walks everything.
func (m *Machine) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	alive := make(map[*call]int)
	for id, ch := range m.channels {
		if ch.id != id {
			bad("channel %q is filed under %q", ch.id, id)
		}
		if !ch.alive() {
			bad("channel %q ended and is still known", id)
		}
		if _, over := m.ended[id]; over {
			bad("channel %q is both alive and ended", id)
		}
		if m.calls[ch.call.id] != ch.call {
			bad("channel %q is in call %q, which is not open", id, ch.call.id)
		}
		alive[ch.call]++
		if b := ch.bridge; b != nil && m.bridges[b.id] != b {
			bad("channel %q is in bridge %q, which is unknown", id, b.id)
		}
	}
	for id, b := range m.bridges {
		if len(b.members) == 0 {
			bad("bridge %q is empty", id)
		}
		for _, ch := range b.members {
			if ch.bridge != b {
				bad("bridge %q has member %q, which is elsewhere", id, ch.id)
			}
			if b.kind == Mixing && ch.call != b.members[0].call {
				bad("bridge %q holds two calls, %q and %q", id, ch.call.id, b.members[0].call.id)
			}
		}
	}
	for id, c := range m.calls {
		errs = append(errs, m.checkCall(id, c, alive[c])...)
	}
	for l, c := range m.linked {
		if m.calls[c.id] != c {
			bad("linkedid %q leads to call %q, which is not open", l, c.id)
		}
	}
	return errors.Join(errs...)
}

func (m *Machine) checkCall(id string, c *call, alive int) (errs []error) {
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("call %q: "+format, append([]any{id}, args...)...))
	}
	if c.id != id {
		bad("is filed under another id, %q", c.id)
	}
	if c.alive != alive || alive == 0 {
		bad("counts %d channels, has %d", c.alive, alive)
	}
	if c.origin == nil || c.origin.call != c {
		bad("its origin is not its own")
	}
	for _, ch := range c.members {
		if ch.call != c {
			bad("member %q is in another call", ch.id)
		}
	}
	for _, t := range c.talks {
		if !t.end.IsZero() && t.end.Before(t.start) {
			bad("a conversation ends before it begins")
		}
		if t.end.IsZero() && t.b != nil && !m.together(t.a, t.b) {
			bad("%q and %q talk, but do not hear each other", t.a.id, t.b.id)
		}
	}
	r := m.build(c, c.last, true)
	if r.Duration < 0 || r.Details.RingMS < 0 || r.Details.WaitMS < 0 || r.Details.HoldMS < 0 || r.Details.TalkMS < 0 {
		bad("a time is negative: %+v", r.Details)
	}
	return errs
}
