// Package systemd tells systemd how voipd does: ready, what it is doing, alive,
// stopping. Without systemd it does nothing.
package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// Notifier tells systemd. Fill in its fields, then Run it once.
type Notifier struct {
	Status func() string // one line for systemctl status
	// Starting tells whether voipd still starts: systemd gives it more time then,
	// and is not told that it is ready.
	Starting func() bool
	Alive    func(within time.Duration) bool // whether voipd has moved on; else the watchdog restarts it
	Log      *slog.Logger

	ready sync.Once
}

// readyAnyway is how long systemd waits for the first list of channels: an
// Asterisk that is down must not keep voipd from starting.
const readyAnyway = 10 * time.Second

// extendBy is how much longer systemd waits each time while voipd starts.
const extendBy = time.Minute

// Run tells systemd how voipd does and, as long as it moves, that it is alive,
// until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	began, every := time.Now(), 5*time.Second
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
		switch {
		case n.Starting():
			began = time.Now()
			n.MoreTime(extendBy)
		case time.Since(began) > readyAnyway:
			n.Ready()
		}
		n.tell("STATUS=" + n.Status())
		if watchdog > 0 && n.Alive(watchdog/2) {
			n.tell(systemd.SdNotifyWatchdog)
		}
	}
}

// Ready tells that voipd does its work. Only the first call counts.
func (n *Notifier) Ready() { n.ready.Do(func() { n.tell(systemd.SdNotifyReady) }) }

// Stopping tells that voipd stops.
func (n *Notifier) Stopping() { n.tell(systemd.SdNotifyStopping) }

// MoreTime asks systemd to wait so much longer for voipd to start, or to stop.
func (n *Notifier) MoreTime(by time.Duration) {
	n.tell(fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", by.Microseconds()))
}

// tell is silent where there is no systemd.
func (n *Notifier) tell(state string) {
	if _, err := systemd.SdNotify(false, state); err != nil {
		n.Log.Debug("cannot tell systemd", "state", state, "error", err)
	}
}

// Opening tells systemd, at once and then every few seconds, that voipd still
// starts and what it does, until stop is called: of a large database, bringing
// its tables to a new version takes minutes.
func Opening(status func() string, log *slog.Logger) (stop func()) {
	n := &Notifier{Log: log}
	over := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() {
		tick := time.NewTicker(5 * time.Second)
		defer tick.Stop()
		for {
			n.MoreTime(extendBy)
			n.tell("STATUS=" + status())
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(over)
		told.Wait()
	}
}
