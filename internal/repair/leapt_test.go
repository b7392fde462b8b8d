package repair_test

import (
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/repair"
)

// TestImportAcrossALeap: the calls in which the PBX's clock was set are
// approximate, also where an import tells them, and the others are not.
func TestImportAcrossALeap(t *testing.T) {
	db := newStore(t)
	first := began().Add(90 * time.Second) // of the calls, a minute apart
	imported(t, repair.ImportOptions{Source: source(t, "cel", calls(t, "in-answered", "cel", 3)), Rules: rules(), Store: db,
		Leapt: func(from, _ time.Time) bool { return from.Before(first) }})
	list := all(t, db)
	doubted := 0
	for _, r := range list {
		is := slices.Equal(r.Details.Approximate, []string{backfill.ClockWasSet})
		if is {
			doubted++
		}
		if want := r.Details.StartedAt.Before(first); is != want {
			t.Errorf("%s, which began at %v, is approximate: %q", r.CallID, r.Details.StartedAt, r.Details.Approximate)
		}
	}
	if len(list) != 3 || doubted == 0 || doubted == 3 {
		t.Errorf("%d of %d calls are approximate", doubted, len(list))
	}
}
