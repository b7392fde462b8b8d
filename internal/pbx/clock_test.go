package pbx

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestClockWhileNotRunning: what the PBX's clock did while voipd was not
// running shows at the first event, and what was seen once outlives a kill.
func TestClockWhileNotRunning(t *testing.T) {
	up, boot := thisMachine().up, thisMachine().boot
	if boot == "" {
		t.Fatal("this machine does not tell how long it is up")
	}
	now := time.Now()
	before := now.Add(-time.Minute)
	kept := ClockMark{PBX: before, Ours: before, Up: up - time.Minute, Boot: boot}
	other := func(change func(*ClockMark)) ClockMark { m := kept; change(&m); return m }
	for _, c := range []struct {
		name string
		kept ClockMark
		said time.Time // what the first event says
		set  bool
	}{
		{"nothing is known", ClockMark{}, now.Add(time.Hour), false},
		{"nobody set it", kept, now, false},
		{"it is a little late", kept, now.Add(-time.Second), false},
		{"set ahead", kept, now.Add(time.Hour), true},
		{"set back", kept, now.Add(-time.Hour), true},
		{"it is another hour there, as before", other(func(m *ClockMark) { m.PBX = before.Add(time.Hour) }), now.Add(time.Hour), false},
		{"the PBX runs on this machine, whose clock was set", other(func(m *ClockMark) { m.Up -= time.Hour }), now, true},
		{"this machine's clock was set, the PBX's not", other(func(m *ClockMark) { m.Ours = before.Add(-time.Hour) }), now, false},
		{"it is not known how long this machine is up", other(func(m *ClockMark) { m.Boot, m.Up = "", 0 }), now, false},
		{"it is not known how long this machine is up, set ahead", other(func(m *ClockMark) { m.Boot, m.Up = "", 0 }), now.Add(time.Hour), true},
		{"this machine started again", other(func(m *ClockMark) { m.Boot, m.Up = "another", 0 }), now, false},
		{"this machine started again, set ahead meanwhile", other(func(m *ClockMark) { m.Boot, m.Up = "another", 0 }), now.Add(time.Hour), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := clockStore(t)
			if c.kept != (ClockMark{}) {
				if err := db.SetClock(t.Context(), c.kept, nil); err != nil {
					t.Fatal(err)
				}
			}
			first, err := ResumeClock(t.Context(), db, 0)
			if err != nil {
				t.Fatal(err)
			}
			told := 0
			put := func(e record.Event) {
				if e.Kind == record.ClockSet {
					told++
				}
			}
			c.said = c.said.Add(-time.Millisecond) // no event comes at once
			first.stamp(record.Event{At: c.said, Kind: record.Created}, now, put)
			if err := first.keep(t.Context(), db, now); err != nil {
				t.Fatal(err)
			}
			second, err := ResumeClock(t.Context(), db, 0) // it was killed
			if err != nil {
				t.Fatal(err)
			}
			second.stamp(record.Event{At: c.said.Add(time.Second), Kind: record.Created}, now.Add(time.Second), put)
			if told > 1 || (told == 1) != c.set {
				t.Errorf("the Machine was told %d times that the clock was set", told)
			}
			for i, clock := range []*Clock{first, second} {
				for _, at := range []time.Time{c.kept.PBX.Add(30 * time.Second), c.said} {
					if set := clock.WasSet(at.Add(-time.Second), at); set != c.set {
						t.Errorf("run %d: set at %v: %v, want %v", i+1, at, set, c.set)
					}
				}
				if clock.WasSet(c.said.Add(2*time.Hour), c.said.Add(3*time.Hour)) {
					t.Errorf("run %d: it was set in a time that is yet to come", i+1)
				}
			}
		})
	}
}

