package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// slowAfter is how long a write may take before health warns.
const slowAfter = 2 * time.Second

// Health adds the state of the queue and of writing. Any goroutine may call it.
func (l *Loop) Health(ctx context.Context, h *contract.Health) {
	s := l.Stats()
	h.LastEvent, h.OpenCalls = s.LastEvent, s.OpenCalls
	h.Queue = contract.QueueHealth{Waiting: s.Waiting, Bound: s.Bound, Refused: s.Refused}
	h.Store = contract.StoreHealth{OK: s.StoreError == "", Error: s.StoreError, LastCommit: s.LastCommit}
	h.Store.Bytes, h.Store.LogBytes = l.opt.Store.Sizes()
	h.Store.DiskFree, h.Store.DiskBytes = l.opt.Store.Room()
	if !h.Store.OK {
		h.Fail("records cannot be written, they wait in memory: " + h.Store.Error)
	}
	switch {
	case s.Refusing:
		h.Fail(fmt.Sprintf("the queue was full and facts were refused, %d since the start: as soon as the %d that wait are written, a gap is marked, which CEL or CDR repairs",
			s.Refused, s.Waiting))
	case s.Waiting > s.Bound/2:
		h.Fail(fmt.Sprintf("%d facts wait to be written, at %d further ones are refused", s.Waiting, s.Bound))
	}
	if s.Booting {
		h.Start(fmt.Sprintf("the facts of calls that were open are replayed: %d of %d", s.Replayed, s.JournalSize))
	}
	if facts, calls, latest, err := l.opt.Store.InQuarantine(ctx); err == nil && facts > 0 { // what a store that fails says is below
		h.Quarantine = &contract.QuarantineHealth{Facts: facts, Calls: calls, Latest: latest}
		h.Warn("facts-quarantined", fmt.Sprintf("%d facts of %d calls could not be understood and are set aside, so the records of these calls are approximate. "+
			"Please report it: voipd export %s writes them without numbers and names. They are dropped after store.keep_traces", facts, calls, latest))
	}
	if s.Trouble != "" {
		h.Warn(string(s.Trouble), fmt.Sprintf("records cannot be written: %s. Up to %d facts wait in memory; then further ones are refused and a gap is marked", s.Trouble.Do(), s.Bound))
	}
	l.bulk(s, h)
	if slow(s) {
		h.Warn("store-slow", fmt.Sprintf("writing takes long (the last time %s); find out what else uses the disk", s.CommitTook.Round(time.Millisecond)))
	}
}

const (
	// behindAfter is how long a fact may wait for the loop before health warns.
	behindAfter = 10 * time.Second
	// manyCalls going on at once look like channels that the PBX has lost: each
	// costs some kilobytes of memory.
	manyCalls = 20_000
	// endless is how long a call may go on before health asks whether it is one.
	endless = 24 * time.Hour
)

// bulk warns of what grows without a fault that something else would tell.
func (l *Loop) bulk(s Stats, h *contract.Health) {
	if at := l.queue.oldest(); !at.IsZero() && time.Since(at) > behindAfter && s.Trouble == "" && !s.Booting {
		h.Warn("behind", fmt.Sprintf("facts are taken in %s after they came: this machine is too slow for its PBX, or one call is very large", time.Since(at).Round(time.Second)))
	}
	if s.Twice != "" {
		h.Warn("id-used-twice", fmt.Sprintf("the PBX gave the id of an earlier call again (record %s): its clock started at a time that had been before; set it from the network (chrony)", s.Twice))
	}
	if s.OpenCalls > manyCalls {
		h.Warn("many-open-calls", fmt.Sprintf("%d calls are going on; where the PBX (core show channels count) has fewer, restart voipd and report it", s.OpenCalls))
	}
	if s.Booting {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, oldest := 0, record.Live{}
	for _, live := range l.live {
		began := live.Record.Details.StartedAt
		if s.LastEvent.Sub(began) < endless {
			continue
		}
		if n++; n == 1 || began.Before(oldest.Record.Details.StartedAt) {
			oldest = live
		}
	}
	if n > 0 {
		h.Warn("calls-without-end", fmt.Sprintf("%d calls have been going on for more than a day, the longest is %s: a channel may hang in the PBX (core show channels verbose)", n, oldest.Record.CallID))
	}
}

func slow(s Stats) bool {
	return !s.Writing.IsZero() && time.Since(s.Writing) > slowAfter && s.Trouble == store.Trouble("") || s.CommitTook > slowAfter
}

// Metrics are read when somebody asks for them.
func (l *Loop) Metrics() []prometheus.Collector {
	counter := func(name, help string, f func(Stats) int64) prometheus.Collector {
		return contract.Counter(name, help, func() float64 { return float64(f(l.Stats())) })
	}
	gauge := func(name, help string, f func(Stats) int) prometheus.Collector {
		return contract.Gauge(name, help, func() float64 { return float64(f(l.Stats())) })
	}
	return []prometheus.Collector{
		counter("facts_total", "Facts applied.", func(s Stats) int64 { return s.Applied }),
		counter("facts_refused_total", "Facts refused because the queue was full.", func(s Stats) int64 { return s.Refused }),
		gauge("queue_facts", "Facts that wait to be applied.", func(s Stats) int { return s.Waiting }),
		gauge("queue_bound", "How many facts may wait; more are refused.", func(s Stats) int { return s.Bound }),
		gauge("open_calls", "Calls going on.", func(s Stats) int { return s.OpenCalls }),
		counter("records_total", "Records written, corrections included.", func(s Stats) int64 { return s.Records }),
		counter("commits_total", "Transactions committed.", func(s Stats) int64 { return s.Commits }),
		gauge("store_failing", "1 while records cannot be written.", func(s Stats) int {
			if s.StoreError != "" {
				return 1
			}
			return 0
		}),
		l.lagged,
	}
}

// newLag makes the histogram of how long facts take from their arrival to the
// disk. On a quiet PBX it is some 20 ms, for which the loop waits for more; a disk
// in trouble makes it minutes. Between 10 ms and 5 s no bucket reaches further
// than a third beyond the one before, so that p50 and p99 can be read from it.
func newLag() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "voipd_commit_lag_seconds", Help: "From the arrival of a fact to the end of the transaction that put it on the disk.",
		Buckets: []float64{.001, .002, .003, .005, .0075, .01, .0125, .015, .02, .025, .03, .04, .05, .06, .075, .1, .125, .15, .2, .25, .3, .4, .5, .6, .75,
			1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30, 60, 120, 300},
	})
}
