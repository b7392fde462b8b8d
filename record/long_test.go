package record_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// TestLongCall: the record of a caller for whom thousands of phones were rung is
// right, and no longer than that of one for whom hundreds were.
func TestLongCall(t *testing.T) {
	for _, n := range []int{1, 200, 249, 250, 251, 1000, 8000} {
		all := run(t, fixture.QueueCall(n))
		if len(all) != 1 {
			t.Fatalf("%d ringings: %d records", n, len(all))
		}
		r, d := all[0], all[0].Details
		if r.Direction != record.In || r.Disposition != record.Answered || r.Duration != 60 || r.DstPhone != fmt.Sprint(101+(n-1)%7) {
			t.Errorf("%d ringings: %+v", n, r)
		}
		if want := int64(n) * 15_000; d.RingMS != want {
			t.Errorf("%d ringings rang for %d ms, want %d", n, d.RingMS, want)
		}
		if got := len(d.Rang) + d.RangOmitted; got != n || len(d.Rang) > 250 || n <= 200 && d.RangOmitted > 0 {
			t.Errorf("%d ringings: %d listed, %d omitted", n, len(d.Rang), d.RangOmitted)
		}
		if first, last := d.Rang[0], d.Rang[len(d.Rang)-1]; !first.At.Equal(d.StartedAt) || last.Outcome != "answered" {
			t.Errorf("%d ringings: from %+v to %+v", n, first, last)
		}
	}
}

// TestLongCallLost: nobody answers in the end; what the ringings in the middle
// came to counts.
func TestLongCallLost(t *testing.T) {
	const n = 1000
	for name, want := range map[string]record.Disposition{"BUSY": record.BusyLine, "NOANSWER": record.NoAnswer, "CHANUNAVAIL": record.Failed} {
		var events []record.Event
		dialled := 0
		for _, e := range fixture.QueueCall(n) {
			switch {
			case e.Kind == record.QueueJoined || e.Kind == record.BridgeEntered:
				continue
			case e.Kind == record.DialEnded:
				e.Value = "CHANUNAVAIL"
				if dialled++; dialled == n/2 {
					e.Value = name
				}
			case e.Kind == record.HungUp:
				if e.Cause = 20; name == "NOANSWER" {
					e.Cause = 19 // of a channel whose ringing ended so
				}
			}
			events = append(events, e)
		}
		got := run(t, events)
		if len(got) != 1 || got[0].Disposition != want || got[0].Details.RangOmitted == 0 {
			t.Errorf("one %s among a thousand that failed: %+v", name, got[0].Disposition)
		}
	}
}

// TestRepeatsTouchNothing: a channel that loops in the dialplan for a week
// touches its call when it begins to, and every ten minutes.
func TestRepeatsTouchNothing(t *testing.T) {
	m := record.New(officeRules())
	at := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	ch := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/trunk-a-00000001"}
	m.Apply(nil, record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: ch, State: record.Ring, Number: "79161234567", Exten: "100"})
	touched := 0
	const week = 7 * 24 * time.Hour
	for after := time.Duration(0); after < week; after += time.Second {
		for _, app := range []string{"Wait", "Goto"} {
			m.Apply(nil, record.Event{At: at.Add(after), Kind: record.Executed, Source: record.SourceAMI, Channel: ch, Key: app, Value: "1", Exten: "100", State: record.Up})
			if m.Touched() != "" {
				touched++
			}
		}
	}
	if most := int(week/(10*time.Minute)) + 5; touched == 0 || touched > most {
		t.Errorf("%d of the facts of a week touch the call, want at most %d", touched, most)
	}
}

// TestTouchedAreEnough: facts that touch no call can be left out when a call is
// replayed.
func TestTouchedAreEnough(t *testing.T) {
	for _, file := range captureFiles(t, "a*i.*.gz") {
		all := captureEvents(t, file)
		m := record.New(officeRules())
		kept := make([]record.Event, 0, len(all))
		for _, e := range all {
			m.Apply(nil, e)
			if m.Touched() != "" || !(e.Kind == record.Executed || e.Kind == record.VariableSet || e.Kind == record.StateChanged || e.Kind == record.Identified) {
				kept = append(kept, e)
			}
		}
		want, got := records(record.Replay(officeRules(), slices.Values(all))), records(record.Replay(officeRules(), slices.Values(kept)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, %d of %d facts:\n%s", file, len(kept), len(all), diff)
		}
	}
}

// BenchmarkLongCall is what one fact of a queue's call costs, with the live view
// that each change of it makes, after so many ringings.
func BenchmarkLongCall(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("ringings=%d", n), func(b *testing.B) {
			events := fixture.QueueCall(n)
			for b.Loop() {
				m := record.New(officeRules())
				var changes []record.Change
				for _, e := range events {
					changes = m.Apply(changes[:0], e)
					for range changes {
						m.OpenLive("1.1")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(events)), "ns/fact")
		})
	}
}
