package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// orders are the calls that were placed here and of which the PBX may have said
// nothing yet. It always says something in the end: the call goes on, or has a
// record.
type orders struct {
	mu  sync.Mutex
	all map[string]order
}

// order is what is known of one.
type order struct {
	at       time.Time
	src, dst string
}

// orderedFor is how long an order is remembered: longer than the PBX may take, or
// its silence counts as a failure.
const orderedFor = 5 * time.Minute

func (o *orders) put(callID string, placed order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[string]order{}
	}
	for id, old := range o.all {
		if placed.at.Sub(old.at) > orderedFor {
			delete(o.all, id)
		}
	}
	o.all[callID] = placed
}

func (o *orders) get(callID string) (order, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	placed, ok := o.all[callID]
	return placed, ok
}

type callInput struct {
	CallID string `path:"callId" maxLength:"256"`
}

type callOutput struct{ Body contract.OpenCall }

// call says how one call stands: ordered, going on, or over.
func (s *server) call(ctx context.Context, in *callInput) (*callOutput, error) {
	placed, ordered := s.orders.get(in.CallID)
	open, _ := s.opt.Live()
	for _, l := range open {
		if l.Record.CallID == in.CallID {
			return &callOutput{contract.FromLive(l)}, nil
		}
	}
	r, err := s.opt.Records.Record(ctx, in.CallID)
	switch {
	case err == nil:
		return &callOutput{over(&r)}, nil
	case !errors.Is(err, store.ErrNotFound):
		return nil, s.internal(ctx, "read record", err)
	case ordered:
		return &callOutput{contract.OpenCall{CallID: in.CallID, Direction: string(record.Out), State: contract.StateOrdered,
			SrcPhone: placed.src, DstPhone: placed.dst, StartedAt: placed.at.UTC()}}, nil
	}
	return nil, problem(http.StatusNotFound, contract.UnknownCall, "No such call", "No call "+strconv.Quote(in.CallID)+" goes on, and there is no record of it.")
}

// over is a call that has ended, and why where it came to nothing.
func over(r *record.Record) contract.OpenCall {
	d := &r.Details
	out := contract.FromLive(record.Live{Record: *r})
	out.State, out.Disposition, out.EndedAt = contract.StateEnded, string(r.Disposition), d.EndedAt
	if r.Disposition == record.Failed {
		out.State = contract.StateFailed
	}
	if r.Disposition != record.Answered {
		for _, why := range d.Why {
			if why.Field == "disposition" {
				out.Reason = why.Rule
			}
		}
	}
	return out
}
