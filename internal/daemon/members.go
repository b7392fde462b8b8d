package daemon

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/endpoint"
)

// The states of a member's phone, from the freest to the one that cannot be
// reached.
const (
	idle    = "idle"
	ringing = "ringing"
	busy    = "busy"
	unknown = "unknown"
	offline = "offline"
)

// membersAge is how old the list of endpoints may be when members are asked
// for: a phone that just registered should not be called offline for long.
const membersAge = 15 * time.Second

// members are the PBX's operators, by extension. Several devices of one are
// one member, as free as the freest of them. A PBX that does not answer leaves
// the last list.
func (d *Daemon) members(ctx context.Context) []api.Member {
	if d.endpoints.Age(time.Now()) > membersAge {
		ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		if all, err := d.link.States(ctx); err == nil {
			d.endpoints.Update(all)
		}
	}
	byExt := map[string]api.Member{}
	for _, e := range d.endpoints.All() {
		ext, ok := d.rules.Operator(e.Name, e.Class)
		if !ok {
			continue
		}
		m := api.Member{ID: ext, Name: e.Caller, State: stateOf(e.State)}
		if had, twice := byExt[ext]; twice {
			m.Name = cmp.Or(had.Name, m.Name)
			if rankOf(had.State) < rankOf(m.State) {
				m.State = had.State
			}
		}
		byExt[ext] = m
	}
	for _, c := range d.config.Members {
		m := byExt[c.Extension]
		m.ID, m.Name, m.State = c.Extension, c.Name, cmp.Or(m.State, unknown)
		byExt[c.Extension] = m
	}
	return d.withCalls(byExt)
}

// withCalls puts in what the calls that go on say: it is newer than the list.
func (d *Daemon) withCalls(byExt map[string]api.Member) []api.Member {
	lives, _ := d.loop.Live()
	for _, l := range lives {
		for state, phones := range map[string][]string{ringing: l.Ringing, busy: l.Talking} {
			for _, phone := range phones {
				if m, ok := byExt[phone]; ok && (state == busy || m.State != busy) {
					m.State = state
					byExt[phone] = m
				}
			}
		}
	}
	all := make([]api.Member, 0, len(byExt))
	for _, m := range byExt {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b api.Member) int { return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) })
	return all
}

// memberState is what is known of an operator's phone, without asking the PBX.
func (d *Daemon) memberState(extension string) string {
	lives, _ := d.loop.Live()
	for _, l := range lives {
		if slices.Contains(l.Talking, extension) {
			return busy
		}
	}
	state := unknown
	for _, e := range d.endpoints.All() {
		if ext, ok := d.rules.Operator(e.Name, e.Class); ok && ext == extension {
			if s := stateOf(e.State); state == unknown || rankOf(s) < rankOf(state) {
				state = s
			}
		}
	}
	if state == offline {
		return offline
	}
	return unknown // the list is minutes old: only that a phone is not there is worth something
}

// stateOf reads a device state of AMI or ARI.
func stateOf(s string) string {
	switch s := strings.ToLower(s); {
	case s == "not in use", s == "online", strings.HasPrefix(s, "ok"), s == "unmonitored":
		return idle
	case s == "ringing", s == "ring+inuse", s == "ringing+in use":
		return ringing
	case s == "in use", s == "busy", s == "on hold":
		return busy
	case s == "unavailable", s == "invalid", s == "offline", s == "unreachable":
		return offline
	}
	return unknown
}

func rankOf(state string) int {
	return slices.Index([]string{idle, ringing, busy, unknown, offline}, state)
}

// States asks for the endpoints' states by AMI.
func (l *amiLink) States(ctx context.Context) ([]endpoint.Endpoint, error) {
	return endpoint.States(ctx, l.Client)
}

// States asks for the endpoints by ARI, which says nothing but their states.
func (l ariLink) States(ctx context.Context) ([]endpoint.Endpoint, error) {
	list, err := l.Endpoints(ctx)
	if err != nil {
		return nil, err
	}
	var all []endpoint.Endpoint
	for _, e := range list {
		state := e.State
		if len(e.Channels) > 0 {
			state = "in use"
		}
		all = append(all, endpoint.Endpoint{Name: e.Technology + "/" + e.Resource, State: state})
	}
	return all, nil
}
