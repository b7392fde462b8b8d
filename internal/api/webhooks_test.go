package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// expect does a request as the app and reads the answer into a value, unless that is nil.
func (o *office) expect(method, path, body string, want int, into any) string {
	o.t.Helper()
	var send io.Reader
	if body != "" {
		send = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, o.server.URL+path, send)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		o.t.Fatalf("%s %s: %d, want %d: %s (%v)", method, path, res.StatusCode, want, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			o.t.Fatalf("%s %s: %s (%v)", method, path, text, err)
		}
	}
	return string(text)
}

// hook is an app that checks each event by its secret.
type hook struct {
	t      *testing.T
	secret chan string // holds the one that it knows
	got    chan contractEvent
	status chan int // one for each answer; else 204
}

type contractEvent struct {
	ID, Type string
	Call     struct{ CallID string }
}

func newHook(t *testing.T) (*hook, string) {
	h := &hook{t: t, secret: make(chan string, 1), got: make(chan contractEvent, 100), status: make(chan int, 100)}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return h, server.URL
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was stopped
	}
	secret := <-h.secret
	h.secret <- secret
	verify, err := standard.NewWebhook(secret)
	if err == nil {
		err = verify.Verify(body, r.Header)
	}
	var e contractEvent
	if err != nil || json.Unmarshal(body, &e) != nil || e.ID != r.Header.Get("webhook-id") {
		h.t.Errorf("event %s: %v", body, err)
	}
	status := http.StatusNoContent
	select {
	case status = <-h.status:
	default:
	}
	w.WriteHeader(status)
	h.got <- e
}

func (h *hook) next() contractEvent {
	h.t.Helper()
	select {
	case e := <-h.got:
		return e
	case <-time.After(30 * time.Second):
		h.t.Fatal("no event came")
		return contractEvent{}
	}
}

// runHooks delivers while the test runs.
func (o *office) runHooks() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); o.hooks.Run(ctx) }()
	o.t.Cleanup(func() { cancel(); <-done })
}

// tell writes an event of a call.
func (o *office) tell(callID string) {
	o.t.Helper()
	b := &store.Batch{Changes: []store.Change{{At: time.Now(), Kind: contract.CallEnded, CallID: callID, Body: []byte(`{"call":{"callId":"` + callID + `"}}`)}}}
	if err := o.db.Commit(context.Background(), b); err != nil {
		o.t.Fatal(err)
	}
}

// settled waits until a webhook has so many events in a state.
func (o *office) settled(state string, n int) []contract.Delivery {
	o.t.Helper()
	var list struct{ Deliveries []contract.Delivery }
	for deadline := time.Now().Add(30 * time.Second); ; {
		o.expect("GET", "/v1/webhooks/crm/deliveries?state="+state, "", 200, &list)
		if len(list.Deliveries) == n {
			return list.Deliveries
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("%d are %s, want %d", len(list.Deliveries), state, n)
		}
	}
}

