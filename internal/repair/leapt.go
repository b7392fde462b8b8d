package repair

import (
	"slices"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// Leapt tells whether the PBX's clock was set between two times of its own; nil:
// it was not.
type Leapt func(from, to time.Time) bool

// doubt marks the calls in which the clock was set: what is written down of them
// does not show by how much.
func (l Leapt) doubt(records []record.Record) {
	if l == nil {
		return
	}
	for i := range records {
		d := &records[i].Details
		if l(d.StartedAt, d.EndedAt) && !slices.Contains(d.Approximate, backfill.ClockWasSet) {
			d.Approximate = append(d.Approximate, backfill.ClockWasSet)
		}
	}
}
