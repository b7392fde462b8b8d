package daemon

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/voipd/voipd/store"
)

// metrics are read from the parts when somebody asks for them.
func (d *Daemon) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauge := func(name, help string, f func() float64) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "voipd_" + name, Help: help}, f))
	}
	counter := func(name, help string, f func() float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "voipd_" + name, Help: help}, f))
	}
	gauge("pbx_up", "1 while the link to the PBX is up.", func() float64 {
		if d.link.health().State == up {
			return 1
		}
		return 0
	})
	counter("pbx_sessions_total", "Logins to the PBX.", func() float64 { return float64(d.link.health().sessions) })
	counter("pbx_malformed_total", "Messages of the PBX that could not be read.", func() float64 { return float64(d.link.health().malformed) })
	counter("facts_total", "Facts applied.", func() float64 { return float64(d.loop.Stats().Applied) })
	counter("facts_refused_total", "Facts refused because the queue was full.", func() float64 { return float64(d.loop.Stats().Refused) })
	gauge("queue_facts", "Facts that wait to be applied.", func() float64 { return float64(d.loop.Stats().Waiting) })
	gauge("open_calls", "Calls going on.", func() float64 { return float64(d.loop.Stats().OpenCalls) })
	counter("records_total", "Records written, corrections included.", func() float64 { return float64(d.loop.Stats().Records) })
	counter("commits_total", "Transactions committed.", func() float64 { return float64(d.loop.Stats().Commits) })
	outbox := func(f func(store.Outbox) float64) func() float64 {
		return func() float64 {
			o, err := d.store.Outbox(context.Background())
			if err != nil {
				return math.NaN()
			}
			return f(o)
		}
	}
	gauge("webhooks_waiting", "Events that wait for their webhook.", outbox(func(o store.Outbox) float64 { return float64(o.Waiting) }))
	gauge("webhooks_parked", "Events given up until voipd webhooks retry.", outbox(func(o store.Outbox) float64 { return float64(o.Parked) }))
	gauge("webhooks_oldest_seconds", "Age of the oldest event that waits; 0: none waits.", outbox(func(o store.Outbox) float64 {
		if o.Oldest.IsZero() {
			return 0
		}
		return time.Since(o.Oldest).Seconds()
	}))
	gauge("store_failing", "1 while records cannot be written.", func() float64 {
		if d.loop.Stats().StoreError != "" {
			return 1
		}
		return 0
	})
	return r
}
