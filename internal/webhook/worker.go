package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/voipd/voipd/store"
)

const (
	// parallel is how many events an endpoint gets at once, each of another
	// call.
	parallel = 8
	// ahead is how many events that are due are read at once, and settleMany how
	// many are settled at once while there are others to send; settleSoon bounds
	// how long they wait for each other.
	ahead, settleMany, settleSoon = 64, 32, 20 * time.Millisecond
	// poll is how often the outbox is looked at when nothing happens: another
	// process ("voipd webhooks retry") may have changed it.
	poll = 2 * time.Second
	// downAfter failures in a row an endpoint counts as down: it gets one event
	// at a time, and after each failure a longer pause, up to pauseLast.
	downAfter, pauseLast = parallel, time.Minute
	// grace is how long events under way may take when voipd stops; then they
	// are cut, and sent again after the next start.
	grace = 2 * time.Second
)

// Options of a Worker.
type Options struct {
	Store     *store.DB
	Endpoints []Endpoint
	Transport http.RoundTripper // nil: HTTP as usual
	Log       *slog.Logger
}

// Worker delivers what the outbox holds. Make one with New, then Run it once.
type Worker struct {
	opt     Options
	runners []*runner
}

// New makes a Worker. The error names the endpoint that cannot work.
func New(ctx context.Context, opt Options) (*Worker, error) {
	w := &Worker{opt: opt}
	instance, err := opt.Store.Instance(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range opt.Endpoints {
		s, err := newSender(e, instance, opt.Transport)
		if err != nil {
			return nil, err
		}
		w.runners = append(w.runners, &runner{sender: s, store: opt.Store, log: opt.Log.With("webhook", e.Name),
			busy: map[string]bool{}, results: make(chan result)})
	}
	return w, nil
}

// Run delivers until ctx ends.
func (w *Worker) Run(ctx context.Context) {
	var names []string
	for _, r := range w.runners {
		names = append(names, r.endpoint.Name)
	}
	if n, err := w.opt.Store.ParkOthers(ctx, names); err != nil || n > 0 {
		w.opt.Log.Warn("parked what waited for webhooks that are not configured any more", "deliveries", n, "error", err)
	}
	var all sync.WaitGroup
	for _, r := range w.runners {
		all.Go(func() { r.run(ctx) })
	}
	all.Wait()
}

// runner delivers to one endpoint.
type runner struct {
	*sender
	store *store.DB
	log   *slog.Logger

	busy    map[string]bool  // calls of which an event is under way, or not settled yet
	due     []store.Delivery // to be sent, of calls that are not busy, each of another one
	results chan result
	done    []store.Delivery // not settled yet
	fails   int              // failures in a row
	pause   time.Time        // nothing is sent before
	stuck   bool             // the store could not be read or written last time
}

func (r *runner) run(ctx context.Context) {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	for {
		changed := r.store.Changed()
		wait := time.NewTimer(r.begin(ctx, sending))
		select {
		case <-changed:
		case <-wait.C:
		case res := <-r.results:
			r.take(res)
			if len(r.due) > 0 && len(r.done) < settleMany {
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
	for len(r.busy) > len(r.done) {
		r.done = append(r.done, (<-r.results).Delivery)
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	r.settle(ctx)
}

// begin sends what is due, and tells how long there is nothing to do.
func (r *runner) begin(ctx, sending context.Context) time.Duration {
	now := time.Now()
	wait := poll
	if len(r.done) > 0 && !r.stuck {
		wait = settleSoon
	}
	if r.pause.After(now) {
		return min(wait, r.pause.Sub(now))
	}
	free := parallel - len(r.busy) + len(r.done)
	if r.fails >= downAfter {
		free, r.due = 1-len(r.busy), nil
	}
	if free > 0 && len(r.due) == 0 {
		next := r.look(ctx, now)
		wait = min(wait, next)
	}
	for free > 0 && len(r.due) > 0 {
		d := r.due[0]
		r.due = r.due[1:]
		r.busy[d.Change.CallID] = true
		free--
		go func() { r.results <- r.try(sending, d) }()
	}
	return wait
}

// look reads what is due, and tells when it has to be read again.
func (r *runner) look(ctx context.Context, now time.Time) time.Duration {
	due, next, err := r.store.Due(ctx, r.endpoint.Name, now, ahead+len(r.busy))
	if r.trouble(ctx, err) {
		return poll
	}
	r.due = slices.DeleteFunc(due, func(d store.Delivery) bool { return r.busy[d.Change.CallID] })
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
	r.done = append(r.done, res.Delivery)
	if res.State == store.Parked {
		r.log.Warn("an event was not taken and is parked (voipd webhooks list)", "event", res.Change.Seq, "type", res.Change.Kind,
			"call", res.Change.CallID, "status", res.Status, "answer", res.Answer)
	}
	switch {
	case res.failed:
		r.fails++
		if r.fails == downAfter {
			r.log.Warn("the endpoint does not take events; they wait", "status", res.Status, "answer", res.Answer)
		}
		if r.fails >= downAfter {
			r.pause = time.Now().Add(min(backOff(r.fails-downAfter+1), pauseLast))
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
	away := r.fails >= downAfter
	r.fails = 0
	if !away {
		return
	}
	r.log.Info("the endpoint takes events again")
	r.trouble(context.Background(), r.store.Hasten(context.Background(), r.endpoint.Name, time.Now()))
}

// settle writes what came of tries. What cannot be written is kept and written
// the next time; until then nothing more of its calls is sent.
func (r *runner) settle(ctx context.Context) {
	if len(r.done) == 0 {
		return
	}
	if r.trouble(ctx, r.store.Settle(context.WithoutCancel(ctx), r.done)) {
		return
	}
	for _, d := range r.done {
		delete(r.busy, d.Change.CallID)
	}
	r.done = r.done[:0]
	if r.fails >= downAfter {
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
