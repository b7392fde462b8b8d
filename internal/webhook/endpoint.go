package webhook

import (
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Endpoint is one receiver of events.
type Endpoint struct {
	Name    string        // of the configuration; deliveries are kept under it
	URL     string        // where events are posted to
	Secret  string        // signs them: "whsec_" and base64
	Events  []string      // kinds that it takes; empty: every one but webhook.failing
	Body    Template      // what is posted
	Timeout time.Duration // how long the answer may take; 0: DefaultTimeout
	MaxAge  time.Duration // an event not taken for so long is parked; 0: DefaultMaxAge

	OldSecret string    // signs beside Secret; empty: none does
	OldUntil  time.Time // until then; zero: as long as it is here
	Shape     string    // name of Body's shape: plain, brix or own; empty: plain
	added     bool      // by the API
}

// What holds where an endpoint is silent.
const (
	DefaultTimeout = 10 * time.Second
	DefaultMaxAge  = 72 * time.Hour
)

// Wants tells whether the endpoint takes events of a kind. That another webhook fails
// is told only to who asks for it; so is who is to be called back, where the shape is
// that of an app that knows no such event.
func (e *Endpoint) Wants(kind string) bool {
	every := len(e.Events) == 0 && kind != contract.WebhookFails && (e.Shape != "brix" || !strings.HasPrefix(kind, "missed."))
	return every || slices.Contains(e.Events, kind)
}

// Recipients says which of the endpoints take which events, for the store's
// outbox.
func Recipients(endpoints []Endpoint) store.Recipients {
	return func(kind string) []store.Recipient {
		var to []store.Recipient
		for i := range endpoints {
			if endpoints[i].Wants(kind) {
				to = append(to, store.Recipient{Endpoint: endpoints[i].Name, ExpiresAfter: contract.ExpiresAfter(kind)})
			}
		}
		return to
	}
}

// Plan is [contract.Plan] as the store's change log keeps it.
func Plan(c record.Change, live *record.Live) []store.Change {
	var out []store.Change
	for _, e := range contract.Plan(c, live) {
		c := store.Change{At: e.At, Kind: e.Kind, CallID: e.CallID, Body: e.Body, Record: e.Record, KindOf: e.KindOf}
		if of := e.MissedOf; of != nil {
			c.MissedOf = func(t store.Turn) (string, []byte) { return of(contract.MissedTurn(t)) }
		}
		out = append(out, c)
	}
	return out
}
