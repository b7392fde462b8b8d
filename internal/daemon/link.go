package daemon

import (
	"context"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/record"
)

// link is the way to the PBX, AMI or ARI.
type link interface {
	Run(ctx context.Context) error
	Resync()
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
		opt, err := ariOptions(d.config)
		if err != nil {
			return nil, err
		}
		opt.Log, opt.Variables, opt.Handle = d.opt.Log, variables, d.loop.Put
		opt.OnState = func(s ari.Status) { changed(string(s.State), s.Since) }
		c, err := ari.NewClient(opt)
		return ariLink{c}, err
	}
	opt, err := ClientOptions(d.config, d.opt.Log)
	if err != nil {
		return nil, err
	}
	translate := ami.NewTranslator(variables...)
	opt.Handle = func(m *ami.Message, received time.Time) {
		if e, ok := translate.Event(m, received); ok {
			d.loop.Put(e)
		}
	}
	opt.OnState = func(s ami.Status) { changed(string(s.State), s.Since) }
	c, err := ami.NewClient(opt)
	return amiLink{c}, err
}

type amiLink struct{ *ami.Client }

func (l amiLink) health() linkHealth {
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
