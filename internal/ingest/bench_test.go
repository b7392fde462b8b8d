package ingest_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

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
