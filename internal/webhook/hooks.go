package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// This file is what can be asked of webhooks and done to them while voipd runs. What
// is not to be done is a *contract.Refusal.

const (
	shapePlain, shapeBRIX = "plain", "brix"
	// mostAdded webhooks there may be by the API.
	mostAdded = 50
)

// NewSecret makes a secret for signing events.
func NewSecret() string {
	key := make([]byte, 32)
	rand.Read(key)
	return "whsec_" + base64.StdEncoding.EncodeToString(key)
}

// List gives all webhooks, those of the configuration first.
func (w *Worker) List(ctx context.Context) ([]contract.Webhook, error) {
	boxes, err := w.opt.Store.OutboxOf(ctx)
	if err != nil {
		return nil, err
	}
	out := []contract.Webhook{}
	w.mu.Lock()
	senders, states := w.senders, w.states
	w.mu.Unlock()
	for _, s := range senders {
		out = append(out, shown(s, states[s.endpoint.Name], boxes[s.endpoint.Name]))
	}
	return out, nil
}

// Show gives one webhook.
func (w *Worker) Show(ctx context.Context, name string) (contract.Webhook, error) {
	s, how, err := w.find(name)
	if err != nil {
		return contract.Webhook{}, err
	}
	boxes, err := w.opt.Store.OutboxOf(ctx)
	return shown(s, how, boxes[name]), err
}

func shown(s *sender, how *state, box store.Outbox) contract.Webhook {
	e, row := &s.endpoint, how.row()
	v := contract.Webhook{Name: e.Name, URL: withoutSecrets(e.URL), Events: append([]string{}, e.Events...), Template: cmp.Or(e.Shape, shapePlain),
		From: contract.WebhookConfiguration, State: contract.WebhookWorking, TimeoutSeconds: int(e.Timeout / time.Second), MaxAgeSeconds: int(e.MaxAge / time.Second),
		Waiting: box.Waiting, Parked: box.Parked, OldestAt: box.Oldest, PausedSince: row.Paused, FailingSince: row.Failing.UTC(), LastAnswer: how.last()}
	if e.added {
		v.From = contract.WebhookAPI
	}
	if e.OldSecret != "" && time.Now().Before(e.OldUntil) {
		v.OldSecretUntil = e.OldUntil
	}
	switch {
	case !row.Paused.IsZero():
		v.State = contract.WebhookPaused
	case !row.Failing.IsZero():
		v.State = contract.WebhookFailing
	}
	return v
}

// Add adds a webhook and gives its secret, which is shown this once.
func (w *Worker) Add(ctx context.Context, n contract.NewWebhook) (secret string, err error) {
	if u, err := url.Parse(n.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
		return "", &contract.Refusal{Code: contract.WebhookUnfit, Why: `url is an address such as "https://crm.example.com/voip".`}
	}
	for _, kind := range n.Events {
		if !slices.Contains(contract.Kinds(), kind) {
			return "", &contract.Refusal{Code: contract.WebhookUnfit, Why: fmt.Sprintf("events are of %v.", contract.Kinds())}
		}
	}
	if n.Template == shapeBRIX && slices.Contains(n.Events, contract.WebhookFails) {
		return "", &contract.Refusal{Code: contract.WebhookUnfit, Why: "webhook.failing is about no call: the template brix has no shape for it."}
	}
	w.change.Lock()
	defer w.change.Unlock()
	kept, err := w.opt.Store.Webhooks(ctx)
	if err != nil {
		return "", err
	}
	several := 0
	for _, k := range kept {
		if k.URL != "" {
			several++
		}
	}
	taken := func(s *sender) bool { return s.endpoint.Name == n.Name }
	switch {
	case slices.ContainsFunc(w.current(), taken):
		return "", &contract.Refusal{Code: contract.WebhookExists, Why: "There is a webhook of that name."}
	case several >= mostAdded:
		return "", &contract.Refusal{Code: contract.TooManyWebhooks, Why: fmt.Sprintf("There are %d webhooks by the API. Remove one first.", mostAdded)}
	}
	row := store.Webhook{Name: n.Name, URL: n.URL, Kinds: n.Events, Template: cmp.Or(n.Template, shapePlain), Secret: NewSecret(),
		Timeout: time.Duration(n.TimeoutSeconds) * time.Second, MaxAge: time.Duration(n.MaxAgeSeconds) * time.Second}
	if err := w.opt.Store.PutWebhook(ctx, row); err != nil {
		return "", err
	}
	w.opt.Log.Info("a webhook was added by the API", "webhook", n.Name)
	return row.Secret, w.set(ctx, w.file)
}

