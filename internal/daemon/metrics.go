package daemon

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/voipd/voipd/store"
)

// newLag makes the histogram of how long facts take from their arrival to the
// disk. On a quiet PBX it is some 20 ms, for which the loop waits for more; a disk
// in trouble makes it minutes. Between 10 ms and 5 s no bucket reaches further
// than a third beyond the one before, so that p50 and p99 can be told.
func newLag() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "voipd_commit_lag_seconds", Help: "From the arrival of a fact to the end of the transaction that put it on the disk.",
		Buckets: []float64{.001, .002, .003, .005, .0075, .01, .0125, .015, .02, .025, .03, .04, .05, .06, .075, .1, .125, .15, .2, .25, .3, .4, .5, .6, .75,
			1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120, 300},
	})
}

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
	gauge("queue_bound", "How many facts may wait; more are refused.", func() float64 { return float64(d.loop.Stats().Bound) })
	gauge("open_calls", "Calls going on.", func() float64 { return float64(d.loop.Stats().OpenCalls) })
	counter("records_total", "Records written, corrections included.", func() float64 { return float64(d.loop.Stats().Records) })
	counter("commits_total", "Transactions committed.", func() float64 { return float64(d.loop.Stats().Commits) })
	r.MustRegister(d.lag)
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
