package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/contract"
)

// part is one part of voipd, as the daemon starts, stops and watches it. Every
// field but name may be nil.
type part struct {
	name string
	// run works until ctx ends; a part that has nothing to do returns nil earlier.
	// An error stops voipd.
	run func(ctx context.Context) error
	// close frees what the part holds, after run has ended or where it never began.
	close   func() error
	health  func(context.Context, *contract.Health)
	metrics func() []prometheus.Collector
}

// lifecycle starts parts in the order in which they were added, and stops them in
// reverse: a part may use those before it until it has ended itself. The zero
// value has no parts.
type lifecycle struct{ parts []part }

func (l *lifecycle) add(p part) { l.parts = append(l.parts, p) }

// open calls the functions that make and add the parts. Where one fails, the
// parts added so far are closed.
func (l *lifecycle) open(ctx context.Context, all []func(context.Context) error) error {
	for _, open := range all {
		if err := open(ctx); err != nil {
			return errors.Join(err, l.close())
		}
	}
	return nil
}

// health asks every part, the last one first: the PBX's link is told before what
// depends on it.
func (l *lifecycle) health(ctx context.Context, h *contract.Health) {
	for _, p := range slices.Backward(l.parts) {
		if p.health != nil {
			p.health(ctx, h)
		}
	}
}

// metrics registers those of every part.
func (l *lifecycle) metrics(r *prometheus.Registry) {
	for _, p := range l.parts {
		if p.metrics != nil {
			r.MustRegister(p.metrics()...)
		}
	}
}

// close closes every part, in reverse.
func (l *lifecycle) close() error {
	var all []error
	for _, p := range slices.Backward(l.parts) {
		if p.close == nil {
			continue
		}
		if err := p.close(); err != nil {
			all = append(all, fmt.Errorf("close %s: %w", p.name, err))
		}
	}
	return errors.Join(all...)
}

// run runs every part until ctx ends or a part fails, then stops and closes all
// of them. stopping is called before the first one is stopped.
func (l *lifecycle) run(ctx context.Context, stopping func()) error {
	type running struct {
		stop context.CancelFunc
		done sync.WaitGroup
		err  error
	}
	failed := make(chan struct{}, len(l.parts))
	var started []*running
	for _, p := range l.parts {
		if p.run == nil {
			continue
		}
		work, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := &running{stop: stop}
		started = append(started, r)
		r.done.Go(func() {
			if err := p.run(work); err != nil {
				r.err = fmt.Errorf("%s: %w", p.name, err)
				failed <- struct{}{}
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-failed:
	}
	stopping()
	var all []error
	for _, r := range slices.Backward(started) {
		r.stop()
		r.done.Wait()
		all = append(all, r.err)
	}
	return errors.Join(errors.Join(all...), l.close())
}
