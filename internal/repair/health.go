package repair

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/voipd/voipd/internal/contract"
)

// health is the state of the repair.
type health struct {
	last    time.Time         // when the latest reading ended well; zero: none did
	open    int               // gaps that are not repaired
	since   time.Time         // when the oldest of them began
	failed  map[string]string // sources that could not be read, and why
	unfound string            // why recordings could not be looked for, the last time; empty: they could
}

// Health adds the state of the repair. Any goroutine may call it.
func (r *Repair) Health(_ context.Context, h *contract.Health) {
	if len(r.opt.Sources) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	h.Repair = &contract.RepairHealth{Last: r.health.last, OpenGaps: r.health.open, Since: r.health.since}
	for _, name := range slices.Sorted(maps.Keys(r.health.failed)) {
		h.Warn("backfill-unreadable", fmt.Sprintf("[[backfill]] %s cannot be read, so what was missed stays missing or approximate: %s", name, r.health.failed[name]))
	}
	if r.health.unfound != "" {
		h.Warn("recordings-unreadable", "the recordings of calls that were missed cannot be looked for everywhere, so some may be without theirs: "+r.health.unfound)
	}
}
