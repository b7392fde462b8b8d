package endpoint

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/record"
)

// Table holds what the PBX said last of its endpoints, and marks facts with
// it. The zero value knows none. Any goroutine may use it.
type Table struct {
	mu    sync.RWMutex
	class map[string]string // by Name; only those that the PBX shows to be something
	all   []Endpoint        // in the PBX's order
	place map[string]int    // of each in all, by Name
	told  map[string]told   // the last state of each that the PBX told by itself, by Name
}

// told is a state that came without being asked for.
type told struct {
	state string
	at    time.Time // when it was heard
}

// Set replaces what is known by a list that was asked for at that time. A state
// that the PBX told since is newer than the list's. An empty list changes
// nothing: a PBX that is starting up lists no endpoints.
func (t *Table) Set(all []Endpoint, asked time.Time) {
	if len(all) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set(slices.Clone(all), asked)
}

// Update takes in the endpoints' states, asked for at that time; what else is
// known of them stays. Otherwise as Set.
func (t *Table) Update(states []Endpoint, asked time.Time) {
	if len(states) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(states)
	for i, e := range all {
		if k, known := t.place[e.Name]; known {
			all[i] = t.all[k]
			all[i].State = e.State
		}
	}
	t.set(all, asked)
}

func (t *Table) set(all []Endpoint, asked time.Time) {
	t.all, t.class, t.place = all, map[string]string{}, make(map[string]int, len(all))
	for i, e := range all {
		if e.Class != "" {
			t.class[e.Name] = e.Class
		}
		t.place[e.Name] = i
		if s, ok := t.told[e.Name]; ok && s.at.After(asked) {
			all[i].State = s.state
		}
	}
}

// Tell takes in that an endpoint's state changed, as the PBX told it at that
// time without being asked. What is not on the list (queues, parking places,
// Local channels have states too) is passed over.
func (t *Table) Tell(name, state string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	i, known := t.place[name]
	if !known {
		return
	}
	t.all[i].State = state
	if t.told == nil {
		t.told = map[string]told{}
	}
	t.told[name] = told{state, at}
}

// All is the last list, in the PBX's order, with the states told since.
func (t *Table) All() []Endpoint {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return slices.Clone(t.all)
}

// Mark writes into a fact what the PBX shows its channels' endpoints to be, so
// that the fact says it by itself wherever it is replayed.
func (t *Table) Mark(e *record.Event) {
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
