package ingest_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/store"
)

// notedWrites is an empty store that notes when it was written to. It is no real
// one: time stands still while SQLite works.
type notedWrites struct {
	ingest.Store
	at []time.Time
}

func (s *notedWrites) JournalSize(context.Context) (int64, error)                  { return 0, nil }
func (s *notedWrites) Journal(context.Context, func(store.JournalRow) error) error { return nil }
func (s *notedWrites) Span(context.Context) (store.Span, error)                    { return store.Span{}, nil }
func (s *notedWrites) Commit(context.Context, *store.Batch) error {
	s.at = append(s.at, time.Now())
	return nil
}

// TestWritesKeepApart: a fact that comes alone is written after 20 ms, and facts that
// come all the time are written together, ten times a second.
func TestWritesKeepApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, longest := &notedWrites{}, time.Duration(0)
		l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: s, Log: slog.New(slog.DiscardHandler),
			Lag: func(late time.Duration) { longest = max(longest, late) }})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		for n := range 3 {
			l.Put(ringing(n))
			<-time.After(time.Second)
		}
		synctest.Wait() // for the loop, which writes longest and at
		if len(s.at) != 3 || longest != 20*time.Millisecond {
			t.Errorf("three facts, one a second, made %d writes, and the slowest took %v, want 3 and 20ms", len(s.at), longest)
		}
		for n := range 1000 {
			l.Put(ringing(3 + n))
			<-time.After(time.Millisecond)
		}
		synctest.Wait()
		if n := len(s.at) - 3; n < 9 || n > 11 {
			t.Errorf("a thousand facts in a second made %d writes, want ten", n)
		}
		if longest > 101*time.Millisecond {
			t.Errorf("a fact waited for %v, want at most 100ms", longest)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestFlush: facts that a source has put together are written when it says so.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, latest := &notedWrites{}, time.Duration(-1)
		l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: s, Log: slog.New(slog.DiscardHandler), Lag: func(late time.Duration) { latest = late }})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		for n := range 3 {
			l.Put(ringing(2 * n))
			l.Put(ringing(2*n + 1))
			l.Flush()
			l.Flush() // one too many changes nothing
			synctest.Wait()
			if len(s.at) != n+1 || latest != 0 {
				t.Errorf("%d writes after %d flushes, the latest after %v", len(s.at), n+1, latest)
			}
			l.Flush() // nor does one of nothing
		}
		l.Put(ringing(7))
		synctest.Wait()
		if len(s.at) != 3 {
			t.Error("a fact was written that was not flushed")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
