package record_test

import (
	"encoding/json"
	"testing"

	"github.com/voipd/voipd/record"
)

// TestKindNames: what is written is read again; a kind that is no more reads as
// one that changes nothing, so that old journals and traces stay readable.
func TestKindNames(t *testing.T) {
	n := 0
	for k := record.None; ; k++ {
		text, err := json.Marshal(record.Event{Kind: k})
		if err != nil {
			break
		}
		var e record.Event
		if err := json.Unmarshal(text, &e); err != nil || e.Kind != k {
			t.Errorf("%s reads as %s (%v)", text, e.Kind, err)
		}
		n++
	}
	if n < 30 {
		t.Errorf("only %d kinds", n)
	}
	for _, name := range []string{"conference_left", "ticked"} {
		e := record.Event{Kind: record.Created}
		if err := json.Unmarshal([]byte(`{"at":"2026-11-22T12:00:00Z","kind":"`+name+`","source":1,"channel":{"id":"1.1"}}`), &e); err != nil || e.Kind != record.None {
			t.Errorf("%s reads as %s (%v)", name, e.Kind, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"kind":"no_such_kind"}`), new(record.Event)); err == nil {
		t.Error("an unknown kind is no error")
	}
}
