package pbx

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/record"
)

// Endpoints holds what the PBX said last of its endpoints, and marks facts with
// it. The zero value knows none. Any goroutine may use it.
type Endpoints struct {
	mu    sync.RWMutex
	class map[string]string      // by Name; only those that the PBX shows to be something
	all   []Endpoint             // in the PBX's order, then those that came with an update
	place map[string]int         // of each in all, by Name
	event map[string]deviceState // the last state of each that came in an event, by Name

	numbers map[string]bool // for which there is a hint or a mailbox; nil: not told
	rung    map[string]bool // extensions that rang
}

// deviceState is a state that came in an event, not in a list.
type deviceState struct {
	state string
	at    time.Time // when the event came
}

// Set replaces what is known by a list that was asked for at that time. A state
// that an event told since is newer than the list's. A technology of which the
// list has no endpoint keeps those it had: a PBX that is starting up, or
// reloads its driver, answers as if there were none.
func (t *Endpoints) Set(all []Endpoint, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	listed := map[string]bool{}
	for _, e := range all {
		listed[technologyOf(e.Name)] = true
	}
	kept := slices.DeleteFunc(t.all, func(e Endpoint) bool { return listed[technologyOf(e.Name)] })
	t.all, t.class, t.place = nil, nil, nil
	t.take(all, asked)
	t.take(kept, asked)
}

// technologyOf is the technology in an endpoint's name: "PJSIP" of "PJSIP/101".
func technologyOf(name string) string {
	technology, _, _ := strings.Cut(name, "/")
	return technology
}

// Update takes in the endpoints' states, asked for at that time, and endpoints
// that are new. What else is known of them stays, and so do those that are not
// among them: a technology that is being reloaded refuses to list its own. A
// state that an event told since is newer here, too.
func (t *Endpoints) Update(states []Endpoint, asked time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take(states, asked)
}

// take adds the endpoints that are not known, and of the others the state. t.mu
// is held.
func (t *Endpoints) take(all []Endpoint, asked time.Time) {
	if t.place == nil {
		t.class, t.place = map[string]string{}, make(map[string]int, len(all))
	}
	for _, e := range all {
		if s, ok := t.event[e.Name]; ok && s.at.After(asked) {
			e.State = s.state
		}
		if i, known := t.place[e.Name]; known {
			t.all[i].State = e.State
			continue
		}
		t.place[e.Name] = len(t.all)
		t.all = append(t.all, e)
		if e.Class != "" {
			t.class[e.Name] = e.Class
		}
	}
}

// SetState takes in that an endpoint's state changed, as an event that came at
// that time says. What is not on the list (queues, parking places,
// Local channels have states too) is passed over.
func (t *Endpoints) SetState(name, state string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, known := t.place[name]
	if !known {
		return
	}
	t.all[i].State = state
	if t.event == nil {
		t.event = map[string]deviceState{}
	}
	t.event[name] = deviceState{state, at}
}

// All is the last list, in the PBX's order, with the states told since; what
// was new in an update is behind it.
func (t *Endpoints) All() []Endpoint {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.all)
}

// seed takes in what was known in an earlier run, for the time until the PBX is
// asked.
func (t *Endpoints) seed(k Known) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.class, t.rung = maps.Clone(k.Endpoints), maps.Clone(k.Rang)
}

// setNumbers replaces the numbers for which there is a hint or a mailbox.
func (t *Endpoints) setNumbers(all []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.numbers = map[string]bool{}
	for _, n := range all {
		t.numbers[n] = true
	}
}

// rings notes an extension that rang, and tells whether that was not known.
func (t *Endpoints) rings(ext string) bool {
	t.mu.RLock()
	had := t.rung[ext]
	t.mu.RUnlock()
	if had {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rung == nil {
		t.rung = map[string]bool{}
	}
	t.rung[ext] = true
	return t.numbers != nil && !t.numbers[ext]
}

// known is what the PBX showed, without the numbers of the endpoints themselves.
func (t *Endpoints) known() Known {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return Known{maps.Clone(t.class), maps.Clone(t.numbers), maps.Clone(t.rung)}
}

// Mark writes into a fact what the PBX shows its channels' endpoints to be, so
// that the fact says it by itself wherever it is replayed.
func (t *Endpoints) Mark(e *record.Event) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if len(t.class) == 0 {
		return
	}
	e.Channel.Class = t.class[endpointOf(e.Channel.Name)]
	e.Peer.Class = t.class[endpointOf(e.Peer.Name)]
}

// endpointOf is the endpoint in a channel's name: "PJSIP/101-0000000f".
func endpointOf(channel string) string {
	if i := strings.LastIndexByte(channel, '-'); i > 0 {
		return channel[:i]
	}
	return channel
}