// TestWebhooksByAPI: the whole life of a webhook that is added while voipd runs.
func TestWebhooksByAPI(t *testing.T) {
	o := newOffice(t)
	o.scopes(contract.ScopeHooksWrite)
	o.runHooks()
	h, url := newHook(t)
	var added struct {
		Secret  string
		Webhook contract.Webhook
	}
	body := `{"name": "crm", "url": "` + url + `/x?token=hunter2", "events": ["call.ended"]}`
	o.expect("POST", "/v1/webhooks", body, 201, &added)
	if w := added.Webhook; !strings.HasPrefix(added.Secret, "whsec_") || w.From != "api" || w.State != "working" || w.URL != url+"/x" || w.TimeoutSeconds != 10 || w.MaxAgeSeconds != 259200 {
		t.Errorf("added: %+v", added)
	}
	h.secret <- added.Secret
	o.expect("POST", "/v1/webhooks", body, 409, nil)

	var test contract.WebhookTest
	o.expect("POST", "/v1/webhooks/crm/test", "", 200, &test)
	if e := h.next(); !test.Delivered || test.Status != 204 || e.Type != contract.WebhookTested || e.ID != test.ID {
		t.Errorf("test: %+v, the app had %+v", test, e)
	}
	o.tell("1.1")
	if e := h.next(); e.Call.CallID != "1.1" {
		t.Errorf("got %+v", e)
	}
	first := o.settled("delivered", 1)[0]
	if first.Attempts != 1 || first.Status != 204 || first.Type != "call.ended" {
		t.Errorf("delivery: %+v", first)
	}

	// It refuses one, which is parked, shown, and sent again.
	h.status <- 422
	o.tell("1.2")
	h.next()
	parked := o.settled("parked", 1)[0]
	text := o.expect("GET", "/v1/webhooks/crm/deliveries/2", "", 200, nil)
	if parked.Status != 422 || !strings.Contains(text, `"event":{"id":"`+parked.ID+`"`) {
		t.Errorf("parked: %+v, %s", parked, text)
	}
	o.expect("POST", "/v1/webhooks/crm/deliveries/1/retry", "", 409, nil)
	o.expect("POST", "/v1/webhooks/crm/deliveries/9/retry", "", 404, nil)
	var again struct{ Retried int }
	o.expect("POST", "/v1/webhooks/crm/deliveries/2/retry", "", 200, &again)
	if e := h.next(); again.Retried != 1 || e.ID != parked.ID {
		t.Errorf("again: %+v, %+v", again, e)
	}
	h.status <- 400
	o.tell("1.3")
	h.next()
	o.settled("parked", 1)
	o.expect("POST", "/v1/webhooks/crm/retry", `{"since": "someday"}`, 422, nil)
	if o.expect("POST", "/v1/webhooks/crm/retry", `{"since": "2999-01-01"}`, 200, &again); again.Retried != 0 {
		t.Errorf("%+v since the far future", again)
	}
	if o.expect("POST", "/v1/webhooks/crm/retry", "", 200, &again); again.Retried != 1 {
		t.Errorf("%+v", again)
	}
	h.next()

	// Paused, it gets nothing but tests; resumed, what waited.
	var w contract.Webhook
	if o.expect("POST", "/v1/webhooks/crm/pause", "", 200, &w); w.State != "paused" || w.PausedSince.IsZero() {
		t.Errorf("paused: %+v", w)
	}
	o.tell("1.4")
	o.expect("POST", "/v1/webhooks/crm/test", "", 200, nil)
	if e := h.next(); e.Type != contract.WebhookTested {
		t.Errorf("paused, it has %+v", e)
	}
	if o.expect("GET", "/v1/webhooks/crm", "", 200, &w); w.Waiting != 1 || w.LastAnswer == nil || w.LastAnswer.Status != 204 {
		t.Errorf("paused: %+v", w)
	}
	o.expect("POST", "/v1/webhooks/crm/resume", "", 200, nil)
	if e := h.next(); e.Call.CallID != "1.4" {
		t.Errorf("resumed, it has %+v", e)
	}

	// Both secrets hold for a time, then the new one alone.
	var rotated struct {
		Secret         string
		OldSecretUntil time.Time
	}
	o.expect("POST", "/v1/webhooks/crm/rotate-secret", `{"overlapSeconds": 3600}`, 200, &rotated)
	o.tell("1.5")
	h.next() // checked by the old one
	<-h.secret
	h.secret <- rotated.Secret
	o.tell("1.6")
	h.next()
	if left := time.Until(rotated.OldSecretUntil); rotated.Secret == added.Secret || left > time.Hour || left < 50*time.Minute {
		t.Errorf("rotated: %+v", rotated)
	}

	// What holds a secret says it once.
	everything := o.expect("GET", "/v1/webhooks", "", 200, nil) + o.expect("GET", "/v1/webhooks/crm", "", 200, nil) + text
	for _, secret := range []string{added.Secret, rotated.Secret, "hunter2"} {
		if strings.Contains(everything, secret) {
			t.Errorf("a secret is shown: %s", everything)
		}
	}
	o.expect("DELETE", "/v1/webhooks/crm", "", 204, nil)
	o.expect("GET", "/v1/webhooks/crm", "", 404, nil)
	o.expect("DELETE", "/v1/webhooks/crm", "", 404, nil)
	o.tell("1.7")
	if list, err := o.db.Deliveries(context.Background(), store.DeliveryWaiting, 0, 10); err != nil || len(list) > 0 {
		t.Errorf("a webhook that was removed has %+v (%v)", list, err)
	}
}

// TestWebhookRefusals: what cannot be a webhook, and what a scope does not allow.
func TestWebhookRefusals(t *testing.T) {
	o := newOffice(t)
	for _, body := range []string{`{"name": "", "url": "https://x/"}`, `{"name": "a/b", "url": "https://x/"}`, `{"name": "a", "url": "ftp://x/"}`, `{"name": "a", "url": "//x"}`,
		`{"name": "a", "url": "https://x/", "events": ["call.begun"]}`, `{"name": "a", "url": "https://x/", "template": "own"}`, `{"name": "a", "url": "https://x/", "secret": "mine"}`,
		`{"name": "a", "url": "https://x/", "template": "brix", "events": ["webhook.failing"]}`, `{"name": "a", "url": "https://x/", "timeoutSeconds": -1}`} {
		o.expect("POST", "/v1/webhooks", body, 422, nil)
	}
	o.expect("GET", "/v1/webhooks/none", "", 404, nil)
	o.expect("GET", "/v1/webhooks/none/deliveries", "", 404, nil)
	o.expect("POST", "/v1/webhooks/none/test", "", 404, nil)
	o.scopes(contract.ScopeHooksRead)
	o.expect("GET", "/v1/webhooks", "", 200, nil)
	o.expect("POST", "/v1/webhooks/none/test", "", 403, nil)
	o.expect("DELETE", "/v1/webhooks/none", "", 403, nil)
	o.expect("GET", "/v1/records", "", 403, nil)
	o.scopes(contract.ScopeRecords, contract.ScopeAdmin)
	o.expect("GET", "/v1/webhooks", "", 403, nil)
}

// TestWebhookSecretIsNotKept: a request that adds a webhook leaves its answer, which
// has the secret, nowhere, also where it has an Idempotency-Key.
func TestWebhookSecretIsNotKept(t *testing.T) {
	o := newOffice(t)
	for n, want := range []int{201, 409} {
		req, err := http.NewRequest("POST", o.server.URL+"/v1/webhooks", bytes.NewReader([]byte(`{"name": "crm", "url": "https://crm.invalid/"}`)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", "k")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("request %d: %d, want %d", n, res.StatusCode, want)
		}
	}
}
