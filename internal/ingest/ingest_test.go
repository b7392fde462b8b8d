package ingest_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// disk is a real store that fails while it is told to.
type disk struct {
	*store.DB
	failing atomic.Bool
	failed  chan struct{} // gets one for each failed write
}

func (d *disk) Commit(ctx context.Context, b *store.Batch) error {
	if d.failing.Load() {
		select {
		case d.failed <- struct{}{}:
		default:
		}
		return errors.New("no space left on device")
	}
	return d.DB.Commit(ctx, b)
}

func openDisk(t *testing.T, path string) *disk {
	t.Helper()
	db, err := store.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return &disk{DB: db, failed: make(chan struct{}, 1)}
}

// running is a loop at work.
type running struct {
	*ingest.Loop
	changes chan record.Change
	resyncs chan struct{}
	stop    func() error
}

func start(t *testing.T, d *disk, bound int) *running {
	t.Helper()
	return startWith(t, ingest.Options{Store: d, Bound: bound})
}

// startWith starts a loop with these options; those that every test needs are
// filled in.
func startWith(t *testing.T, opt ingest.Options) *running {
	t.Helper()
	r := &running{changes: make(chan record.Change, 10_000), resyncs: make(chan struct{}, 100)}
	opt.Rules, opt.Log = numbers.Default(), slog.New(slog.DiscardHandler)
	opt.Resync = func() { r.resyncs <- struct{}{} }
	opt.Publish = func(all []record.Change) {
		for _, c := range all {
			r.changes <- c
		}
	}
	r.Loop = ingest.New(opt)
	if err := r.Boot(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = func() error { cancel(); return <-done }
	return r
}

// until waits for a change of that kind.
func (r *running) until(t *testing.T, kind record.ChangeKind) record.Change {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case c := <-r.changes:
			if c.Kind == kind {
				return c
			}
		case <-timeout:
			t.Fatalf("no change %v came", kind)
		}
	}
}

func callEvents(t testing.TB, name string) []record.Event {
	t.Helper()
	var events []record.Event
	if _, err := capture.Events("../../record/testdata/captures/22/"+name+"/ami.txt.gz", nil, func(e record.Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	return events
}

func stored(t *testing.T, d *disk) []record.Record {
	t.Helper()
	list, _, err := d.Records(context.Background(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// outside leaves what the app sees.
func outside() cmp.Option { return cmpopts.IgnoreFields(record.Record{}, "Details") }

func TestRecordIsStoredBeforeItIsTold(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := start(t, d, 0)
	for _, e := range callEvents(t, "in-answered") {
		l.Put(e)
	}
	ended := l.until(t, record.CallEnded)
	if diff := cmp.Diff([]record.Record{*ended.Record}, stored(t, d), outside()); diff != "" {
		t.Error(diff)
	}
	if events, err := fixture.All(context.Background(), d.Journal); err != nil || len(events) != 0 {
		t.Errorf("the journal of an ended call is left: %d (%v)", len(events), err)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}

// TestDiskFull: while the store fails, facts wait and health says why; then
// everything goes in.
func TestDiskFull(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := start(t, d, 0)
	d.failing.Store(true)
	events := callEvents(t, "in-answered")
	for _, e := range events {
		l.Put(e)
	}
	<-d.failed
	<-d.failed // it tries again
	if s := l.Stats(); s.StoreError != "no space left on device" {
		t.Errorf("health does not say what is wrong: %+v", s)
	}
	d.failing.Store(false)
	l.until(t, record.CallEnded)
	if s := l.Stats(); s.StoreError != "" || s.Records != 1 || len(stored(t, d)) != 1 {
		t.Errorf("after recovery: %+v", s)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}

// TestQueueFull: at the bound facts are refused and counted, and the PBX is
// asked for its channels.
func TestQueueFull(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	d.failing.Store(true)
	l := start(t, d, 300)
	events := callEvents(t, "in-answered")
	l.Put(events[0])
	<-d.failed // the loop holds the first batch and takes no more
	for range 400 {
		l.Put(record.Event{})
	}
	if s := l.Stats(); s.Waiting != 300 || s.Refused != 100 {
		t.Errorf("got %d waiting and %d refused, want 300 and 100", s.Waiting, s.Refused)
	}
	d.failing.Store(false)
	<-l.resyncs
	for _, e := range events[1:] {
		l.Put(e)
	}
	if r := l.until(t, record.CallEnded).Record; len(r.Details.Approximate) == 0 {
		t.Errorf("a record over a gap does not say so: %+v", r)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
}

// TestSettle: what the disk says of a recording goes into the stored record,
// and is told.
func TestSettle(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := start(t, d, 0)
	for _, e := range callEvents(t, "in-answered") {
		l.Put(e)
	}
	r := l.until(t, record.CallEnded).Record
	check := record.Event{Kind: record.RecordingChecked, Source: record.SourceDisk, Value: r.CallID, Key: r.Details.Recordings[0].ID,
		Recorded: record.FileFact{State: record.Ready, Bytes: 64044, Audio: 4 * time.Second}}
	l.Put(check)
	revised := l.until(t, record.RecordRevised).Record
	if got := stored(t, d)[0].Details.Recordings; !cmp.Equal(got, revised.Details.Recordings) || got[0].State != record.Ready {
		t.Errorf("stored %+v, told %+v", got, revised.Details.Recordings)
	}
	l.Put(check) // again: nothing changes
	check.Value = "no such call"
	l.Put(check)
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if n := len(l.changes); n != 0 {
		t.Errorf("%d changes more", n)
	}
}
