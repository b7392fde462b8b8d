package backfill_test

import (
	"slices"
	"strings"
	"testing"
)

// TestTailBeginsNoCall: rows that say only what is over, about channels whose
// beginning is in rows that were not read, make no record.
func TestTailBeginsNoCall(t *testing.T) {
	rows := lines(t, captures+"22/in-answered/cel.csv.gz")
	tail := slices.DeleteFunc(slices.Clone(rows), func(row string) bool {
		for _, event := range []string{"HANGUP", "CHAN_END", "BRIDGE_EXIT", "APP_END", "LINKEDID_END"} {
			if strings.Contains(row, event) {
				return false
			}
		}
		return true
	})
	if len(tail) < 5 || len(tail) == len(rows) {
		t.Fatalf("%d of %d rows are the end of the call", len(tail), len(rows))
	}
	got, stats := tell(t, readers()["cel"], tail)
	if len(got) != 0 || stats.Malformed != 0 {
		t.Errorf("%d rows of the end of a call: %+v, %+v", len(tail), got, stats)
	}
}
