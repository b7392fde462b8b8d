package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"github.com/voipd/voipd/store"
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
