package ingest_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// plan tells every change by its kind, and the state of its call.
func plan(c record.Change, live *record.Live) []store.Change {
	state := "over"
	if live != nil {
		state = string(live.State)
	}
	kind := c.Kind.String()
	if c.Record != nil {
		kind = contract.RecordCreated
	}
	return []store.Change{{At: c.At, Kind: kind, CallID: c.CallID, Body: []byte(`{"state":"` + state + `"}`), Record: c.Record}}
}

func planning(t *testing.T, d *disk) *running {
	t.Helper()
	r := &running{changes: make(chan record.Change, 10_000)}
	r.Loop = ingest.New(ingest.Options{Rules: numbers.Default(), Store: d, Plan: plan, Log: slog.New(slog.DiscardHandler),
		Publish: func(all []record.Change) {
			for _, c := range all {
				r.changes <- c
			}
		}})
	if err := r.Boot(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = func() error { cancel(); return <-done }
	return r
}

func told(t *testing.T, d *disk) []string {
	t.Helper()
	list, err := d.Changes(context.Background(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		out = append(out, c.Kind+" "+string(c.Body))
	}
	return out
}

// TestToldWithTheFact: what is told to the outside is on the disk when the fact
// is, once, whatever the store does meanwhile; and the calls going on are those
// on the disk.
func TestToldWithTheFact(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := planning(t, d)
	events := callEvents(t, "in-answered")
	d.failing.Store(true)
	for _, e := range events[:len(events)/2] {
		l.Put(e)
	}
	<-d.failed
	<-d.failed // it tries again
	if got := told(t, d); len(got) != 0 {
		t.Errorf("told before the facts are on the disk: %q", got)
	}
	if lives, last := l.Live(); len(lives) != 0 || last != 0 {
		t.Errorf("%d calls go on, last %d", len(lives), last)
	}
	d.failing.Store(false)
	l.until(t, record.CallBegan)
	for _, e := range events[len(events)/2:] {
		l.Put(e)
	}
	l.until(t, record.CallEnded)
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	got := told(t, d)
	want := []string{`began {"state":"waiting"}`, `rang {"state":"ringing"}`, `answered {"state":"talking"}`, `record.created {"state":"over"}`}
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %q, want %q", got[i], want[i])
		}
	}
	if lives, last := l.Live(); len(lives) != 0 || last != int64(len(want)) {
		t.Errorf("%d calls go on, last %d", len(lives), last)
	}
}

// TestLiveAfterAList: a call of which the PBX knows only one channel any more
// is shown as it is now.
func TestLiveAfterAList(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := planning(t, d)
	var caller record.Channel
	for _, e := range callEvents(t, "in-answered") {
		if caller.ID == "" {
			caller = e.Channel
		}
		if e.Kind == record.BridgeLeft || e.Kind == record.HangupRequested || e.Kind == record.HungUp {
			break
		}
		l.Put(e)
	}
	if answered := l.until(t, record.CallAnswered); answered.CallID != caller.Linked {
		t.Fatalf("%q answered, want %q", answered.CallID, caller.Linked)
	}
	at := time.Unix(1_795_400_000, 0).UTC()
	l.Put(record.Event{At: at, Kind: record.SnapshotBegan})
	l.Put(record.Event{At: at, Kind: record.ChannelPresent, Channel: caller, State: record.Up})
	l.Put(record.Event{At: at, Kind: record.SnapshotEnded})
	deadline := time.Now().Add(20 * time.Second)
	for {
		lives, _ := l.Live()
		if len(lives) == 1 && lives[0].State == record.Waiting {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %+v", lives)
		}
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}
