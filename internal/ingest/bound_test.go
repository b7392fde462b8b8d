package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// slowDisk is a real store of which each write waits until it is let go.
type slowDisk struct {
	*store.DB
	begun chan struct{} // gets one when a write begins
	let   chan struct{} // lets one go; closed: all
}

func (d *slowDisk) Commit(ctx context.Context, b *store.Batch) error {
	d.begun <- struct{}{}
	<-d.let
	return d.DB.Commit(ctx, b)
}

// ringing is a new call, the n-th, n seconds after the first.
func ringing(n int) record.Event {
	id := fmt.Sprintf("1795384451.%d", n)
	return record.Event{At: time.Unix(1_795_384_451+int64(n), 0).UTC(), Kind: record.Created, Source: record.SourceAMI, State: record.Ring,
		Channel: record.Channel{ID: id, Linked: id, Name: fmt.Sprintf("PJSIP/trunk-a-%08x", n)}, Number: "79031000001", Exten: "74951234567"}
}

// TestPastTheBound: facts come faster than the disk takes them. What waits never
// grows past the bound, each fact is either written or counted as refused, and
// each gap is marked where the facts are missing, not behind those that came
// when there was room again: CEL is read from there on.
func TestPastTheBound(t *testing.T) {
	const bound = 600
	d := &slowDisk{DB: openDisk(t, filepath.Join(t.TempDir(), "db")).DB, begun: make(chan struct{}, 1000), let: make(chan struct{})}
	var gaps []time.Time
	resyncs, lags := 0, 0
	l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: d, Bound: bound, Log: slog.New(slog.DiscardHandler),
		Resync: func() { resyncs++ }, Saw: func(e record.Event) { gaps = append(gaps, e.At) }, Lag: func(time.Duration) { lags++ }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	n := 0
	flood := func(facts int) {
		t.Helper()
		for range facts {
			l.Put(ringing(n))
			if n++; l.Stats().Waiting > bound {
				t.Fatalf("%d facts wait", l.Stats().Waiting)
			}
		}
	}
	flood(1000) // 0 to 599 wait, 400 are refused
	go func() { done <- l.Run(ctx) }()
	<-d.begun   // the loop took 256 of those that wait
	flood(1000) // 1000 to 1255 have room, 744 are refused
	if s := l.Stats(); s.Waiting != bound || s.Refused != 400+744 || !s.Refusing {
		t.Errorf("at the bound: %+v", s)
	}
	close(d.let)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s := l.Stats()
	if s.Waiting != 0 || s.Refusing || s.OpenCalls != n-int(s.Refused) || lags != s.OpenCalls {
		t.Errorf("in the end: %+v, lag of %d facts", s, lags)
	}
	if len(gaps) != 2 || !gaps[0].Equal(ringing(599).At) || !gaps[1].Equal(ringing(1255).At) || resyncs != 2 {
		t.Errorf("gaps at %v, %d lists of channels asked for; want them behind the calls 599 and 1255", gaps, resyncs)
	}
}
