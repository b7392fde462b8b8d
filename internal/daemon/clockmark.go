package daemon

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/store"
)

// clockEvery is how often it is kept how the clocks stand: so much of the time
// before a kill is taken, too, for one in which the PBX's clock may have been
// set, where it was.
const clockEvery = 10 * time.Second

// machine tells how long this machine is up, which no setting of a clock
// changes, and which of its starts that was; nothing where that cannot be read
// (it is Linux that has these files).
func machine() (up time.Duration, boot string) {
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return 0, ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0, ""
	}
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return 0, ""
	}
	return time.Duration(seconds * float64(time.Second)), strings.TrimSpace(string(id))
}

// resume takes up what an earlier run kept of the clocks. Before the first take.
func (c *pbxClock) resume(ctx context.Context, db *store.DB) (err error) {
	c.set = make(chan struct{}, 1)
	c.kept, c.leaps, err = db.Clock(ctx)
	c.by = c.kept.PBX.Sub(c.kept.Ours) // until the PBX says a time
	return err
}

// ClockLeaps tells when the PBX's clock was set, as far as voipd has seen and kept
// it.
func ClockLeaps(ctx context.Context, db *store.DB) (repair.Leapt, error) {
	var c pbxClock
	err := c.resume(ctx, db)
	return c.wasSet, err
}

// keep puts on the disk how the clocks stand, and the leaps that are not there.
func (c *pbxClock) keep(ctx context.Context, db *store.DB, now time.Time) error {
	c.mu.Lock()
	if c.first.IsZero() {
		c.mu.Unlock()
		return nil // no event came yet: what an earlier run kept still holds
	}
	up, boot := machine()
	m := store.ClockMark{PBX: c.first.Round(0).Add(now.Sub(c.first) + c.base), Ours: now, Up: up, Boot: boot}
	var leaps []store.ClockLeap
	if c.fresh {
		leaps = slices.Clone(c.leaps)
	}
	c.fresh = false
	c.mu.Unlock()
	err := db.SetClock(ctx, m, leaps)
	if err != nil && leaps != nil {
		c.mu.Lock()
		c.fresh = true
		c.mu.Unlock()
	}
	return err
}

// keepClock keeps how the clocks stand until ctx ends, and once more then.
func (d *Daemon) keepClock(ctx context.Context) {
	tick := time.NewTicker(clockEvery)
	defer tick.Stop()
	failed := ""
	for {
		err := d.clock.keep(context.WithoutCancel(ctx), d.store, time.Now())
		switch {
		case err == nil:
			failed = ""
		case err.Error() != failed:
			failed = err.Error()
			d.opt.Log.Warn("cannot keep how the clocks stand; after a restart it may not be seen that the PBX's clock was set", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-d.clock.set:
			d.resync() // what the PBX listed by the old clock cannot be compared with rows of the new
		case <-ctx.Done():
		}
	}
}
