package webhook_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
)

// BenchmarkHangupToWebhook says how long it is from the moment that the last
// hangup of a call is read from the PBX to the moment that an app on loopback
// has its record: the queue, the Machine, the transaction (synchronous=FULL), the
// outbox, the events before it and HTTP. One call at a time, all its facts at once,
// and the next right behind it: that is a busy PBX, on which the queue waits until
// 100 ms after the write before. On a quiet one it waits 20 ms.
func BenchmarkHangupToWebhook(b *testing.B) {
	received := make(chan time.Time, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && strings.Contains(string(body), `"type":"record.created"`) {
			received <- time.Now()
		}
	}))
	defer app.Close()
	crm := webhook.Endpoint{Name: "crm", URL: app.URL, Secret: secret}
	db := openStore(b, dbFile(b), crm)
	defer db.Close()
	loop := ingest.New(ingest.Options{Rules: numbers.Default(), Store: db, Plan: webhook.Plan, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop.Run(ctx) }()
	stop := run(b, db, nil, crm)
	var events []record.Event
	if _, err := capture.Events("../../record/testdata/captures/22/in-answered/ami.txt.gz", nil, func(e record.Event) { events = append(events, e) }); err != nil {
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		call := fmt.Sprintf("%d-", len(took)) // another call each time
		for _, e := range events {
			for _, id := range []*string{&e.Channel.ID, &e.Channel.Linked, &e.Peer.ID, &e.Peer.Linked, &e.Bridge} {
				if *id != "" {
					*id = call + *id
				}
			}
			loop.Put(e)
		}
		began := time.Now()
		took = append(took, (<-received).Sub(began))
	}
	stop()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	slices.Sort(took)
	ms := func(share float64) float64 {
		return float64(took[int(share*float64(len(took)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(ms(0.50), "p50-ms")
	b.ReportMetric(ms(0.99), "p99-ms")
	b.ReportMetric(0, "ns/op")
}
