package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/endpoint"
	"github.com/voipd/voipd/internal/originate"
	"github.com/voipd/voipd/record"
)

// link is the way to the PBX, AMI or ARI.
type link interface {
	originate.PBX
	Run(ctx context.Context) error
	Resync()
	// Endpoints lists the endpoints with all that the PBX says of them; States
	// only with their states, which is cheaper.
	Endpoints(ctx context.Context) ([]endpoint.Endpoint, error)
	States(ctx context.Context) ([]endpoint.Endpoint, error)
	health() linkHealth
}

// linkHealth is how a link does.
type linkHealth struct {
	contract.LinkHealth
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
			d.roster.refresh()
		}
	}
	if d.config.Asterisk.Interface == config.ARI {
		opt, err := ARIOptions(d.config)
		if err != nil {
			return nil, err
		}
		opt.Log, opt.Variables = d.opt.Log, variables
		opt.Handle = func(e record.Event) { d.clock.take(e, time.Now(), d.loop.Put) }
		opt.OnDevice = d.roster.tell
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
	l := &amiLink{orders: map[string]chan string{}}
	opt.Handle = func(m *ami.Message, received time.Time) {
		l.answered(m)
		if string(m.Event()) == "DeviceStateChange" {
			d.roster.tell(string(m.Get("Device")), string(m.Get("State")), received)
		}
		if e, ok := translate.Event(m, received); ok {
			d.roster.table.Mark(&e)
			d.clock.take(e, received, d.loop.Put)
		}
	}
	opt.OnLoss = func(_ string, received time.Time) {
		d.loop.Put(record.Event{At: received.UTC(), Kind: record.Gapped, Source: record.SourceClock, Value: "the PBX sent what is no message"})
	}
	opt.OnState = func(s ami.Status) { changed(string(s.State), s.Since) }
	l.Client, err = ami.NewClient(opt)
	return l, err
}

// amiLink is the link by AMI.
type amiLink struct {
	*ami.Client
	mu     sync.Mutex
	orders map[string]chan string // calls that were just placed, by id; get the reason of a failure
}

func (l *amiLink) health() linkHealth {
	s := l.Status()
	return linkHealth{
		LinkHealth: contract.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Version: s.Version, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}

type ariLink struct{ *ari.Client }

func (l ariLink) health() linkHealth {
	s := l.Status()
	return linkHealth{
		LinkHealth: contract.LinkHealth{State: string(s.State), Since: s.Since, Reason: s.Reason, NextTry: s.NextTry, Warnings: s.Warnings},
		address:    s.Address, sessions: s.Sessions, malformed: s.Malformed,
	}
}
