package pbx

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

// SetRules makes these the rules by which endpoints are operators. Any goroutine
// may call it.
func (p *PBX) SetRules(r record.Rules) { p.rules.Store(&r) }

// SetNames makes these the names of operators, by extension. Any goroutine may call
// it.
func (p *PBX) SetNames(names map[string]string) { p.names.Store(&names) }

// Members are the PBX's operators in the order of their extensions, with what
// their phones do. It asks the PBX once a minute at the most.
func (p *PBX) Members(ctx context.Context) []contract.Member {
	byExt := p.operators(p.watch.states(ctx, p.link))
	for ext, name := range *p.names.Load() {
		m := byExt[ext]
		m.ID, m.Name, m.State = ext, name, cmp.Or(m.State, contract.Unknown)
		byExt[ext] = m
	}
	ringing, talking := p.inCalls()
	all := make([]contract.Member, 0, len(byExt))
	for ext, m := range byExt {
		all = append(all, contract.Member{ID: ext, Name: m.Name, State: withCalls(m.State, ringing[ext], talking[ext])})
	}
	slices.SortFunc(all, func(a, b contract.Member) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// operators are the operators of the endpoints, by extension. Several devices of
// one extension are one operator, as free as the freest of them.
func (p *PBX) operators(endpoints []Endpoint) map[string]contract.Member {
	byExt := map[string]contract.Member{}
	for _, e := range endpoints {
		ext, ok := p.rules.Load().Operator(e.Name, e.Class)
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

// inCalls tells which phones ring and which talk in the calls going on.
func (p *PBX) inCalls() (ringing, talking map[string]bool) {
	ringing, talking = map[string]bool{}, map[string]bool{}
	for _, l := range p.opt.Live() {
		for _, phone := range l.Ringing {
			ringing[phone] = true
		}
		for _, phone := range l.Talking {
			talking[phone] = true
		}
	}
	return ringing, talking
}

// withCalls is an operator's state with what his calls say: they show that he
// talks, whatever device he has, and ARI's list does not tell a phone that rings
// from one in use.
func withCalls(state string, rings, talks bool) string {
	switch {
	case talks:
		return contract.Busy
	case rings:
		return contract.Ringing
	}
	return state
}

// memberState is what is known of an operator without asking the PBX: busy
// where he talks, offline where none of his phones is there, else unknown. What
// a phone in use does with one more call is for the phone to say.
func (p *PBX) memberState(extension string) string {
	if _, talking := p.inCalls(); talking[extension] {
		return contract.Busy
	}
	if m := p.operators(p.table.All())[extension]; m.State == contract.Offline {
		return contract.Offline
	}
	return contract.Unknown
}

// stateOf reads a device state as lists and events of AMI and ARI write it.
func stateOf(s string) string {
	switch s := strings.ToLower(s); {
	case s == "not in use", s == "not_inuse", s == "online", strings.HasPrefix(s, "ok"), s == "unmonitored":
		return contract.Idle
	case s == "ringing", s == "ring+inuse", s == "ringing+in use", s == "ringinuse":
		return contract.Ringing
	case s == "in use", s == "inuse", s == "busy", s == "on hold", s == "onhold":
		return contract.Busy
	case s == "unavailable", s == "invalid", s == "offline", s == "unreachable":
		return contract.Offline
	}
	return contract.Unknown
}

// rankOf orders the states from the freest to the one that cannot be reached.
func rankOf(state string) int {
	return slices.Index([]string{contract.Idle, contract.Ringing, contract.Busy, contract.Unknown, contract.Offline}, state)
}
