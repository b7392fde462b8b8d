package webhook

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// failingAfter is for how long a webhook takes nothing before health warns and
// webhook.failing is told.
const failingAfter = time.Hour

// state is how an endpoint does. What of it outlasts a restart is in the store.
type state struct {
	name   string
	worker *Worker

	mu     sync.Mutex
	kept   store.Webhook // its row, or what would be in it
	latest *contract.WebhookAnswer
}

// answered notes what came of a request.
func (s *state) answered(now time.Time, status int, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = &contract.WebhookAnswer{At: now.UTC(), Status: status, Answer: answer}
}

// row gives what is kept of the endpoint.
func (s *state) row() store.Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

func (s *state) last() *contract.WebhookAnswer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.latest
}

// keep changes what is kept of the endpoint. Where it cannot be written nothing
// changes.
func (s *state) keep(ctx context.Context, change func(*store.Webhook)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	row := s.kept
	change(&row)
	row.Name = s.name
	if err := s.worker.opt.Store.PutWebhook(ctx, row); err != nil {
		return err
	}
	s.kept = row
	return nil
}

// fails notes that the endpoint takes nothing since then, and tells it when that
// has lasted for long.
func (s *state) fails(since time.Time) {
	ctx := context.Background()
	row := s.row()
	if row.Failing.IsZero() {
		s.trouble(s.keep(ctx, func(w *store.Webhook) { w.Failing, w.Told = since, false }))
		return
	}
	if row.Told || time.Since(row.Failing) < failingAfter {
		return
	}
	if !s.trouble(s.worker.tellFailing(ctx, s.name, row.Failing, s.last())) {
		s.trouble(s.keep(ctx, func(w *store.Webhook) { w.Told = true }))
	}
}

// works notes that the endpoint answers.
func (s *state) works() {
	if !s.row().Failing.IsZero() {
		s.trouble(s.keep(context.Background(), func(w *store.Webhook) { w.Failing, w.Told = time.Time{}, false }))
	}
}

// trouble logs that the store failed: it is tried again after the next answer.
func (s *state) trouble(err error) bool {
	if err != nil {
		s.worker.opt.Log.Error("how a webhook does cannot be kept", "webhook", s.name, "error", err)
	}
	return err != nil
}

// tellFailing tells the other endpoints, of those that ask for it, that one fails.
func (w *Worker) tellFailing(ctx context.Context, name string, since time.Time, latest *contract.WebhookAnswer) error {
	var to []store.Recipient
	for _, s := range w.current() {
		if s.endpoint.Name != name && s.endpoint.Wants(contract.WebhookFails) {
			to = append(to, store.Recipient{Endpoint: s.endpoint.Name})
		}
	}
	if len(to) == 0 {
		return nil
	}
	waiting, err := w.opt.Store.OutboxOf(ctx)
	if err != nil {
		return err
	}
	body := contract.WebhookBody{Webhook: contract.FailingWebhook{Name: name, FailingSince: since.UTC(), Waiting: waiting[name].Waiting}}
	if latest != nil {
		body.Webhook.Status, body.Webhook.Answer = latest.Status, latest.Answer
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return w.opt.Store.Tell(ctx, store.Change{At: time.Now(), Kind: contract.WebhookFails, Body: contract.Stamped(text)}, to)
}
