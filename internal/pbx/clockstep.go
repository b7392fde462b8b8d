package pbx

import (
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// setAhead is how far an event's time leaps ahead where the PBX's clock was
	// set. An event is never early; the rest is for a clock that is slewed.
	setAhead = 30 * time.Second
	// setBack is how far it leaps back; an event may be late by as long as a link
	// that seems alive can be silent.
	setBack = 2 * time.Minute
	// drift is how fast clocks may drift apart: one part in so many.
	drift = 1000
)

// clockState compares the PBX's clock, as events tell it, with ours. The zero
// value has seen no event. It is a value: step and begin give the next one.
type clockState struct {
	first time.Time     // when the first event with a time of the PBX's came; with our monotonic clock
	last  time.Time     // when the latest came
	said  time.Time     // the time of the PBX's in the latest
	wild  time.Duration // by how much the latest event was away from where the clock should be; 0: it was not
	base  time.Duration // how far the PBX's clock is ahead of ours, if ours ran on steadily from first
	worst time.Duration // the most that the two clocks differed
	by    time.Duration // how far the PBX's clock is ahead of our wall clock now
}

// leap is that the PBX's clock was set, by so much, between two of its own
// times: from is by the old clock, to by the new one.
type leap struct {
	by       time.Duration
	from, to time.Time
}

// mostAway is how far the PBX's clock may be from ours. What is further away is
// no time. A clock without a battery begins in 1970, which is near enough.
const mostAway = 100 * 365 * 24 * time.Hour

// none tells that the clock was not set.
func (l leap) none() bool { return l.by == 0 }

// step takes in an event that says the PBX's time at and came at received.
// ahead is how far the PBX's clock may run ahead of ours without having been
// set. told is the event's time: at, unless it alone is away from where the clock
// should be. Only the next event that agrees with it says that the clock was set:
// one wild time moves no other. Not for the first event: that is begin's.
func (s clockState) step(at, received time.Time, ahead time.Duration) (_ clockState, told time.Time, l leap) {
	// Round(0) leaves our monotonic clock out, Sub uses it.
	now := at.Sub(s.first.Round(0)) - received.Sub(s.first)
	by := now - s.base
	switch away := wasSet(by, ahead); {
	case away && (s.wild == 0 || wasSet(by-s.wild, ahead)):
		s.wild = by
		return s, s.first.Round(0).Add(received.Sub(s.first) + s.base), leap{}
	case away:
		l = leap{by: by, from: s.said, to: at}
		s.base = now
	default:
		s.base = max(now, s.base-received.Sub(s.last)/drift)
	}
	s.wild, s.last, s.said = 0, received, at
	s.by = s.base + s.first.Round(0).Add(received.Sub(s.first)).Sub(received.Round(0))
	s.worst = max(s.worst, s.by.Abs())
	return s, at, l
}

// begin takes in the first event, and finds out what the PBX's clock did while
// voipd was not running: kept is the comparison of an earlier run, zero where
// there is none, now what the machine says of itself.
func (s clockState) begin(at, received time.Time, ahead time.Duration, kept ClockMark, now machine) (clockState, leap) {
	s.first, s.last, s.said, s.base = received, received, at, at.Sub(received)
	s.by = at.Sub(received.Round(0))
	s.worst = max(s.worst, s.by.Abs())
	if kept == (ClockMark{}) {
		return s, leap{}
	}
	passed := received.Sub(kept.Ours) // by our wall clock, where nothing better is known
	if now.boot != "" && now.boot == kept.Boot && now.up >= kept.Up {
		passed = now.up - kept.Up
	}
	by := at.Sub(kept.PBX) - passed
	if !wasSet(by, ahead) {
		return s, leap{}
	}
	return s, leap{by: by, from: kept.PBX, to: at}
}

// mark is the comparison to keep: what the PBX's clock says when ours says now.
func (s clockState) mark(now time.Time, m machine) ClockMark {
	return ClockMark{PBX: s.first.Round(0).Add(now.Sub(s.first) + s.base), Ours: now, Up: m.up, Boot: m.boot}
}

// wasSet tells whether a clock that is by so much away from where it should be
// was set.
func wasSet(by, ahead time.Duration) bool { return by > max(setAhead, ahead) || by < -setBack }

// machine is how long this machine has been up, which no setting of a clock
// changes, and the id of its boot. Empty where the system does not tell: only
// Linux has the files.
type machine struct {
	up   time.Duration
	boot string
}

func thisMachine() machine {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return machine{}
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return machine{}
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return machine{}
	}
	return machine{up: time.Duration(seconds * float64(time.Second)), boot: strings.TrimSpace(string(id))}
}
