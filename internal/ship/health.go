package ship

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/contract"
)

// state is how shipping goes. The Shipper's mu guards it.
type state struct {
	seq       int64     // the centre's place; below zero: not known yet
	waiting   int64     // changes that the centre has not
	oldest    time.Time // since when the oldest of them waits; zero: none does
	committed time.Time // when the centre took the last batch; zero: none yet
	trouble   string    // why nothing is shipped; empty: it is
	since     time.Time // of the trouble
	shipped   int64     // records, each time
	refused   int64     // of these, that the centre does not take
	last      string    // why, of the last one
}

// lateAfter is how old a change that the centre has not may be before health warns.
const lateAfter = 5 * time.Minute

func (s *Shipper) lags(waiting int64, oldest time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.waiting, s.state.oldest = waiting, oldest
}

// measure sees how much waits while nothing can be shipped: all that is kept, where the
// centre's place is not known.
func (s *Shipper) measure(ctx context.Context) {
	seq := s.now().seq
	span, err := s.opt.Store.Span(ctx)
	if err != nil {
		return // the store's own health tells it
	}
	if seq < 0 {
		seq = span.First - 1
	}
	if first, err := s.opt.Store.ChangedRows(ctx, seq, 1); err == nil {
		s.lags(max(0, span.Last-seq), first.Oldest)
	}
}

// arrived notes the place of the centre.
func (s *Shipper) arrived(seq int64) {
	s.mu.Lock()
	recovered := s.state.trouble != ""
	s.state.seq, s.state.trouble = seq, ""
	s.mu.Unlock()
	if recovered {
		s.opt.Log.Info("the centre takes records again")
	}
}

func (s *Shipper) shipped(records int, refused []contract.Refused) {
	s.mu.Lock()
	s.state.committed = time.Now()
	s.state.shipped += int64(records)
	s.mu.Unlock()
	for _, r := range refused {
		s.refused(r.CallID, r.Why)
	}
}

func (s *Shipper) refused(callID, why string) {
	s.opt.Log.Error("the centre does not take a record", "call", callID, "reason", why)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.refused++
	s.state.last = callID + ": " + why
}

func (s *Shipper) failed(err error) {
	s.mu.Lock()
	first := s.state.trouble == ""
	if first {
		s.state.since = time.Now()
	}
	s.state.trouble = err.Error()
	s.mu.Unlock()
	if first {
		s.opt.Log.Warn("records wait for the centre", "reason", err)
	}
}

func (s *Shipper) now() state {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Health adds how far the centre is behind. Any goroutine may call it.
func (s *Shipper) Health(_ context.Context, h *contract.Health) {
	now := s.now()
	h.Centre = &contract.CentreHealth{OK: now.trouble == "", Error: now.trouble, Waiting: now.waiting, Oldest: now.oldest, LastCommit: now.committed.UTC()}
	switch {
	case now.trouble != "" && time.Since(now.since) > lateAfter:
		h.Warn("centre-away", fmt.Sprintf("nothing was shipped to the centre since %s: %s; records wait here, as long as store.keep_changes says, and are compared with the centre's after that", now.since.UTC().Format(time.RFC3339), now.trouble))
	case !now.oldest.IsZero() && time.Since(now.oldest) > lateAfter:
		h.Warn("centre-late", fmt.Sprintf("%d changes wait for the centre, the oldest since %s", now.waiting, now.oldest.Format(time.RFC3339)))
	}
	if now.refused > 0 {
		h.Warn("centre-refuses", fmt.Sprintf("the centre did not take %d records, the last one for this reason: %s", now.refused, now.last))
	}
}

// Metrics are the Shipper's.
func (s *Shipper) Metrics() []prometheus.Collector {
	return []prometheus.Collector{
		contract.Gauge("centre_lag_changes", "Changes that the centre has not.", func() float64 { return float64(s.now().waiting) }),
		contract.Gauge("centre_lag_seconds", "Age of the oldest change that the centre has not.", func() float64 {
			if now := s.now(); !now.oldest.IsZero() {
				return time.Since(now.oldest).Seconds()
			}
			return 0
		}),
		contract.Counter("centre_records_total", "Records shipped to the centre, each as often as it was.", func() float64 { return float64(s.now().shipped) }),
		contract.Counter("centre_refused_total", "Records that the centre did not take.", func() float64 { return float64(s.now().refused) }),
	}
}
