package endpoint

import (
	"strings"
	"sync"

	"github.com/voipd/voipd/record"
)

// Table holds what the PBX said last of its endpoints, and marks facts with
// it. The zero value knows none. Any goroutine may use it.
type Table struct {
	mu    sync.RWMutex
	class map[string]string // by Name; only those that the PBX shows to be something
	all   []Endpoint
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
	t.class, t.all = class, all
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
