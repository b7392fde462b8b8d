package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
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
	OutboxOf(context.Context) (map[string]store.Outbox, error)

	Deliver(store.Recipients)
	Tell(context.Context, store.Change, []store.Recipient) error
	DeliveriesTo(context.Context, store.DeliveriesOf, int) ([]store.Delivery, error)
	RetryTo(context.Context, store.DeliveriesOf, time.Time) (int64, error)
	Webhooks(context.Context) ([]store.Webhook, error)
	PutWebhook(context.Context, store.Webhook) error
	DropWebhook(ctx context.Context, name string) (int64, error)
}

// Options of a Worker.
type Options struct {
	Store     Store
	Endpoints []Endpoint        // of the configuration; the store has those that were added
	Transport http.RoundTripper // nil: HTTP as usual
	Log       *slog.Logger
}

// Worker delivers what the outbox holds. Make one with New, then Run it once.
type Worker struct {
	opt      Options
	instance string

	change  sync.Mutex // held while the endpoints change
	file    []Endpoint // of the configuration; change is held
	mu      sync.Mutex
	senders []*sender
	states  map[string]*state // by name
	changed chan struct{}     // gets one when the senders are others
}

// New makes a Worker. The error names the endpoint that cannot work.
func New(ctx context.Context, opt Options) (*Worker, error) {
	w := &Worker{opt: opt, changed: make(chan struct{}, 1), states: map[string]*state{}}
	var err error
	if w.instance, err = opt.Store.Instance(ctx); err != nil {
		return nil, err
	}
	return w, w.SetEndpoints(ctx, opt.Endpoints)
}

// SetEndpoints makes the Worker deliver to these endpoints of the configuration from
// now on, to those that were added, and to no others. Where one cannot work nothing
// changes, and the error names it. Any goroutine may call it.
func (w *Worker) SetEndpoints(ctx context.Context, endpoints []Endpoint) error {
	w.change.Lock()
	defer w.change.Unlock()
	return w.set(ctx, endpoints)
}

// set is SetEndpoints; change is held.
func (w *Worker) set(ctx context.Context, file []Endpoint) error {
	kept, err := w.opt.Store.Webhooks(ctx)
	if err != nil {
		return err
	}
	endpoints := joined(file, kept, w.opt.Log)
	var senders []*sender
	for _, e := range endpoints {
		s, err := newSender(e, w.instance, w.opt.Transport)
		if err != nil {
			return err
		}
		senders = append(senders, s)
	}
	rows := map[string]store.Webhook{}
	for _, k := range kept {
		rows[k.Name] = k
	}
	w.mu.Lock()
	states := map[string]*state{}
	for _, s := range senders {
		name := s.endpoint.Name
		if states[name] = w.states[name]; states[name] == nil {
			states[name] = &state{name: name, worker: w, kept: rows[name]}
		}
	}
	w.file, w.senders, w.states = file, senders, states
	w.mu.Unlock()
	w.opt.Store.Deliver(Recipients(endpoints))
	select {
	case w.changed <- struct{}{}:
	default: // Run has not taken the last change up yet
	}
	return nil
}

// joined are the endpoints of the configuration and those that were added. Where both
// have a name, it is the configuration's.
func joined(file []Endpoint, kept []store.Webhook, log *slog.Logger) []Endpoint {
	all, names := make([]Endpoint, 0, len(file)+len(kept)), map[string]bool{}
	for _, e := range file {
		names[e.Name] = true
		all = append(all, e)
	}
	for _, k := range kept {
		switch {
		case k.URL == "":
		case names[k.Name]:
			log.Warn("a webhook that was added by the API has the name of one of the configuration, which holds", "webhook", k.Name)
		default:
			all = append(all, added(k))
		}
	}
	return all
}

// added is an endpoint that was added by the API.
func added(k store.Webhook) Endpoint {
	e := Endpoint{Name: k.Name, URL: k.URL, Secret: k.Secret, Events: k.Kinds, Timeout: k.Timeout, MaxAge: k.MaxAge, OldSecret: k.OldSecret, OldUntil: k.OldUntil, Shape: k.Template, Body: Plain, added: true}
	if k.Template == shapeBRIX {
		e.Body = BRIX
	}
	return e
}

// Added are the endpoints that were added by the API, for who delivers to one of them
// without a Worker.
func Added(ctx context.Context, db Store) (list []Endpoint, err error) {
	kept, err := db.Webhooks(ctx)
	for _, k := range kept {
		if k.URL != "" {
			list = append(list, added(k))
		}
	}
	return list, err
}

func (w *Worker) current() []*sender {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.senders
}

// find gives the endpoint of a name and how it does.
func (w *Worker) find(name string) (*sender, *state, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.senders {
		if s.endpoint.Name == name {
			return s, w.states[name], nil
		}
	}
	return nil, nil, &contract.Refusal{Code: contract.UnknownWebhook, Why: "There is no webhook of that name; GET /v1/webhooks has all."}
}

// takeUp gives the senders, of whose change nobody has to be told any more.
func (w *Worker) takeUp() ([]*sender, map[string]*state) {
	w.mu.Lock()
	defer w.mu.Unlock()
	select {
	case <-w.changed:
	default:
	}
	return w.senders, w.states
}

// Run delivers until ctx ends. Where the endpoints change, what is under way is
// finished first.
func (w *Worker) Run(ctx context.Context) {
	for ctx.Err() == nil {
		senders, states := w.takeUp()
		w.deliver(ctx, senders, states)
	}
}

// deliver delivers until ctx ends or the endpoints change. A paused endpoint gets
// nothing, and what is for it waits.
func (w *Worker) deliver(ctx context.Context, senders []*sender, states map[string]*state) {
	var names []string
	for _, s := range senders {
		names = append(names, s.endpoint.Name)
	}
	if n, err := w.opt.Store.ParkOthers(ctx, names); err != nil || n > 0 {
		w.opt.Log.Warn("parked what waited for webhooks that there are not any more", "deliveries", n, "error", err)
	}
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for _, s := range senders {
		how := states[s.endpoint.Name]
		row := how.row()
		if !row.Paused.IsZero() {
			continue
		}
		r := &runner{sender: s, store: w.opt.Store, log: w.opt.Log.With("webhook", s.endpoint.Name), state: how, inFlight: map[string]bool{}, results: make(chan result)}
		if !row.Failing.IsZero() {
			r.fails, r.first = downAfter, row.Failing
		}
		all.Go(func() { r.run(ctx) })
	}
	select {
	case <-w.changed:
	case <-ctx.Done():
	}
	stop()
	all.Wait()
}
