package record_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/record"
)

// TestClockSetInMidCall: wherever in a call the PBX's clock is set, an hour
// ahead or back, what happened and how long it took stays the same.
func TestClockSetInMidCall(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/22/*/ami.txt.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	for _, file := range files {
		var events []record.Event
		if _, err := capture.Events(file, nil, func(e record.Event) { events = append(events, e) }); err != nil {
			t.Fatal(err)
		}
		want := lengths(record.Replay(officeRules(), each(events)))
		for _, by := range []time.Duration{time.Hour, -time.Hour} {
			for at := 0; at < len(events); at += 7 {
				if got := lengths(record.Replay(officeRules(), each(set(events, at, by)))); got != want {
					t.Fatalf("%s, clock set by %v before event %d:\n%s\nwant\n%s", filepath.Dir(file), by, at, got, want)
				}
			}
		}
	}
}

// set lets the clock be set before an event; the fact comes twice, as from a
// journal.
func set(events []record.Event, at int, by time.Duration) []record.Event {
	var all []record.Event
	for i, e := range events {
		if i >= at {
			e.At = e.At.Add(by)
		}
		if i == at {
			leap := record.Event{At: e.At, Kind: record.ClockSet, Source: record.SourceClock, Age: by}
			all = append(all, leap, leap)
		}
		all = append(all, e)
	}
	return all
}

func each(events []record.Event) func(func(record.Event) bool) {
	return func(yield func(record.Event) bool) {
		for _, e := range events {
			if !yield(e) {
				return
			}
		}
	}
}

// lengths are what records say without a moment.
func lengths(changes []record.Change) string {
	var all []string
	for _, r := range records(changes) {
		d := r.Details
		all = append(all, fmt.Sprintln(r.CallID, r.Direction, r.SrcPhone, r.DstPhone, r.Disposition, r.Duration, d.RingMS, d.WaitMS, d.HoldMS, d.TalkMS, d.QueueWaitMS,
			d.EndedAt.Sub(d.StartedAt), len(d.Rang), len(d.Conversations), d.Approximate))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}
