package repair_test

import (
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
)

// TestRowPanics: a row that makes the Machine panic costs its own call: it is set
// aside, once however often it is read, and the others are told.
func TestRowPanics(t *testing.T) {
	db := newStore(t)
	file := calls(t, "in-answered", backfill.CEL, 30)
	whole := source(t, backfill.CEL, file)
	imported(t, repair.ImportOptions{Source: whole, Rules: rules(), Store: db})
	want := len(all(t, db))
	bad := ""
	db = newStore(t)
	for range 2 {
		seen := 0
		s := sourceThatPanics(t, file, func(e record.Event) {
			if e.Kind == record.BridgeEntered {
				if seen++; seen == 20 {
					bad = e.Channel.Linked
					panic("a row that nobody foresaw")
				}
			}
		})
		imported(t, repair.ImportOptions{Source: s, Rules: rules(), Store: db})
	}
	if got := len(all(t, db)); got < want-2 {
		t.Errorf("%d records, %d without the bad row", got, want)
	}
	facts, _, q, err := db.Quarantined(t.Context(), bad)
	if err != nil || len(facts) != 1 || facts[0].Kind != record.BridgeEntered || !strings.Contains(q.Reason, "read from cel: panic: a row") {
		t.Errorf("set aside: %+v %+v %v", facts, q, err)
	}
}
