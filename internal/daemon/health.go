package daemon

import (
	"context"
	"fmt"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
)

// health tells how voipd does, and what to do where it does not do well.
func (d *Daemon) health(ctx context.Context) contract.Health {
	link, stats := d.link.health(), d.loop.Stats()
	h := contract.Health{
		Status: "ok", Version: d.opt.Version, StartedAt: d.started, LastEvent: stats.LastEvent, OpenCalls: stats.OpenCalls,
		Queue: contract.QueueHealth{Waiting: stats.Waiting, Bound: stats.Bound, Refused: stats.Refused},
		Store: contract.StoreHealth{OK: stats.StoreError == "", Error: stats.StoreError, LastCommit: stats.LastCommit},
	}
	if d.config.Asterisk.Interface == config.ARI {
		h.ARI = &link.LinkHealth
	} else {
		h.AMI = &link.LinkHealth
	}
	if err := d.store.Ping(ctx); err != nil && h.Store.OK {
		h.Store.OK, h.Store.Error = false, err.Error()
	}
	if link.State != up {
		h.Problems = append(h.Problems, fmt.Sprintf("the link to the PBX at %s is %s since %s: %s", link.address, link.State, link.Since.Format(time.RFC3339), link.Reason))
	}
	if !h.Store.OK {
		h.Problems = append(h.Problems, "records cannot be written, they wait in memory: "+h.Store.Error)
	}
	switch {
	case stats.Refusing:
		h.Problems = append(h.Problems, fmt.Sprintf("the queue was full and facts were refused, %d since the start: as soon as the %d that wait are written, a gap is marked, which CEL or CDR repairs",
			stats.Refused, stats.Waiting))
	case stats.Waiting > stats.Bound/2:
		h.Problems = append(h.Problems, fmt.Sprintf("%d facts wait to be written, at %d further ones are refused", stats.Waiting, stats.Bound))
	}
	d.storeHealth(&h, stats)
	d.clockHealth(&h)
	d.repairHealth(&h)
	d.webhookHealth(ctx, &h)
	if len(h.Problems) > 0 {
		h.Status = "failing"
	}
	return h
}

// readyAnyway is how long systemd waits for the first list of channels: an
// Asterisk that is down must not keep voipd from starting.
const readyAnyway = 10 * time.Second

// notify tells systemd that voipd is ready, how it does, and, as long as the
// loop moves, that it is alive.
func (d *Daemon) notify(ctx context.Context) {
	every := 5 * time.Second
	watchdog, err := systemd.SdWatchdogEnabled(false)
	if err == nil && watchdog > 0 {
		every = min(every, watchdog/3)
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if time.Since(d.started) > readyAnyway {
			d.ready.Do(d.sayReady)
		}
		d.tell("STATUS=" + d.statusLine())
		if watchdog > 0 && d.loop.Alive(watchdog/2) {
			d.tell(systemd.SdNotifyWatchdog)
		}
	}
}

func (d *Daemon) statusLine() string {
	link, stats := d.link.health(), d.loop.Stats()
	line := fmt.Sprintf("PBX %s, %d calls open, %d records written", link.State, stats.OpenCalls, stats.Records)
	if link.Reason != "" {
		line += " (" + link.Reason + ")"
	}
	return line
}

func (d *Daemon) sayReady() { d.tell(systemd.SdNotifyReady) }
func (d *Daemon) stopping() { d.tell(systemd.SdNotifyStopping) }

// tell is silent where there is no systemd.
func (d *Daemon) tell(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		d.opt.Log.Debug("cannot tell systemd", "state", state, "error", err)
	}
}
