package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/store"
)

// TestClock: the latest comparison of the clocks comes back as it was kept, and
// so do the leaps; nil leaves those that are there.
func TestClock(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 12, minute, 0, 5e6, time.UTC) }
	one := store.ClockMark{PBX: at(1), Ours: at(2), Up: 3*time.Hour + 4*time.Millisecond, Boot: "a"}
	two := store.ClockMark{PBX: at(3), Ours: at(4), Up: time.Second}
	leaps := []store.ClockLeap{{From: at(5), To: at(6)}, {From: at(1), To: at(2)}}
	if mark, kept, err := db.Clock(t.Context()); err != nil || mark != (store.ClockMark{}) || kept != nil {
		t.Errorf("a new database has %+v, %+v (%v)", mark, kept, err)
	}
	for i, c := range []struct {
		mark      store.ClockMark
		set, want []store.ClockLeap
	}{{one, nil, nil}, {two, leaps, leaps}, {one, nil, leaps}, {two, leaps[:1], leaps[:1]}} {
		if err := db.SetClock(t.Context(), c.mark, c.set); err != nil {
			t.Fatal(err)
		}
		mark, kept, err := db.Clock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.mark, mark); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
		if diff := cmp.Diff(c.want, kept); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
}
