package webhook_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// pipes is a network in memory, which testing/synctest can see through.
type pipes struct {
	conns chan net.Conn
	over  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), over: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.over:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error { p.once.Do(func() { close(p.over) }); return nil }

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipes"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.over:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// receiver is an app that takes events, and fails as it is told to.
type receiver struct {
	t      *testing.T
	verify *standard.Webhook
	fail   func(n int, w http.ResponseWriter, r *http.Request, take func()) // nil: answers 200; n: number of the request

	mu      sync.Mutex
	n       int
	bodies  map[string]string // by id, as taken first
	doubles int
	order   map[string][]int64 // seqs by call, as taken first
	taken   chan struct{}      // gets one for each event taken first; nil: nobody waits
}

func newReceiver(t *testing.T) *receiver {
	verify, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{t: t, verify: verify, bodies: map[string]string{}, order: map[string][]int64{}}
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // cut by the sender, who stops
	}
	if err := r.verify.Verify(body, req.Header); err != nil {
		r.t.Errorf("signature: %v", err)
	}
	r.mu.Lock()
	r.n++
	n := r.n
	r.mu.Unlock()
	take := func() { r.take(req.Header.Get("webhook-id"), body) }
	if r.fail != nil {
		r.fail(n, w, req, take)
		return
	}
	take()
}

func (r *receiver) take(id string, body []byte) {
	var e webhook.Event
	if err := json.Unmarshal(body, &e); err != nil || e.ID != id || e.Call.CallID == "" {
		r.t.Errorf("event %s: %s (%v)", id, body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if had, again := r.bodies[id]; again {
		r.doubles++
		if had != string(body) {
			r.t.Errorf("event %s came again with another body", id)
		}
		return
	}
	r.bodies[id] = string(body)
	call := r.order[e.Call.CallID]
	if len(call) > 0 && call[len(call)-1] >= e.Seq {
		r.t.Errorf("call %s: event %d came behind %d", e.Call.CallID, e.Seq, call[len(call)-1])
	}
	r.order[e.Call.CallID] = append(call, e.Seq)
	if r.taken != nil {
		r.taken <- struct{}{}
	}
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}

func (r *receiver) requests() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// cut ends the connection without an answer.
func cut(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

// linger waits as a slow app does, until the sender gives up.
func linger(req *http.Request, d time.Duration) {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-req.Context().Done():
	}
}

// badDays fails three times in ten: refuses for now, takes what it does not
// confirm, answers too late or never; and it is away for a day.
func badDays(seed int64, awayFrom, awayTo time.Time) func(int, http.ResponseWriter, *http.Request, func()) {
	random, mu := rand.New(rand.NewSource(seed)), sync.Mutex{}
	return func(_ int, w http.ResponseWriter, req *http.Request, take func()) {
		mu.Lock()
		draw := random.Intn(100)
		mu.Unlock()
		now := time.Now()
		switch {
		case now.After(awayFrom) && now.Before(awayTo):
			cut(w)
		case draw < 10:
			http.Error(w, "try again", http.StatusInternalServerError)
		case draw < 13:
			w.Header().Set("Retry-After", "3")
			http.Error(w, "too many", http.StatusTooManyRequests)
		case draw < 18:
			linger(req, time.Minute) // never answers
		case draw < 23:
			take()
			linger(req, time.Minute) // takes it and answers too late
		case draw < 30:
			take()
			cut(w) // takes it, and its answer is lost
		default:
			take()
		}
	}
}

// outbox is a store with a worker's endpoints.
func openStore(t testing.TB, path string, endpoints ...webhook.Endpoint) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	db.Deliver(webhook.Recipients(endpoints))
	return db
}

func dbFile(t testing.TB) string { return filepath.Join(t.TempDir(), "voipd.db") }

// put writes events of calls "1.FROM" to "1.TO", one of each kind a call.
func put(t *testing.T, db *store.DB, from, to int, kinds ...string) {
	t.Helper()
	b := &store.Batch{}
	for n := from; n < to; n++ {
		id := fmt.Sprintf("1.%d", n)
		for _, kind := range kinds {
			b.Changes = append(b.Changes, store.Change{At: time.Now(), Kind: kind, CallID: id, Body: []byte(`{"call":{"callId":"` + id + `"}}`)})
		}
	}
	if err := db.Commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// run starts a worker and gives what stops it.
func run(t testing.TB, db *store.DB, transport http.RoundTripper, endpoints ...webhook.Endpoint) (stop func()) {
	t.Helper()
	w, err := webhook.New(context.Background(), webhook.Options{Store: db, Endpoints: endpoints, Transport: transport, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	return func() { cancel(); <-done }
}
