package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/endpoint"
)

const (
	// endpointsEvery is how often all that the PBX says of its endpoints is asked
	// for, besides at each connect: an admin adds a phone now and then.
	endpointsEvery = 10 * time.Minute
	// statesAge is how old the list of states may be when somebody wants it. Each
	// change is told besides, so that an older one is seldom wrong.
	statesAge = time.Minute
	// statesAgain is how long after a question without an answer the next is
	// asked, and statesWithin how long an answer may take.
	statesAgain, statesWithin = 2 * time.Second, 3 * time.Second
)

// roster is the list of the PBX's endpoints. The PBX is asked now and then;
// in between it tells by itself whose state changes. What it does not answer
// leaves the last list.
type roster struct {
	log   *slog.Logger
	table endpoint.Table
	again chan struct{} // gets one when the link came up

	asking sync.Mutex // held while the states are asked for
	next   time.Time  // before that they are not asked for again
}

func newRoster(log *slog.Logger) *roster {
	return &roster{log: log, again: make(chan struct{}, 1)}
}

// tell takes in that a device's state changed.
func (r *roster) tell(device, state string, heard time.Time) { r.table.Tell(device, state, heard) }

// refresh has the whole list asked for: what happened while the link was down
// was told to nobody.
func (r *roster) refresh() {
	select {
	case r.again <- struct{}{}:
	default: // it is about to be asked for anyway
	}
}

// run keeps the list, at each connect and now and then, until ctx ends.
func (r *roster) run(ctx context.Context, pbx link) {
	tick := time.NewTicker(endpointsEvery)
	defer tick.Stop()
	for {
		select {
		case <-r.again:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		asked := time.Now()
		all, err := pbx.Endpoints(ctx)
		switch {
		case err != nil:
			r.log.Info("the PBX did not list its endpoints; the last list stays", "reason", err)
		case len(all) == 0:
			r.log.Info("the PBX listed no endpoint: what is an extension and what a trunk is told by their names alone (write = system in manager.conf would tell more)")
		default:
			r.table.Set(all, asked)
		}
	}
}

// states are the endpoints as they are now. However many ask, the PBX is asked
// once a minute; who comes while it is asked waits for that answer.
func (r *roster) states(ctx context.Context, pbx link) []endpoint.Endpoint {
	r.asking.Lock()
	defer r.asking.Unlock()
	asked := time.Now()
	if asked.Before(r.next) {
		return r.table.All()
	}
	// The answer is for all who wait, also if this one leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statesWithin)
	defer cancel()
	all, err := pbx.States(ctx)
	if err != nil { // an old list is better than none, and health tells of a lost link
		r.next = time.Now().Add(statesAgain)
		return r.table.All()
	}
	r.next = time.Now().Add(statesAge) // no endpoint is an answer too: this user may not be let ask
	r.table.Update(all, asked)
	return r.table.All()
}
