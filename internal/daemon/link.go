package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/endpoint"
	"github.com/voipd/voipd/internal/originate"
	"github.com/voipd/voipd/record"
)

// link is the way to the PBX, AMI or ARI.
type link interface {
	originate.PBX
	Run(ctx context.Context) error
	Resync()
	// States lists the endpoints with their states.
	States(ctx context.Context) ([]endpoint.Endpoint, error)
	health() linkHealth
}

// linkHealth is how a link does.
type linkHealth struct {
	api.LinkHealth
	address   string
	sessions  uint64
	malformed uint64
}

const up = "up"

// newLink makes the link that the configuration asks for: every message
// becomes facts, and a lost link is one too.
func (d *Daemon) newLink(rules record.Rules) (link, error) {
	variables := []string{rules.SrcExtVariable, rules.DstExtVariable}
	wasUp := false
	changed := func(state string, since time.Time) {
		if wasUp && state == string(ami.Down) {
			d.loop.Put(record.Event{At: since, Kind: record.Gapped, Source: record.SourceClock, Value: "the link to the PBX was down"})
		}
		if wasUp = state == up; wasUp {
			d.ready.Do(d.sayReady)
		}
	}
	if d.config.Asterisk.Interface == config.ARI {
		opt, err := ARIOptions(d.config)
		if err != nil {
			return nil, err
		}
		opt.Log, opt.Variables = d.opt.Log, variables
		opt.Handle = func(e record.Event) { d.clock.take(e, time.Now(), d.loop.Put) }
		opt.OnState = func(s ari.Status) { changed(string(s.State), s.Since) }
		c, err := ari.NewClient(opt)
		return ariLink{c}, err
	}
	opt, err := ClientOptions(d.config, d.opt.Log)
	if err != nil {
		return nil, err
	}
	opt.Backoff.Refused = d.opt.Refused
	translate := ami.NewTranslator(variables...)
	l := &amiLink{endpoints: &d.endpoints, connected: make(chan struct{}, 1), log: d.opt.Log, orders: map[string]chan string{}}
	opt.Handle = func(m *ami.Message, received time.Time) {
		l.answered(m)
		if e, ok := translate.Event(m, received); ok {
			d.endpoints.Mark(&e)
			d.clock.take(e, received, d.loop.Put)
		}
	}
	opt.OnLoss = func(_ string, received time.Time) {
		d.loop.Put(record.Event{At: received.UTC(), Kind: record.Gapped, Source: record.SourceClock, Value: "the PBX sent what is no message"})
	}
	opt.OnState = func(s ami.Status) {
		changed(string(s.State), s.Since)
		if s.State == ami.Up {
			select {
			case l.connected <- struct{}{}:
			default: // it is about to ask anyway
			}
		}
	}
	l.Client, err = ami.NewClient(opt)
	return l, err
}

// amiLink is the link by AMI, and what the PBX says of its endpoints there.
type amiLink struct {
	*ami.Client
	endpoints *endpoint.Table
	connected chan struct{} // gets one when the link came up
	log       *slog.Logger

	mu     sync.Mutex
	orders map[string]chan string // calls that were just placed, by id; get the reason of a failure
}

// Run keeps the link and the list of endpoints until ctx ends.
func (l *amiLink) Run(ctx context.Context) error {
	var asking sync.WaitGroup
	asking.Go(func() { l.askEndpoints(ctx) })
	defer asking.Wait()
	return l.Client.Run(ctx)
}

// endpointsEvery is how often the endpoints are asked for besides at each
// connect: an admin adds a phone now and then.
const endpointsEvery = 10 * time.Minute

// askEndpoints keeps the list of endpoints: at each connect and now and then.
// Without it the patterns of the configuration decide alone.
func (l *amiLink) askEndpoints(ctx context.Context) {
	tick := time.NewTicker(endpointsEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.connected:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		all, err := endpoint.List(ctx, l.Client)
		switch {
		case err != nil:
			l.log.Info("the PBX did not list its endpoints; the last list stays", "reason", err)
		case len(all) == 0:
			l.log.Info("the PBX listed no endpoint: what is an extension and what a trunk is told by their names alone (write = system in manager.conf would tell more)")
		default:
			l.endpoints.Set(all)
		}
	}
}

func (l *amiLink) health() linkHealth {
	s := l.Status()
	return linkHealth{
		LinkHealth: api.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Version: s.Version, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}

type ariLink struct{ *ari.Client }

func (l ariLink) health() linkHealth {
	s := l.Status()
	return linkHealth{
		LinkHealth: api.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}
