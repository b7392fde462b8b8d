// Package doctor looks at a PBX and at the configuration together, and says
// what each endpoint is to voipd, what could not be told, and what is missing,
// each with the line to put where.
package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/record"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	What string // what is wrong, and what it costs
	Do   string // the line to put where
}

// Endpoint is one endpoint of the PBX.
type Endpoint struct {
	Name  string // "PJSIP/101"
	Class string
	Why   string
	State string // as the PBX calls it
}

// Report is what a look at a PBX gave.
type Report struct {
	Version   string // of AMI
	Endpoints []Endpoint
	Findings  []Finding
}

// Subject is what is looked at.
type Subject struct {
	Options     ami.Options // Handle is the doctor's own
	Rules       record.Rules
	Directories []string      // folders of recordings, as voipd finds them
	Wait        time.Duration // for all of it; 0 is 15 s
	Listen      time.Duration // for an event of a call, at most; 0 is 3 s. A quiet PBX shows nothing of its times
}

// Examine connects to the PBX and looks at it. The error says why it could not
// be reached.
func Examine(ctx context.Context, s Subject) (*Report, error) {
	r := &Report{}
	r.directories(s.Directories)
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(s.Wait, 15*time.Second))
	defer cancel()
	var stamped, bare atomic.Int64
	heard, heardOnce := make(chan struct{}), sync.Once{}
	s.Options.Handle = func(m *ami.Message, _ time.Time) {
		if m.Event() == nil || m.ActionID() != nil || string(m.Event()) == "FullyBooted" {
			return // Asterisk puts no time on the items of a list, nor on this one
		}
		defer heardOnce.Do(func() { close(heard) })
		if m.Get("Timestamp") != nil {
			stamped.Add(1)
		} else {
			bare.Add(1)
		}
	}
	up, last := make(chan struct{}), make(chan ami.Status, 1)
	var once sync.Once
	s.Options.OnState = func(st ami.Status) {
		switch st.State {
		case ami.Up:
			once.Do(func() { close(up) })
		case ami.Down:
			select {
			case <-last:
			default:
			}
			last <- st
		}
	}
	client, err := ami.NewClient(s.Options)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = client.Run(run) })
	defer running.Wait()
	defer stop()
	select {
	case <-up:
	case st := <-last:
		return nil, fmt.Errorf("reach the PBX at %s: %s", s.Options.Address, st.Reason)
	case <-ctx.Done():
		return nil, fmt.Errorf("reach the PBX at %s: %w", s.Options.Address, ctx.Err())
	}
	r.endpoints(ctx, client, s.Rules)
	select { // one event of a call shows whether events carry a time
	case <-heard:
	case <-time.After(cmp.Or(s.Listen, 3*time.Second)):
	case <-ctx.Done():
	}
	r.settings(client.Status(), stamped.Load(), bare.Load())
	return r, nil
}

func (r *Report) find(what, do string) { r.Findings = append(r.Findings, Finding{what, do}) }

// directories looks whether recordings can be read at all.
func (r *Report) directories(dirs []string) {
	for _, dir := range dirs {
		if _, err := os.ReadDir(dir); err != nil {
			r.find(fmt.Sprintf("recordings in %s cannot be served: %v", dir, err),
				"check recordings.directories, and that voipd's user may read the folder (systemd: SupplementaryGroups=asterisk)")
		}
	}
}

// settings looks at what the session showed of manager.conf.
func (r *Report) settings(st ami.Status, stamped, bare int64) {
	r.Version = st.Version
	for _, w := range st.Warnings {
		r.find(w, "write = reporting in the user's section of manager.conf")
	}
	if stamped == 0 && bare > 0 {
		r.find("events carry no time: voipd takes the time of receipt", "timestampevents = yes in [general] of manager.conf")
	}
	if !st.Booted {
		r.find("FullyBooted did not come: a restart of the PBX is noticed only by the lost link", "read = …,system in the user's section of manager.conf")
	}
}

// endpoints lists what the PBX has, by each technology that it knows.
func (r *Report) endpoints(ctx context.Context, c *ami.Client, rules record.Rules) {
	seen := false
	for _, tech := range []struct{ action, prefix, name, state string }{
		{"PJSIPShowEndpoints", "PJSIP/", "ObjectName", "DeviceState"},
		{"SIPpeers", "SIP/", "ObjectName", "Status"},
		{"IAXpeerlist", "IAX2/", "ObjectName", "Status"},
	} {
		list, err := c.List(ctx, ami.Action{Name: tech.action})
		var refused *ami.ActionError
		if errors.As(err, &refused) {
			continue // the PBX has no such technology, or this user may not ask
		}
		if err != nil {
			r.find(fmt.Sprintf("%s: %v", tech.action, err), "ask again")
			return
		}
		for _, m := range list {
			name := string(m.Get(tech.name))
			if name == "" {
				continue
			}
			seen = true
			e := Endpoint{Name: tech.prefix + name, State: string(m.Get(tech.state))}
			e.Class, e.Why = rules.Class(e.Name)
			r.Endpoints = append(r.Endpoints, e)
			r.doubt(e, string(m.Get("OutboundAuths")) != "", string(m.Get("Auths")) != "")
		}
	}
	if !seen {
		r.find("the PBX listed no endpoint: their classes could not be looked at", "for voipd doctor alone: write = system,reporting in the user's section of manager.conf")
	}
	slices.SortFunc(r.Endpoints, func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) })
}

// doubt compares an endpoint's class with how it logs in: a phone logs in to
// the PBX, to a provider the PBX logs in.
func (r *Report) doubt(e Endpoint, outward, inward bool) {
	trunk := e.Class == "trunk"
	switch {
	case !trunk && outward:
		r.find(fmt.Sprintf("%s is held for %s, but the PBX logs in there, as to a provider", e.Name, e.Class), fmt.Sprintf("trunks = ['^%s$'] in [numbers]", e.Name))
	case trunk && inward && !outward:
		r.find(fmt.Sprintf("%s is held for a trunk, but it logs in to the PBX, as a phone does", e.Name), "a pattern that matches it in extensions of [numbers], unless it is a trunk")
	}
}

// Print writes the report for a person.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "AMI %s\n\nENDPOINT\tCLASS\tSTATE\tWHY\n", r.Version)
	for _, e := range r.Endpoints {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.Name, e.Class, e.State, e.Why)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintln(w, "\nNothing is missing.")
		return err
	}
	for _, f := range r.Findings {
		if _, err := fmt.Fprintf(w, "\n! %s\n  → %s\n", f.What, f.Do); err != nil {
			return fmt.Errorf("print report: %w", err)
		}
	}
	return nil
}
