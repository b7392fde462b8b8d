package pbx

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// endpointsEvery is how often all that the PBX says of its endpoints is asked
	// for, besides at each connect: an admin adds a phone now and then.
	endpointsEvery = 10 * time.Minute
	// endpointsWithin is how long the PBX may take to say all of it: hundreds of
	// endpoints are asked about one by one.
	endpointsWithin = 2 * time.Minute
	// statesAge is how old the list of states may be when somebody asks for it.
	// Events tell each change besides, so that an older list is seldom wrong.
	statesAge = time.Minute
	// statesAgain is how long after a question without an answer the next is
	// asked, and statesWithin how long an answer may take.
	statesAgain, statesWithin = 2 * time.Second, 3 * time.Second
)

// watch keeps the list of the PBX's endpoints up to date. It asks the PBX now
// and then; events tell changes of state in between. Where the PBX does not
// answer, the last list stays.
type watch struct {
	log   *slog.Logger
	table *Endpoints
	tell  func()        // called when what the list shows may have changed
	again chan struct{} // gets one when the link came up
	rang  chan struct{} // gets one when an extension rang that was not known

	asking sync.Mutex // held while the states are asked for
	next   time.Time  // before that they are not asked for again
}

func newWatch(table *Endpoints, tell func(), log *slog.Logger) *watch {
	return &watch{log: log, table: table, tell: tell, again: make(chan struct{}, 1), rang: make(chan struct{}, 1)}
}

// stir makes run tell what is known. It never blocks.
func (w *watch) stir() {
	select {
	case w.rang <- struct{}{}:
	default: // it is about to be told anyway
	}
}

// refresh makes run ask for the whole list: no event told what happened while
// the link was down.
func (w *watch) refresh() {
	select {
	case w.again <- struct{}{}:
	default: // it is about to be asked for anyway
	}
}

// run keeps the list, at each connect and now and then, until ctx ends.
func (w *watch) run(ctx context.Context, l connection) {
	tick := time.NewTicker(endpointsEvery)
	defer tick.Stop()
	told := false // that there are none, until there are some
	for {
		select {
		case <-w.again:
		case <-tick.C:
		case <-w.rang:
			w.tell()
			continue
		case <-ctx.Done():
			return
		}
		asked := time.Now()
		question, cancel := context.WithTimeout(ctx, endpointsWithin)
		all, err := l.endpoints(question)
		var numbers []string
		said := false
		if err == nil && len(all) > 0 {
			var untold error
			if numbers, said, untold = l.numbers(question); untold != nil {
				said = false
				w.log.Info("the PBX did not list its hints and mailboxes; the last list stays", "reason", untold)
			}
		}
		cancel()
		switch {
		case err != nil:
			w.log.Info("the PBX did not list its endpoints; the last list stays", "reason", err)
		case len(all) == 0 && told:
		case len(all) == 0:
			told = true
			w.log.Info("the PBX listed no endpoint: what is an extension and what a trunk is told by their names alone (write = system in manager.conf would tell more)")
		default:
			told = false
			w.table.Set(all, asked)
			if said {
				w.table.setNumbers(numbers)
			}
			w.tell()
		}
	}
}

// states are the endpoints as they are now. However many callers there are, the
// PBX is asked once a minute; a caller who comes meanwhile waits for that answer.
func (w *watch) states(ctx context.Context, l connection) []Endpoint {
	w.asking.Lock()
	defer w.asking.Unlock()
	asked := time.Now()
	if asked.Before(w.next) {
		return w.table.All()
	}
	// The answer is for every waiting caller, also if this one leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statesWithin)
	defer cancel()
	all, err := l.states(ctx)
	if err != nil { // an old list is better than none, and health tells of a lost link
		w.next = time.Now().Add(statesAgain)
		return w.table.All()
	}
	w.next = time.Now().Add(statesAge) // no endpoint is an answer too: this user may not be let ask
	w.table.Update(all, asked)
	return w.table.All()
}
