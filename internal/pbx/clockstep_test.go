package pbx

import (
	"cmp"
	"testing"
	"time"
)

// TestClockStep: what one more event says of the PBX's clock. Times are seconds
// from the first event, which came at 0 and said 0.
func TestClockStep(t *testing.T) {
	const ahead = 5 * time.Second
	base := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	type event struct{ says, came int } // the PBX's time in it, and when it came
	for _, row := range []struct {
		name     string
		events   []event
		leapt    int // by the last event; 0: the clock was not set
		from, to int
		by       int // how far the clock is ahead after it
		told     int // the last event's time; 0: what it says
	}{
		{"both clocks run on", []event{{60, 60}}, 0, 0, 0, 0, 0},
		{"an event that is late by a minute", []event{{60, 120}}, 0, 0, 0, 0, 0},
		{"a late event, then one in time", []event{{60, 120}, {121, 121}}, 0, 0, 0, 0, 0},
		{"one event an hour ahead", []event{{60, 60}, {3670, 70}}, 0, 0, 0, 0, 70},
		{"one event an hour ahead, and the next", []event{{60, 60}, {3670, 70}, {80, 80}}, 0, 0, 0, 0, 0},
		{"two wild events that do not agree", []event{{60, 60}, {3670, 70}, {9000, 80}}, 0, 0, 0, 0, 80},
		{"set ahead by an hour", []event{{60, 60}, {3670, 70}, {3671, 71}}, 3600, 60, 3671, 3600, 0},
		{"set back by an hour", []event{{60, 60}, {-3530, 70}, {-3529, 71}}, -3600, 60, -3529, -3600, 0},
		{"set once, then running on", []event{{3660, 60}, {3660, 60}, {3670, 70}}, 0, 0, 0, 3600, 0},
		{"set ahead and back again", []event{{3660, 60}, {3660, 60}, {70, 70}, {71, 71}}, -3600, 3660, 71, 0, 0},
		{"as far ahead as a slewed clock may be", []event{{90, 60}}, 0, 0, 0, 30, 0},
		{"a second more", []event{{91, 60}, {92, 61}}, 31, 0, 92, 31, 0},
		{"as far back as a silent link may hide", []event{{60, 180}}, 0, 0, 0, 0, 0},
	} {
		at := func(s int) time.Time { return base.Add(time.Duration(s) * time.Second) }
		s, l := clockState{}.begin(at(0), at(0), ahead, ClockMark{}, machine{})
		if !l.none() {
			t.Errorf("%s: the first event is a leap: %+v", row.name, l)
		}
		var told time.Time
		for _, e := range row.events {
			s, told, l = s.step(at(e.says), at(e.came), ahead)
		}
		if want := cmp.Or(row.told, row.events[len(row.events)-1].says); !told.Equal(at(want)) {
			t.Errorf("%s: its time is told as %s", row.name, told)
		}
		if row.leapt == 0 && !l.none() || row.leapt != 0 && l != (leap{by: time.Duration(row.leapt) * time.Second, from: at(row.from), to: at(row.to)}) {
			t.Errorf("%s: leapt %+v", row.name, l)
		}
		if off := s.by - time.Duration(row.by)*time.Second; off.Abs() > time.Second {
			t.Errorf("%s: the clock is ahead by %s, want %d s", row.name, s.by, row.by)
		}
	}
}

// TestClockBegin: what the PBX's clock did while voipd was not running. The mark
// was kept at 0, where both clocks said 0 and the machine was up for 100 s.
func TestClockBegin(t *testing.T) {
	base := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return base.Add(time.Duration(s) * time.Second) }
	kept := ClockMark{PBX: at(0), Ours: at(0), Up: 100 * time.Second, Boot: "boot"}
	for _, row := range []struct {
		name       string
		says, came int
		up         int // of the machine; 0: another boot
		leapt      int
	}{
		{"an hour passed for both", 3600, 3600, 3700, 0},
		{"the PBX's clock was set ahead", 7200, 3600, 3700, 3600},
		{"both clocks were set ahead", 7200, 7200, 3700, 3600},
		{"both, and the machine was booted: nothing better is known", 7200, 7200, 0, 0},
		{"booted, and the PBX's alone was set back", -3600, 3600, 0, -7200},
	} {
		now := machine{up: time.Duration(row.up) * time.Second, boot: "boot"}
		if row.up == 0 {
			now.boot = "another"
		}
		_, l := clockState{}.begin(at(row.says), at(row.came), 0, kept, now)
		if l.by != time.Duration(row.leapt)*time.Second {
			t.Errorf("%s: leapt %+v", row.name, l)
		}
	}
}
