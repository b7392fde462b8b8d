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
			inFlight: map[string]bool{}, results: make(chan result)})
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
