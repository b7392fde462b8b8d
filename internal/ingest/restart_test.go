package ingest_test

import (
	"path/filepath"
	"slices"
	"testing"

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
