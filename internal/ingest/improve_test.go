package ingest_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestImprove: what CEL tells of a call is written and told where it is better
// than what is kept, and not while the call goes on.
func TestImprove(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	changes := make(chan record.Change, 100)
	l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: d, Log: slog.New(slog.DiscardHandler), Plan: webhook.Plan,
		Publish: func(all []record.Change) {
			for _, c := range all {
				changes <- c
			}
		}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	until := func(kind record.ChangeKind) record.Change {
		t.Helper()
		for timeout := time.After(20 * time.Second); ; {
			select {
			case c := <-changes:
				if c.Kind == kind {
					return c
				}
			case <-timeout:
				t.Fatalf("no change %v", kind)
			}
		}
	}
	events := callEvents(t, "in-answered")
	for _, e := range events[:len(events)/2] {
		l.Put(e)
	}
	id := until(record.CallBegan).CallID
	byCEL := record.Record{CallID: id, Disposition: record.Answered, Details: record.Details{Source: "cel"}}
	improve := func(r record.Record, want ingest.Improved) {
		t.Helper()
		if got, err := l.Improve(ctx, []record.Record{r}); got != want || err != nil {
			t.Errorf("got %+v (%v), want %+v", got, err, want)
		}
	}
	improve(byCEL, ingest.Improved{Kept: 1}) // it goes on
	for _, e := range events[len(events)/2:] {
		l.Put(e)
	}
	whole := *until(record.CallEnded).Record
	improve(byCEL, ingest.Improved{Kept: 1}) // told live, and whole

	missed := byCEL
	missed.CallID = "missed"
	improve(missed, ingest.Improved{New: 1})
	improve(missed, ingest.Improved{Kept: 1})
	cut := whole
	cut.CallID, cut.Details.Approximate = "cut", []string{"its end was not seen"}
	if err := d.Commit(ctx, &store.Batch{Records: []*record.Record{&cut}}); err != nil {
		t.Fatal(err)
	}
	better := byCEL
	better.CallID = "cut"
	improve(better, ingest.Improved{Better: 1})
	for _, want := range []string{"missed", "cut"} {
		if c := until(record.RecordRevised); c.CallID != want {
			t.Errorf("told %s, want %s", c.CallID, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := l.Improve(ctx, []record.Record{missed}); err == nil {
		t.Error("a loop that has stopped took a record")
	}
}

// TestFullQueueIsAGap: whoever repairs gaps is told of it, once it is on the
// disk, and of its end.
func TestFullQueueIsAGap(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	saw := make(chan record.Event, 10)
	l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: d, Bound: 3, Log: slog.New(slog.DiscardHandler), Saw: func(e record.Event) { saw <- e }})
	events := callEvents(t, "in-answered")
	for _, e := range events[:6] {
		l.Put(e)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	if e := <-saw; e.Kind != record.Gapped || !e.At.Equal(events[2].At) {
		t.Errorf("got %+v, want a gap at %v", e, events[2].At)
	}
	l.Put(record.Event{At: events[5].At, Kind: record.SnapshotEnded})
	if e := <-saw; e.Kind != record.SnapshotEnded {
		t.Errorf("got %+v", e)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestImproveAPart: what CEL tells of a call that became part of one that goes on
// is not kept beside it, and a call that has nothing to do with it is.
func TestImproveAPart(t *testing.T) {
	events := callEvents(t, "xfer-refer-replaces")
	m, upTo, part := record.New(numbers.Default()), 0, ""
	for i, e := range events {
		for _, c := range m.Apply(nil, e) {
			if c.Kind == record.CallMerged && part == "" {
				upTo, part = i+1, c.CallID
			}
		}
	}
	if part == "" {
		t.Fatal("no call went into another")
	}
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := start(t, d, 0)
	for _, e := range events[:upTo] {
		l.Put(e)
	}
	l.until(t, record.CallMerged)
	byCEL := record.Record{CallID: part, Disposition: record.Answered, Details: record.Details{Source: "cel"}}
	other := byCEL
	other.CallID = "other"
	got, err := l.Improve(context.Background(), []record.Record{byCEL, other})
	if want := (ingest.Improved{New: 1, Kept: 1}); got != want || err != nil {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if all := stored(t, d); len(all) != 1 || all[0].CallID != "other" {
		t.Errorf("stored %+v", all)
	}
}
