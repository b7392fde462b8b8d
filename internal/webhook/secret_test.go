package webhook_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
)

// broken is a network on which nothing comes through.
type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

// moved is an app that sends each event on, with the secrets of its address.
type moved struct{}

func (moved) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusTemporaryRedirect, Header: http.Header{"Location": {"https://user:hunter2@elsewhere/x?token=hunter2"}}, Body: http.NoBody, Request: r}, nil
}

// TestAddressIsSecret: what an endpoint's address holds appears in no log, and in
// nothing that is kept of a delivery.
func TestAddressIsSecret(t *testing.T) {
	for name, way := range map[string]http.RoundTripper{"not reached": broken{}, "moved": moved{}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				crm := webhook.Endpoint{Name: "crm", URL: "https://user:hunter2@crm/x?token=hunter2", Secret: secret}
				db := openStore(t, dbFile(t), crm)
				var log bytes.Buffer
				w, err := webhook.New(t.Context(), webhook.Options{Store: db, Endpoints: []webhook.Endpoint{crm}, Transport: way, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); w.Run(ctx) }()
				put(t, db, 0, 12, contract.CallEnded)
				<-time.After(time.Minute)
				cancel()
				<-done
				list, err := db.Deliveries(context.Background(), "", 0, 20)
				if err != nil || len(list) != 12 || list[11].Answer == "" {
					t.Fatalf("%d deliveries (%v): %+v", len(list), err, list)
				}
				for _, d := range list {
					if strings.Contains(d.Answer, "hunter2") {
						t.Errorf("kept: %s", d.Answer)
					}
				}
				if strings.Contains(log.String(), "hunter2") {
					t.Errorf("logged: %s", log.String())
				}
				db.Close()
			})
		})
	}
}
