package endpoint

import (
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
	all   []Endpoint
	at    time.Time // when the PBX said so
}

// Set replaces what is known. An empty list changes nothing: a PBX that is
// starting up lists no endpoints.
func (t *Table) Set(all []Endpoint) {
	if len(all) == 0 {
		return
	}
	class := make(map[string]string, len(all))
	for _, e := range all {
		if e.Class != "" {
			class[e.Name] = e.Class
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.class, t.all, t.at = class, all, time.Now()
}

// Update takes in the endpoints' states; what else is known of them stays. An
// empty list changes nothing.
func (t *Table) Update(states []Endpoint) {
	known := map[string]Endpoint{}
	for _, e := range t.All() {
		known[e.Name] = e
	}
	all := make([]Endpoint, 0, len(states))
	for _, e := range states {
		if k, ok := known[e.Name]; ok {
			k.State = e.State
			e = k
		}
		all = append(all, e)
	}
	t.Set(all)
}

// Age is how long ago the PBX was asked; very long if never.
func (t *Table) Age(now time.Time) time.Duration {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return now.Sub(t.at)
}

// All is the last list, in the PBX's order. It must not be changed.
func (t *Table) All() []Endpoint {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.all
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
