package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/contract"
)

// steps is what parts did, in order.
type steps struct {
	mu  sync.Mutex
	all []string
}

func (s *steps) add(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, step)
}

// newPart is a part that does all that a part can: it starts, stops, warns and
// measures. Its one entry is all that the daemon needs.
func newPart(name string, did *steps) part {
	return part{
		name: name,
		run: func(ctx context.Context) error {
			<-ctx.Done()
			did.add("stop " + name)
			return nil
		},
		close:  func() error { did.add("close " + name); return nil },
		health: func(_ context.Context, h *contract.Health) { h.Warn(name, name+" is tired") },
		metrics: func() []prometheus.Collector {
			return []prometheus.Collector{contract.Gauge(name, "How tired.", func() float64 { return 7 })}
		},
	}
}

// TestNewPart adds a part with start, stop, health and metrics by one entry.
func TestNewPart(t *testing.T) {
	var did steps
	var l lifecycle
	l.add(newPart("first", &did))
	l.add(part{name: "nothing to do", run: func(context.Context) error { return nil }})
	l.add(newPart("second", &did))

	var h contract.Health
	l.health(t.Context(), &h)
	if len(h.Warnings) != 2 || h.Warnings[0].Code != "second" {
		t.Errorf("health: %+v", h.Warnings)
	}
	registry := prometheus.NewRegistry()
	l.metrics(registry)
	if families, err := registry.Gather(); err != nil || len(families) != 2 || families[0].GetMetric()[0].GetGauge().GetValue() != 7 {
		t.Errorf("metrics: %v %v", families, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.run(ctx, func() { did.add("stopping") }); err != nil {
		t.Error(err)
	}
	if want := []string{"stopping", "stop second", "stop first", "close second", "close first"}; !slices.Equal(did.all, want) {
		t.Errorf("it stops by %q, want %q", did.all, want)
	}
}

// TestPartFails: one that fails stops all others, and its error says which.
func TestPartFails(t *testing.T) {
	var did steps
	var l lifecycle
	l.add(newPart("first", &did))
	l.add(part{name: "port", run: func(context.Context) error { return errors.New("in use") }, close: func() error { return errors.New("broken") }})
	l.add(newPart("last", &did))
	err := l.run(t.Context(), func() {})
	if err == nil || !strings.Contains(err.Error(), "port: in use") || !strings.Contains(err.Error(), "close port: broken") {
		t.Errorf("got %v", err)
	}
	if want := []string{"stop last", "stop first", "close last", "close first"}; !slices.Equal(did.all, want) {
		t.Errorf("it stops by %q, want %q", did.all, want)
	}
}

// TestStartFailsHalfway: the parts that were opened are closed in reverse.
func TestStartFailsHalfway(t *testing.T) {
	var did steps
	var l lifecycle
	broken := errors.New("no room")
	err := l.open(t.Context(), []func(context.Context) error{
		func(context.Context) error { l.add(newPart("first", &did)); return nil },
		func(context.Context) error { l.add(newPart("second", &did)); return nil },
		func(context.Context) error { return broken },
		func(context.Context) error { did.add("opened too much"); return nil },
	})
	if !errors.Is(err, broken) || !slices.Equal(did.all, []string{"close second", "close first"}) {
		t.Errorf("%v; it did %q", err, did.all)
	}
}
