package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/store"
)

// TestGaps: a gap lasts until it is closed, and is listed until it is repaired;
// one within another that lasts is none of its own.
func TestGaps(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 12, minute, 0, 0, time.UTC) }
	check := func(want ...store.Gap) {
		t.Helper()
		got, err := db.Gaps(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(db.AddGap(t.Context(), store.Gap{From: at(1), Why: "a"}))
	do(db.AddGap(t.Context(), store.Gap{From: at(2), Why: "b"}))
	check(store.Gap{ID: 1, From: at(1), Why: "a"})
	do(db.CloseGaps(t.Context(), at(3)))
	do(db.CloseGaps(t.Context(), at(9)))
	check(store.Gap{ID: 1, From: at(1), To: at(3), Why: "a"})
	do(db.AddGap(t.Context(), store.Gap{From: at(4), Why: "c"}))
	do(db.CloseGaps(t.Context(), at(0))) // the clock was set back
	check(store.Gap{ID: 1, From: at(1), To: at(3), Why: "a"}, store.Gap{ID: 2, From: at(4), To: at(4), Why: "c"})
	do(db.GapRepaired(t.Context(), 1, at(5)))
	check(store.Gap{ID: 2, From: at(4), To: at(4), Why: "c"})
	do(db.GapRepaired(t.Context(), 2, at(5).Add(91*24*time.Hour)))
	check()
	if m, err := db.Mark(t.Context(), "x"); err != nil || !m.IsZero() {
		t.Error(m, err)
	}
	do(db.SetMark(t.Context(), "x", at(7)))
	do(db.SetMark(t.Context(), "x", at(6)))
	if m, err := db.Mark(t.Context(), "x"); err != nil || !m.Equal(at(6)) {
		t.Error(m, err)
	}
}
