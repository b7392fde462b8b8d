package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// committed is a loop on a real file (synchronous=FULL), which lies in TMPDIR: a
// disk is measured only where that is on one.
type committed struct {
	*ingest.Loop
	call  []record.Event // a captured call: the facts of it
	began time.Time
	begun int             // calls that were put
	late  []time.Duration // of each fact, from Put to the disk
	stop  func()          // writes what waits
}

func newCommitted(b *testing.B) *committed {
	b.Helper()
	db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "voipd.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	c := &committed{}
	c.call = callEvents(b, "in-answered")
	c.Loop = ingest.New(ingest.Options{Rules: numbers.Default(), Store: db, Plan: webhook.Plan, Log: slog.New(slog.DiscardHandler),
		Lag: func(late time.Duration) { c.late = append(c.late, late) }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	c.began = time.Now()
	go func() { done <- c.Run(ctx) }()
	c.stop = func() {
		cancel()
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// put puts the facts of another call, all of them of now.
func (c *committed) put() {
	name, now := fmt.Sprintf("%d-", c.begun), time.Now().UTC()
	for _, e := range c.call {
		for _, id := range []*string{&e.Channel.ID, &e.Channel.Linked, &e.Peer.ID, &e.Peer.Linked, &e.Bridge} {
			if *id != "" {
				*id = name + *id
			}
		}
		e.At = now
		c.Put(e)
	}
	c.begun++
}

// tell reports what a benchmark is for: facts and calls that are on the disk, a
// second, and how long facts took to get there.
func (c *committed) tell(b *testing.B) {
	c.stop()
	took, s := time.Since(c.began).Seconds(), c.Stats() // b.Elapsed would leave out what was still to be written
	if s.Refused != 0 || s.Records != int64(c.begun) || s.OpenCalls != 0 {
		b.Fatalf("%d calls: %+v", c.begun, s)
	}
	b.ReportMetric(float64(s.Applied)/took, "events/s")
	b.ReportMetric(float64(c.begun)/took, "calls/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCommitted says how many events (facts of calls: of some five messages
// of a PBX one is one) and whole calls a second the loop puts on the disk when
// they come as fast as it takes them, and how long an event takes from its
// arrival to the disk when 200 calls a second come evenly, the facts of each at
// once.
func BenchmarkCommitted(b *testing.B) {
	b.Run("flat-out", func(b *testing.B) {
		c := newCommitted(b)
		for b.Loop() {
			c.put()
			for c.Stats().Waiting > 2000 { // so that nothing is refused
				<-time.After(time.Millisecond)
			}
		}
		c.tell(b)
	})
	b.Run("200-calls-a-second", func(b *testing.B) {
		c := newCommitted(b)
		tick := time.NewTicker(time.Second / 200)
		defer tick.Stop()
		for b.Loop() {
			<-tick.C
			c.put()
		}
		c.tell(b)
		slices.Sort(c.late)
		ms := func(share float64) float64 {
			return float64(c.late[int(share*float64(len(c.late)-1))].Microseconds()) / 1000
		}
		b.ReportMetric(ms(0.50), "p50-ms")
		b.ReportMetric(ms(0.99), "p99-ms")
	})
}

// BenchmarkStart says how long voipd takes from its start to the first fact of the
// PBX where a call is open: one of a week that loops in the dialplan, one in a queue
// with ten thousand ringings.
func BenchmarkStart(b *testing.B) {
	for _, c := range []struct {
		name   string
		events func() []record.Event
	}{
		{"a-call-of-a-week", weekCall},
		{"10000-ringings", func() []record.Event {
			all := fixture.QueueCall(10_000)
			return all[:len(all)-4] // the caller still waits
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "voipd.db")
			keep(b, path, c.events())
			for b.Loop() {
				l, stop := openLoop(b, path)
				for l.Stats().OpenCalls == 0 {
					<-time.After(time.Millisecond)
				}
				stop()
			}
		})
	}
}

// weekCall is a call that repeats two applications each second of a week.
func weekCall() []record.Event {
	at := time.Date(2026, 11, 19, 1, 0, 0, 0, time.UTC)
	ch := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/trunk-a-00000001"}
	all := []record.Event{{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: ch, State: record.Ring, Number: "79161234567", Exten: "100"}}
	for range 7 * 24 * 3600 {
		at = at.Add(time.Second)
		for _, app := range []string{"Wait", "Goto"} {
			all = append(all, record.Event{At: at, Kind: record.Executed, Source: record.SourceAMI, Channel: ch, Key: app, Value: "1", Exten: "100", State: record.Up})
		}
	}
	return all
}

// keep lets a loop write facts to a database, and stops it with the call open.
func keep(b *testing.B, path string, events []record.Event) {
	b.Helper()
	l, stop := openLoop(b, path)
	for _, e := range events {
		for l.Stats().Waiting > 2000 {
			<-time.After(time.Millisecond)
		}
		l.Put(e)
	}
	stop() // what waits is written
}

// openLoop is a loop on a database; stop ends both.
func openLoop(b *testing.B, path string) (l *ingest.Loop, stop func()) {
	b.Helper()
	db, err := store.Open(context.Background(), path)
	if err != nil {
		b.Fatal(err)
	}
	l = ingest.New(ingest.Options{Rules: numbers.Default(), Store: db, Plan: webhook.Plan, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return l, func() {
		cancel()
		if err := errors.Join(<-done, db.Close()); err != nil {
			b.Fatal(err)
		}
	}
}
