package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/store"
)

// worker is one in a test, and what stops it.
func worker(t *testing.T, db *store.DB, way http.RoundTripper, endpoints ...webhook.Endpoint) (*webhook.Worker, func()) {
	t.Helper()
	w, err := webhook.New(context.Background(), webhook.Options{Store: db, Endpoints: endpoints, Transport: way, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	return w, func() { cancel(); <-done }
}

// TestFailing: of an endpoint that takes nothing for hours health tells, and another
// endpoint that asks for it is told once, also where voipd is restarted meanwhile;
// one that does not ask is not. Once it is back all is well.
func TestFailing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		back := time.Now().Add(5 * time.Hour)
		told := map[string][]string{}
		way, closeAll := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body bytes.Buffer
			if _, err := body.ReadFrom(r.Body); err != nil {
				return
			}
			if r.Host == "crm" && time.Now().Before(back) {
				http.Error(w, "being put up anew", http.StatusNotFound)
				return
			}
			if strings.Contains(body.String(), `"type":"webhook.failing"`) {
				told[r.Host] = append(told[r.Host], body.String())
			}
		}))
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret, Events: []string{contract.CallEnded, contract.WebhookFails}}
		all := webhook.Endpoint{Name: "all", URL: "http://all/", Secret: secret}
		ops := webhook.Endpoint{Name: "ops", URL: "http://ops/", Secret: secret, Events: []string{contract.WebhookFails}}
		db := openStore(t, dbFile(t), crm, all, ops)
		w, stop := worker(t, db, way, crm, all, ops)
		put(t, db, 0, 3, contract.CallEnded)
		after(30 * time.Minute)
		if h := health(t, w); h.Warned("webhooks-failing") {
			t.Errorf("after half an hour: %+v", h.Warnings)
		}
		after(time.Hour)
		if h := health(t, w); !h.Warned("webhooks-failing") {
			t.Errorf("after an hour and a half: %+v", h.Warnings)
		}
		stop()
		w, stop = worker(t, db, way, crm, all, ops)
		after(2 * time.Hour)
		if v, err := w.Show(context.Background(), "crm"); err != nil || v.State != contract.WebhookFailing || v.Waiting != 3 || v.LastAnswer == nil || v.LastAnswer.Status != 404 {
			t.Errorf("shown as %+v (%v)", v, err)
		}
		after(2 * time.Hour)
		if h := health(t, w); h.Warned("webhooks-failing") || h.Warned("webhooks-late") {
			t.Errorf("it is back: %+v", h.Warnings)
		}
		stop()
		closeAll()
		var e struct{ Webhook contract.FailingWebhook }
		if len(told["ops"]) != 1 || len(told["all"])+len(told["crm"]) > 0 {
			t.Fatalf("told: %q", told)
		}
		if err := json.Unmarshal([]byte(told["ops"][0]), &e); err != nil || e.Webhook.Name != "crm" || e.Webhook.Status != 404 || e.Webhook.Waiting != 3 || e.Webhook.FailingSince.IsZero() {
			t.Errorf("told: %s (%v)", told["ops"][0], err)
		}
		db.Close()
	})
}

func health(t *testing.T, w *webhook.Worker) contract.Health {
	t.Helper()
	var h contract.Health
	w.Health(context.Background(), &h)
	return h
}

// TestTwoSecrets: while a secret and the one before hold, a receiver that knows either
// takes the event; when the time is over, only one that knows the new one does.
func TestTwoSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const old = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		var headers []http.Header
		var bodies [][]byte
		way, closeAll := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var body bytes.Buffer
			if _, err := body.ReadFrom(r.Body); err != nil {
				t.Error(err)
			}
			headers, bodies = append(headers, r.Header.Clone()), append(bodies, body.Bytes())
		}))
		crm := webhook.Endpoint{Name: "crm", URL: "http://crm/", Secret: secret, OldSecret: old, OldUntil: time.Now().Add(time.Hour)}
		db := openStore(t, dbFile(t), crm)
		_, stop := worker(t, db, way, crm)
		put(t, db, 0, 1, contract.CallEnded)
		after(time.Minute)
		takes := func(key string, n int) bool {
			verify, err := standard.NewWebhook(key)
			if err != nil {
				t.Fatal(err)
			}
			return verify.Verify(bodies[n], headers[n]) == nil
		}
		if len(bodies) != 1 || !takes(secret, 0) || !takes(old, 0) {
			t.Error("one of two secrets does not hold")
		}
		after(time.Hour)
		put(t, db, 1, 2, contract.CallEnded)
		after(time.Minute)
		if len(bodies) != 2 || !takes(secret, 1) || takes(old, 1) {
			t.Error("the old secret holds for too long, or the new one does not")
		}
		stop()
		closeAll()
		db.Close()
	})
}

// TestAddedOutlivesRestart: what was added and paused by the API is so after a
// restart, and the configuration's name goes before.
func TestAddedOutlivesRestart(t *testing.T) {
	ctx := context.Background()
	path := dbFile(t)
	db := openStore(t, path)
	w, stop := worker(t, db, broken{})
	key, err := w.Add(ctx, contract.NewWebhook{Name: "crm", URL: "https://crm.invalid/", Template: "brix", Events: []string{contract.CallEnded}, TimeoutSeconds: 3})
	if err == nil {
		err = w.Pause(ctx, "crm")
	}
	if err != nil {
		t.Fatal(err)
	}
	stop()
	db.Close()
	db = openStore(t, path)
	w, stop = worker(t, db, broken{})
	v, err := w.Show(ctx, "crm")
	if err != nil || v.State != contract.WebhookPaused || v.From != contract.WebhookAPI || v.Template != "brix" || v.TimeoutSeconds != 3 {
		t.Errorf("after a restart: %+v (%v)", v, err)
	}
	if list, err := webhook.Added(ctx, db); err != nil || len(list) != 1 || list[0].Secret != key {
		t.Errorf("added: %+v (%v)", list, err)
	}
	if err := w.SetEndpoints(ctx, []webhook.Endpoint{{Name: "crm", URL: "https://file.invalid/", Secret: secret}}); err != nil {
		t.Fatal(err)
	}
	if list, err := w.List(ctx); err != nil || len(list) != 1 || list[0].URL != "https://file.invalid/" || list[0].From != contract.WebhookConfiguration {
		t.Errorf("with one of the configuration: %+v (%v)", list, err)
	}
	for _, err := range []error{w.Remove(ctx, "crm"), func() error { _, _, err := w.Rotate(ctx, "crm", time.Hour); return err }()} {
		if refusal, ok := err.(*contract.Refusal); !ok || refusal.Code != contract.WebhookInFile {
			t.Errorf("one of the configuration: %v", err)
		}
	}
	stop()
	db.Close()
}
