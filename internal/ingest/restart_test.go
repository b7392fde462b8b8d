package ingest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// TestGapOutlivesRestarts: voipd is stopped while a phone rings, starts in the
// talk, which the PBX's list of channels shows, is stopped once more and sees
// the end. What it missed the first time it knows in its third life.
func TestGapOutlivesRestarts(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	events := callEvents(t, "in-answered")
	first := slices.IndexFunc(events, func(e record.Event) bool { return e.Kind == record.BridgeEntered })
	last := slices.IndexFunc(events, func(e record.Event) bool { return e.Kind == record.BridgeLeft })
	entered := slices.IndexFunc(events, func(e record.Event) bool { return e.Kind == record.DialEnded })
	if entered < 0 || entered > first || first > last {
		t.Fatal("the capture has no talk")
	}
	list := []record.Event{{At: events[first].At, Kind: record.SnapshotBegan}}
	for _, e := range events[first:last] {
		if e.Kind == record.BridgeEntered {
			e.Kind, e.State = record.ChannelPresent, record.Up
			list = append(list, e)
		}
	}
	list = append(list, record.Event{At: events[first].At, Kind: record.SnapshotEnded})
	for _, life := range [][]record.Event{events[:entered], list, events[last:]} {
		l := start(t, d, 0)
		for _, e := range life {
			l.Put(e)
		}
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
	}
	all := stored(t, d)
	if len(all) != 1 || !slices.Contains(all[0].Details.Approximate, "facts were missed: voipd was not running") {
		t.Errorf("got %+v", all)
	}
}

// listed is a list of the PBX's channels without any.
func listed() []record.Event {
	return []record.Event{{Kind: record.SnapshotBegan}, {Kind: record.SnapshotEnded}}
}

// TestEndedByTheList: a call that is gone from the PBX's list has the list among
// its facts, so that they tell its record again.
func TestEndedByTheList(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	created := callEvents(t, "in-answered")[0]
	l := start(t, d, 0)
	for _, e := range append([]record.Event{created, {Kind: record.Gapped, Value: "the link to the PBX was down"}}, listed()...) {
		e.At = created.At
		l.Put(e)
	}
	told := *l.until(t, record.CallEnded).Record
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	facts, err := d.Trace(t.Context(), told.CallID)
	if err != nil {
		t.Fatal(err)
	}
	m := record.New(numbers.Default())
	var changes []record.Change
	for _, e := range facts {
		changes = m.Apply(changes, e)
	}
	if again := record.Records(nil, changes); len(again) != 1 || !slices.Equal(again[0].Details.Approximate, told.Details.Approximate) {
		t.Errorf("told %+v, by its facts %+v", told, again)
	}
}

// TestEndedInReplay: what the journal tells may end a call that was open, as
// facts from before it began are missing there. It is written and told then.
func TestEndedInReplay(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	created := callEvents(t, "in-answered")[0]
	l := start(t, d, 0)
	for _, e := range append([]record.Event{{Kind: record.Gapped, Value: "the link to the PBX was down"}, created}, listed()...) {
		e.At = created.At
		l.Put(e)
	}
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	if n := l.Stats().OpenCalls; n != 1 {
		t.Fatalf("%d calls are open, want the one on its way out", n)
	}
	l = start(t, d, 0)
	id := l.until(t, record.CallEnded).CallID
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	all := stored(t, d)
	if len(all) != 1 || all[0].CallID != id {
		t.Errorf("got %+v", all)
	}
	if facts, err := d.Journal(t.Context()); err != nil || len(facts) > 0 {
		t.Errorf("%d facts are left (%v)", len(facts), err)
	}
}

// TestManyCallsManyGaps: a fact about all calls is kept with each of them, and
// taken in once when they are taken up.
func TestManyCallsManyGaps(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	created := callEvents(t, "in-answered")[0]
	const calls = 3000
	for range 3 {
		l := start(t, d, 0)
		for i := range calls {
			e := created
			e.Channel.ID, e.Channel.Linked = fmt.Sprintf("1795366192.%d", i), fmt.Sprintf("1795366192.%d", i)
			l.Put(e)
		}
		for range 50 { // garbage on the wire
			l.Put(record.Event{At: created.At, Kind: record.Gapped, Value: "the PBX sent what is no message"})
		}
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if n := l.Stats().OpenCalls; n != calls {
			t.Fatalf("%d calls are open", n)
		}
	}
	facts, err := d.Journal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gaps := 0
	for _, e := range facts {
		if e.Kind == record.Gapped {
			gaps++
		}
	}
	if gaps > calls*12 {
		t.Errorf("%d gaps are in the journal of %d calls", gaps, calls)
	}
}
