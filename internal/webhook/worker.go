package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/voipd/voipd/store"
)

// Store is what a Worker needs of a database: a [store.ChangeLog].
type Store interface {
	Instance(context.Context) (string, error)
	Changed() <-chan struct{}
	Due(ctx context.Context, endpoint string, now time.Time, limit int) ([]store.Delivery, time.Time, error)
	Settle(context.Context, []store.Delivery) error
	Hasten(ctx context.Context, endpoint string, now time.Time) error
	ParkOld(ctx context.Context, endpoint string, before time.Time) error
	ParkOthers(ctx context.Context, endpoints []string) (int64, error)
	Outbox(context.Context) (store.Outbox, error)
}

// Options of a Worker.
type Options struct {
	Store     Store
	Endpoints []Endpoint
	Transport http.RoundTripper // nil: HTTP as usual
	Log       *slog.Logger
}

// Worker delivers what the outbox holds. Make one with New, then Run it once.
type Worker struct {
	opt      Options
	instance string

	mu      sync.Mutex
	senders []*sender
	changed chan struct{} // gets one when the senders are others
}

// New makes a Worker. The error names the endpoint that cannot work.
func New(ctx context.Context, opt Options) (*Worker, error) {
	w := &Worker{opt: opt, changed: make(chan struct{}, 1)}
	var err error
	if w.instance, err = opt.Store.Instance(ctx); err != nil {
		return nil, err
	}
	return w, w.SetEndpoints(opt.Endpoints)
}

// SetEndpoints makes the Worker deliver to these endpoints from now on, and to no
// others. Where one cannot work nothing changes, and the error names it. Any
// goroutine may call it.
func (w *Worker) SetEndpoints(endpoints []Endpoint) error {
	var senders []*sender
	for _, e := range endpoints {
		s, err := newSender(e, w.instance, w.opt.Transport)
		if err != nil {
			return err
		}
		senders = append(senders, s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.senders = senders
	select {
	case w.changed <- struct{}{}:
	default: // Run has not taken the last change up yet
	}
	return nil
}

func (w *Worker) current() []*sender {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.senders
}

// takeUp gives the senders, of whose change nobody has to be told any more.
func (w *Worker) takeUp() []*sender {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.changed:
	default:
	}
	return w.senders
}

// Run delivers until ctx ends. Where the endpoints change, what is under way is
// finished first.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		w.deliver(ctx, w.takeUp())
	}
}

// deliver delivers until ctx ends or the endpoints change.
func (w *Worker) deliver(ctx context.Context, senders []*sender) {
	var names []string
	for _, s := range senders {
		names = append(names, s.endpoint.Name)
	}
	if n, err := w.opt.Store.ParkOthers(ctx, names); err != nil || n > 0 {
		w.opt.Log.Warn("parked what waited for webhooks that are not configured any more", "deliveries", n, "error", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, s := range senders {
		r := &runner{sender: s, store: w.opt.Store, log: w.opt.Log.With("webhook", s.endpoint.Name), inFlight: map[string]bool{}, results: make(chan result)}
		all.Go(func() { r.run(ctx) })
	}
	select {
	case <-w.changed:
	case <-ctx.Done():
	}
	stop()
	all.Wait()
}
