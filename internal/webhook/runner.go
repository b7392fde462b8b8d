package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/voipd/voipd/store"
)

const (
	// parallel is how many events an endpoint gets at once, each of another
	// call.
	parallel = 8
	// ahead is how many events that are due are read at once.
	ahead = 64
	// writeMany results are written at once while there are others to send, and
	// none waits longer than writeSoon for the rest.
	writeMany, writeSoon = 32, 20 * time.Millisecond
	// poll is how often the outbox is read when nothing happens: another
	// process ("voipd webhooks retry") may have changed it.
	poll = 2 * time.Second
	// downAfter failures in a row an endpoint counts as down: it gets one event
	// at a time, and after each failure a longer pause, up to pauseLast.
	downAfter, pauseLast = parallel, time.Minute
	// parkEvery is how often what is too old is parked while an endpoint is down.
	parkEvery = time.Minute
	// grace is how long events under way may take when voipd stops; then they
	// are cut, and sent again after the next start.
	grace = 2 * time.Second
)

// runner delivers to one endpoint.
type runner struct {
	*sender
	store Store
	log   *slog.Logger
	state *state

	inFlight  map[string]bool  // calls of which an event is being sent
	unsettled []store.Delivery // tried, and the result not written yet
	due       []store.Delivery // to be sent, each of another call and of none of those above
	results   chan result
	fails     int       // failures in a row
	first     time.Time // when the first of them was
	pause     time.Time // nothing is sent before
	parked    time.Time // when what is too old was parked the last time
	stuck     bool      // the store could not be read or written last time
}

func (r *runner) run(ctx context.Context) {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for {
		changed := r.store.Changed()
		wait := time.NewTimer(r.send(ctx, sending))
		select {
		case <-changed:
		case <-wait.C:
		case res := <-r.results:
			r.take(res)
			if len(r.due) > 0 && len(r.unsettled) < writeMany {
				wait.Stop()
				continue
			}
		case <-ctx.Done():
			wait.Stop()
			r.stop(cut)
			return
		}
		wait.Stop()
		r.settle(ctx)
	}
}

// stop waits for what is under way, and cuts what takes too long.
func (r *runner) stop(cut context.CancelFunc) {
	late := time.AfterFunc(grace, cut)
	defer late.Stop()
	for len(r.inFlight) > 0 {
		r.arrived((<-r.results).Delivery)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	r.settle(ctx)
}

// send starts as many deliveries as may go out now, and tells after how long
// there may be more.
func (r *runner) send(ctx, sending context.Context) time.Duration {
	now, wait := time.Now(), poll
	if len(r.unsettled) > 0 && !r.stuck {
		wait = writeSoon
	}
	if r.pause.After(now) {
		return min(wait, r.pause.Sub(now))
	}
	if r.down() {
		r.due = nil // each try is of what is the oldest then
	}
	free := r.free()
	if free > 0 && len(r.due) == 0 {
		wait = min(wait, r.read(ctx, now))
	}
	for range min(free, len(r.due)) {
		r.start(sending)
	}
	return wait
}

// down tells whether the endpoint does not take events at the moment.
func (r *runner) down() bool { return r.fails >= downAfter }

// free is how many more events may be sent now. One that is down gets one, and
// the next only when the result is written.
func (r *runner) free() int {
	if r.down() {
		return max(0, 1-len(r.inFlight)-len(r.unsettled))
	}
	return parallel - len(r.inFlight)
}

// start sends the first event that is due.
func (r *runner) start(sending context.Context) {
	d := r.due[0]
	r.due = r.due[1:]
	r.inFlight[d.Change.CallID] = true
	go func() { r.results <- r.try(sending, d) }()
}

// arrived notes that a delivery is not under way any more.
func (r *runner) arrived(d store.Delivery) {
	delete(r.inFlight, d.Change.CallID)
	r.unsettled = append(r.unsettled, d)
}

// waits tells whether the next event of a call has to wait for an earlier one.
func (r *runner) waits(callID string) bool {
	return r.inFlight[callID] || slices.ContainsFunc(r.unsettled, func(d store.Delivery) bool { return d.Change.CallID == callID })
}

// read reads what is due, and tells when it has to be read again.
func (r *runner) read(ctx context.Context, now time.Time) time.Duration {
	due, next, err := r.store.Due(ctx, r.endpoint.Name, now, ahead+len(r.inFlight)+len(r.unsettled))
	if r.trouble(ctx, err) {
		return poll
	}
	r.due = slices.DeleteFunc(due, func(d store.Delivery) bool { return r.waits(d.Change.CallID) })
	if next.IsZero() {
		return poll
	}
	return min(poll, max(next.Sub(now), time.Millisecond))
}

// take notes what came of a try, with all others that are there by now.
func (r *runner) take(res result) {
	for {
		r.note(res)
		select {
		case res = <-r.results:
		default:
			return
		}
	}
}

func (r *runner) note(res result) {
	r.arrived(res.Delivery)
	if res.State == store.Parked {
		r.log.Warn("an event was not taken and is parked (voipd webhooks list)", "event", res.Change.Seq, "type", res.Change.Kind,
			"call", res.Change.CallID, "status", res.Status, "answer", res.Answer)
	}
	now := time.Now()
	if res.failed || res.answered {
		r.state.answered(now, res.Status, res.Answer)
	}
	switch {
	case res.failed:
		if r.fails++; r.fails == 1 {
			r.first = now
		}
		if r.fails == downAfter {
			r.log.Warn("the endpoint does not take events; they wait", "status", res.Status, "answer", res.Answer)
		}
		if r.down() {
			r.state.fails(r.first)
			r.pause = now.Add(min(backOff(r.fails-downAfter+1), pauseLast))
		}
		if res.pause.After(r.pause) {
			r.pause = res.pause
		}
	case res.answered:
		r.up()
	}
}

// up: the endpoint answers. What waits for its next try is due now, if it was
// away.
func (r *runner) up() {
	away := r.down()
	r.fails = 0
	r.state.works()
	if !away {
		return
	}
	r.log.Info("the endpoint takes events again")
	r.trouble(context.Background(), r.store.Hasten(context.Background(), r.endpoint.Name, time.Now()))
}

// settle writes what came of tries. What cannot be written is kept and written
// the next time; until then nothing more of its calls is sent.
func (r *runner) settle(ctx context.Context) {
	if len(r.unsettled) == 0 {
		return
	}
	if r.trouble(ctx, r.store.Settle(context.WithoutCancel(ctx), r.unsettled)) {
		return
	}
	r.unsettled = r.unsettled[:0]
	if now := time.Now(); r.down() && now.Sub(r.parked) > parkEvery {
		r.parked = now
		r.trouble(ctx, r.store.ParkOld(ctx, r.endpoint.Name, time.Now().Add(-r.endpoint.MaxAge)))
	}
}

// trouble tells whether the store failed, and logs the first time.
func (r *runner) trouble(ctx context.Context, err error) bool {
	if err == nil {
		r.stuck = false
		return false
	}
	if !r.stuck && ctx.Err() == nil {
		r.log.Error("the outbox cannot be read or written; will try again", "error", fmt.Errorf("deliver: %w", err))
	}
	r.stuck = true
	return true
}
