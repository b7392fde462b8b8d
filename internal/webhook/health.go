package webhook

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strings"
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
	all, err := w.List(ctx)
	if err != nil {
		return // the store's own health tells it
	}
	sum := &contract.WebhookHealth{}
	h.Webhooks = sum
	var late int64
	var oldest time.Time
	for _, v := range all {
		sum.Waiting += v.Waiting
		sum.Parked += v.Parked
		if sum.Oldest.IsZero() || !v.OldestAt.IsZero() && v.OldestAt.Before(sum.Oldest) {
			sum.Oldest = v.OldestAt
		}
		switch {
		case v.State == contract.WebhookPaused:
			h.Warn("webhooks-paused", fmt.Sprintf("webhook %s is paused since %s and %d events wait for it; POST /v1/webhooks/%s/resume goes on", v.Name, v.PausedSince.Format(time.RFC3339), v.Waiting, url.PathEscape(v.Name)))
			continue
		case !v.FailingSince.IsZero() && time.Since(v.FailingSince) > failingAfter:
			h.Warn("webhooks-failing", fmt.Sprintf("webhook %s has taken nothing since %s%s: see whether it is there (voipd webhooks test %s); events wait for it, each for %s at most", v.Name, v.FailingSince.Format(time.RFC3339),
				answered(v.LastAnswer), v.Name, time.Duration(v.MaxAgeSeconds)*time.Second))
		}
		if late += v.Waiting; oldest.IsZero() || !v.OldestAt.IsZero() && v.OldestAt.Before(oldest) {
			oldest = v.OldestAt
		}
	}
	if sum.Parked > 0 {
		h.Warn("webhooks-parked", fmt.Sprintf("%d events were refused or not taken for too long; voipd webhooks list shows them, voipd webhooks retry sends them again", sum.Parked))
	}
	if !oldest.IsZero() && time.Since(oldest) > lateAfter {
		h.Warn("webhooks-late", fmt.Sprintf("%d events wait for their webhooks, the oldest since %s; voipd webhooks list --waiting shows the answers they got", late, oldest.Format(time.RFC3339)))
	}
}

// answered is the last answer in a warning.
func answered(a *contract.WebhookAnswer) string {
	switch {
	case a == nil:
		return ""
	case a.Status == 0:
		return " (no answer: " + strings.ToValidUTF8(a.Answer, "?") + ")"
	}
	return fmt.Sprintf(" (it answers %d)", a.Status)
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
