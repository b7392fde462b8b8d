package webhook

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// lateAfter is how old an event that waits may be before health warns.
const lateAfter = 15 * time.Minute

// Health adds how much of the outbox is not done. Any goroutine may call it.
func (w *Worker) Health(ctx context.Context, h *contract.Health) {
	if len(w.current()) == 0 {
		return
	}
	o, err := w.opt.Store.Outbox(ctx)
	if err != nil {
		return // the store's own health tells it
	}
	h.Webhooks = &contract.WebhookHealth{Waiting: o.Waiting, Parked: o.Parked, Oldest: o.Oldest}
	if o.Parked > 0 {
		h.Warn("webhooks-parked", fmt.Sprintf("%d events were refused or not taken for too long; voipd webhooks list shows them, voipd webhooks retry sends them again", o.Parked))
	}
	if !o.Oldest.IsZero() && time.Since(o.Oldest) > lateAfter {
		h.Warn("webhooks-late", fmt.Sprintf("%d events wait for their webhooks, the oldest since %s; voipd webhooks list --waiting shows the answers they got", o.Waiting, o.Oldest.Format(time.RFC3339)))
	}
}

// Metrics are read when somebody asks for them; NaN where the store cannot be
// read.
func (w *Worker) Metrics() []prometheus.Collector {
	gauge := func(name, help string, f func(store.Outbox) float64) prometheus.Collector {
		return contract.Gauge(name, help, func() float64 {
			o, err := w.opt.Store.Outbox(context.Background())
			if err != nil {
				return math.NaN()
			}
			return f(o)
		})
	}
	return []prometheus.Collector{
		gauge("webhooks_waiting", "Events that wait for their webhook.", func(o store.Outbox) float64 { return float64(o.Waiting) }),
		gauge("webhooks_parked", "Events given up until voipd webhooks retry.", func(o store.Outbox) float64 { return float64(o.Parked) }),
		gauge("webhooks_oldest_seconds", "Age of the oldest event that waits; 0: none waits.", func(o store.Outbox) float64 {
			if o.Oldest.IsZero() {
				return 0
			}
			return time.Since(o.Oldest).Seconds()
		}),
	}
}
