package daemon

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/voipd/voipd/internal/contract"
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

// members are the PBX's operators, by extension, as free as their phones and
// calls say.
func (d *Daemon) members(ctx context.Context) []contract.Member {
	byExt := d.operators(d.roster.states(ctx, d.link))
	for _, c := range d.config.Members {
		m := byExt[c.Extension]
		m.ID, m.Name, m.State = c.Extension, c.Name, cmp.Or(m.State, unknown)
		byExt[c.Extension] = m
	}
	ringing, talking := d.inCalls()
	all := make([]contract.Member, 0, len(byExt))
	for ext, m := range byExt {
		all = append(all, contract.Member{ID: ext, Name: m.Name, State: withCalls(m.State, ringing[ext], talking[ext])})
	}
	slices.SortFunc(all, func(a, b contract.Member) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// operators are those to whom the endpoints belong, by extension. Several
// devices of one are one operator, as free as the freest of them.
func (d *Daemon) operators(endpoints []endpoint.Endpoint) map[string]contract.Member {
	byExt := map[string]contract.Member{}
	for _, e := range endpoints {
		ext, ok := d.rules.Operator(e.Name, e.Class)
		if !ok {
			continue
		}
		m := contract.Member{ID: ext, Name: e.Caller, State: stateOf(e.State)}
		if had, twice := byExt[ext]; twice {
			m.Name = cmp.Or(had.Name, m.Name)
			if rankOf(had.State) < rankOf(m.State) {
				m.State = had.State
			}
		}
		byExt[ext] = m
	}
	return byExt
}

// inCalls tells whose phones ring and who talks in the calls that go on.
func (d *Daemon) inCalls() (ringing, talking map[string]bool) {
	ringing, talking = map[string]bool{}, map[string]bool{}
	lives, _ := d.loop.Live()
	for _, l := range lives {
		for _, phone := range l.Ringing {
			ringing[phone] = true
		}
		for _, phone := range l.Talking {
			talking[phone] = true
		}
	}
	return ringing, talking
}

// withCalls is an operator's state with what his calls say: they know whether
// he talks whatever device he has, and a list of ARI does not tell a phone that
// rings from one in use.
func withCalls(state string, rings, talks bool) string {
	switch {
	case talks:
		return busy
	case rings:
		return ringing
	}
	return state
}

// memberState is what is known of an operator without asking the PBX: busy
// where he talks, offline where none of his phones is there, else unknown. What
// a phone in use does with one more call is for the phone to say.
func (d *Daemon) memberState(extension string) string {
	if _, talking := d.inCalls(); talking[extension] {
		return busy
	}
	if m := d.operators(d.roster.table.All())[extension]; m.State == offline {
		return offline
	}
	return unknown
}

// stateOf reads a device state as lists and events of AMI and ARI write it.
func stateOf(s string) string {
	switch s := strings.ToLower(s); {
	case s == "not in use", s == "not_inuse", s == "online", strings.HasPrefix(s, "ok"), s == "unmonitored":
		return idle
	case s == "ringing", s == "ring+inuse", s == "ringing+in use", s == "ringinuse":
		return ringing
	case s == "in use", s == "inuse", s == "busy", s == "on hold", s == "onhold":
		return busy
	case s == "unavailable", s == "invalid", s == "offline", s == "unreachable":
		return offline
	}
	return unknown
}

func rankOf(state string) int {
	return slices.Index([]string{idle, ringing, busy, unknown, offline}, state)
}

// Endpoints asks for all that AMI says of the endpoints.
func (l *amiLink) Endpoints(ctx context.Context) ([]endpoint.Endpoint, error) {
	return endpoint.List(ctx, l.Client)
}

// States asks for the endpoints' states by AMI.
func (l *amiLink) States(ctx context.Context) ([]endpoint.Endpoint, error) {
	return endpoint.States(ctx, l.Client)
}

// Endpoints asks for the endpoints by ARI, which says nothing but their states.
func (l ariLink) Endpoints(ctx context.Context) ([]endpoint.Endpoint, error) { return l.States(ctx) }

// States asks for the endpoints' states by ARI.
func (l ariLink) States(ctx context.Context) ([]endpoint.Endpoint, error) {
	list, err := l.Client.Endpoints(ctx)
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