// Remove removes a webhook that was added. What it has not taken is given up.
func (w *Worker) Remove(ctx context.Context, name string) error {
	w.change.Lock()
	defer w.change.Unlock()
	s, _, err := w.find(name)
	if err != nil {
		return err
	}
	if !s.endpoint.added {
		return inFile(name, "Take it out of the file and reload voipd.")
	}
	n, err := w.opt.Store.DropWebhook(ctx, name)
	if err != nil {
		return err
	}
	if err := w.set(ctx, w.file); err != nil {
		return err
	}
	late, err := w.opt.Store.DropWebhook(ctx, name) // what came in between
	w.opt.Log.Info("a webhook was removed by the API", "webhook", name, "given up", n+late)
	return err
}

func inFile(name, remedy string) error {
	return &contract.Refusal{Code: contract.WebhookInFile, Why: fmt.Sprintf("The webhook %q stands in the configuration. %s", name, remedy)}
}

// Pause holds everything for a webhook back until Resume. Both do nothing where it is
// so already.
func (w *Worker) Pause(ctx context.Context, name string) error { return w.pause(ctx, name, true) }

// Resume ends a pause.
func (w *Worker) Resume(ctx context.Context, name string) error { return w.pause(ctx, name, false) }

func (w *Worker) pause(ctx context.Context, name string, pause bool) error {
	w.change.Lock()
	defer w.change.Unlock()
	_, how, err := w.find(name)
	if err != nil || how.row().Paused.IsZero() != pause {
		return err
	}
	err = how.keep(ctx, func(k *store.Webhook) {
		if k.Paused = (time.Time{}); pause {
			k.Paused = time.Now().UTC()
		}
	})
	if err != nil {
		return err
	}
	return w.set(ctx, w.file)
}

// Rotate gives a webhook that was added a new secret, which is shown this once; the one
// before signs beside it until then.
func (w *Worker) Rotate(ctx context.Context, name string, both time.Duration) (secret string, until time.Time, err error) {
	w.change.Lock()
	defer w.change.Unlock()
	s, how, err := w.find(name)
	if err != nil {
		return "", until, err
	}
	if !s.endpoint.added {
		return "", until, inFile(name, "Put the new secret in the place of secret or secret_file there, the one before into old_secret or old_secret_file, and reload voipd.")
	}
	secret, until = NewSecret(), time.Now().Add(both).UTC().Truncate(time.Millisecond)
	err = how.keep(ctx, func(k *store.Webhook) { k.OldSecret, k.OldUntil, k.Secret = k.Secret, until, secret })
	if err != nil {
		return "", until, err
	}
	w.opt.Log.Info("a webhook has a new secret", "webhook", name, "the old one holds until", until)
	return secret, until, w.set(ctx, w.file)
}

// Deliveries lists what went to a webhook, the latest first, at most limit.
func (w *Worker) Deliveries(ctx context.Context, q store.DeliveriesOf, limit int) ([]store.Delivery, error) {
	if _, _, err := w.find(q.Endpoint); err != nil {
		return nil, err
	}
	return w.opt.Store.DeliveriesTo(ctx, q, limit)
}

// Retry makes parked deliveries to a webhook wait again, due now, and tells how many.
func (w *Worker) Retry(ctx context.Context, q store.DeliveriesOf) (int64, error) {
	if _, _, err := w.find(q.Endpoint); err != nil {
		return 0, err
	}
	return w.opt.Store.RetryTo(ctx, q, time.Now())
}

// Test sends a test event to a webhook at once, also to a paused one.
func (w *Worker) Test(ctx context.Context, name string) (contract.WebhookTest, error) {
	s, how, err := w.find(name)
	if err != nil {
		return contract.WebhookTest{}, err
	}
	out := s.test(ctx)
	how.answered(time.Now(), out.Status, out.Answer)
	return out, nil
}

// Test sends a test event to an endpoint. The error says why it cannot work.
func Test(ctx context.Context, e Endpoint, instance string, transport http.RoundTripper) (contract.WebhookTest, error) {
	s, err := newSender(e, instance, transport)
	if err != nil {
		return contract.WebhookTest{}, err
	}
	return s.test(ctx), nil
}

// test sends an event that is in no outbox, once.
func (s *sender) test(ctx context.Context) (out contract.WebhookTest) {
	began := time.Now()
	instance := s.instance + "-test-" + rand.Text()[:12]
	out.ID = contract.EventID(instance, 0)
	defer func() { out.TookMS = time.Since(began).Milliseconds() }()
	about, _ := json.Marshal(s.endpoint.Name) // a string: it cannot fail
	c := store.Change{At: began, Kind: contract.WebhookTested, Body: fmt.Appendf(nil, `{"webhook":{"name":%s}}`, about)}
	body, err := s.endpoint.Body(&c, instance)
	if err != nil {
		out.Answer = err.Error()
		return out
	}
	res, err := s.post(ctx, out.ID, began, body)
	if err != nil {
		out.Answer = withoutAddress(err)
		return out
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, excerpt)) // the status is what counts
	out.Status, out.Answer, out.Delivered = res.StatusCode, string(text), res.StatusCode/100 == 2
	if res.StatusCode/100 == 3 {
		out.Answer = "redirects are not followed: " + withoutSecrets(res.Header.Get("Location"))
	}
	return out
}
