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

// none tells that the clock was not set.
func (l leap) none() bool { return l.by == 0 }

// step takes in an event that says the PBX's time at and came at received.
// ahead is how far the PBX's clock may run ahead of ours without having been
// set. Not for the first event: that is begin's.
func (s clockState) step(at, received time.Time, ahead time.Duration) (clockState, leap) {
	var l leap
	// Round(0) leaves our monotonic clock out, Sub uses it.
	now := at.Sub(s.first.Round(0)) - received.Sub(s.first)
	if by := now - s.base; wasSet(by, ahead) {
		l = leap{by: by, from: s.said, to: at}
		s.base = now
	} else {
		s.base = max(now, s.base-received.Sub(s.last)/drift)
	}
	s.last, s.said = received, at
	s.by = s.base + s.first.Round(0).Add(received.Sub(s.first)).Sub(received.Round(0))
	s.worst = max(s.worst, s.by.Abs())
	return s, l
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