// TestClockLeapsBound: past the bound no leap is forgotten; the oldest are
// taken for one.
func TestClockLeapsBound(t *testing.T) {
	var c Clock
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	first, last := now, now
	for range mostLeaps {
		last, now = now, now.Add(10*time.Minute)
		c.remember(leap{by: time.Hour, from: last, to: last.Add(time.Hour + time.Second)})
	}
	if len(c.leaps) != mostLeaps {
		t.Fatalf("%d leaps are remembered, the bound is %d", len(c.leaps), mostLeaps)
	}
	for _, at := range []time.Time{first, first.Add(time.Hour), last, last.Add(time.Hour)} {
		if !c.WasSet(at, at.Add(time.Second)) {
			t.Errorf("the leap at %v is forgotten", at)
		}
	}
}

// TestClockKeepFails: leaps that could not be written are written later.
func TestClockKeepFails(t *testing.T) {
	db := clockStore(t)
	var c Clock
	now := time.Now()
	put := func(record.Event) {}
	c.stamp(record.Event{At: now.Add(-61 * time.Second)}, now.Add(-time.Minute), put)
	c.stamp(record.Event{At: now.Add(time.Hour)}, now, put)
	c.stamp(record.Event{At: now.Add(time.Hour)}, now, put)
	closed, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.keep(t.Context(), storedClock{closed}, now); err == nil {
		t.Fatal("a closed store keeps")
	}
	if err := c.keep(t.Context(), db, now); err != nil {
		t.Fatal(err)
	}
	if _, leaps, err := db.Clock(t.Context()); err != nil || len(leaps) != 2 {
		t.Errorf("kept leaps: %v (%v)", leaps, err)
	}
}

func clockStore(t *testing.T) storedClock {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return storedClock{db}
}

// storedClock is a real database as a ClockStore.
type storedClock struct{ db *store.DB }

func (s storedClock) Clock(ctx context.Context) (ClockMark, []ClockLeap, error) {
	m, stored, err := s.db.Clock(ctx)
	var leaps []ClockLeap
	for _, l := range stored {
		leaps = append(leaps, ClockLeap(l))
	}
	return ClockMark(m), leaps, err
}

func (s storedClock) SetClock(ctx context.Context, m ClockMark, leaps []ClockLeap) error {
	var stored []store.ClockLeap
	for _, l := range leaps {
		stored = append(stored, store.ClockLeap(l))
	}
	return s.db.SetClock(ctx, store.ClockMark(m), stored)
}

// failing is a store that keeps nothing the first times.
type failing struct {
	ClockStore
	times int
	kept  chan struct{}
}

func (f *failing) SetClock(ctx context.Context, m ClockMark, leaps []ClockLeap) error {
	if f.times--; f.times >= 0 {
		return errors.New("disk full")
	}
	select {
	case f.kept <- struct{}{}:
	default:
	}
	return nil
}

// TestClockKeptSoon: what could not be written down is, soon after the disk has
// room again: facts by the new time are on it by then.
func TestClockKeptSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Clock
		c.stamp(record.Event{At: time.Now().Add(-time.Second)}, time.Now(), func(record.Event) {})
		to := &failing{times: 2, kept: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		done := make(chan struct{})
		go func() { c.run(ctx, to, func() {}, slog.New(slog.DiscardHandler)); close(done) }()
		<-to.kept
		if took := time.Since(began); took > time.Second {
			t.Errorf("kept after %s", took)
		}
		cancel()
		<-done
	})
}

// TestNoTime: what is no time at all, as the first event says it, moves nothing.
func TestNoTime(t *testing.T) {
	var c Clock
	now := time.Now()
	var told []record.Event
	put := func(e record.Event) { told = append(told, e) }
	c.stamp(record.Event{At: time.Unix(1<<33*2, 0), Kind: record.Created}, now, put) // in 2514
	c.stamp(record.Event{At: now, Kind: record.Created}, now.Add(time.Millisecond), put)
	if len(told) != 2 || !told[0].At.Equal(now) || !told[1].At.Equal(now) {
		t.Errorf("told %+v", told)
	}
}
