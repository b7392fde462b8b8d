package ingest_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
)

// TestIDUsedTwice: a PBX that starts at the same time again gives the same ids.
// Both calls have their record and their trace, whoever tells them and however
// often.
func TestIDUsedTwice(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := startWith(t, ingest.Options{Store: d})
	defer l.stop()
	events := callEvents(t, "in-answered")
	play := func(later time.Duration) record.Change {
		for _, e := range events {
			e.At = e.At.Add(later)
			l.Put(e)
		}
		return l.until(t, record.CallEnded)
	}
	first, second := play(0), play(2*time.Minute+24*time.Hour) // an id is remembered for a minute
	if second.CallID != first.CallID+"~2" || second.Record.CallID != second.CallID {
		t.Fatalf("the calls have the ids %s and %s", first.CallID, second.CallID)
	}
	cel := *second.Record
	cel.CallID, cel.Details.Source = first.CallID, record.SourceCEL.String()
	cel.Details.StartedAt = cel.Details.StartedAt.Add(48 * time.Hour)
	cel.Details.EndedAt = cel.Details.EndedAt.Add(48 * time.Hour)
	for _, want := range []ingest.Improved{{New: 1}, {Kept: 1}} {
		if n, err := l.Improve(t.Context(), []record.Record{cel}); err != nil || n != want {
			t.Errorf("CEL of a third call: %+v (%v), want %+v", n, err, want)
		}
	}
	for id, after := range map[string]time.Duration{"": 0, "~2": 2*time.Minute + 24*time.Hour, "~3": 2*time.Minute + 72*time.Hour} {
		r, err := d.Record(t.Context(), first.CallID+id)
		if err != nil || !r.Details.StartedAt.Equal(first.Record.Details.StartedAt.Add(after)) {
			t.Errorf("%s: began at %s (%v)", id, r.Details.StartedAt, err)
		}
		if trace, err := d.Trace(t.Context(), first.CallID+id); id != "~3" && (err != nil || len(trace) == 0) {
			t.Errorf("%s: a trace of %d facts (%v)", id, len(trace), err)
		}
	}
	var h contract.Health
	if l.Health(t.Context(), &h); !h.Warned("id-used-twice") {
		t.Errorf("health: %+v", h.Warnings)
	}
}
