package pbx

import (
	"context"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

// Call rings the operator src and dials dst for him. It gives the id of the
// record to come; nobody has answered yet then. token is the name of the app's
// token, for the log. A [*contract.Refusal] says why no call was placed.
func (p *PBX) Call(ctx context.Context, token, src, dst string) (callID string, err error) {
	callID, err = p.originator.call(ctx, token, src, dst)
	if err == nil {
		select {
		case p.placed <- struct{}{}:
		default: // there is one to be looked at already
		}
	}
	return callID, err
}

// silence is how long after an order the time is stated as a fact, where a quiet
// PBX may have stated none: an order of which nothing was heard for half a minute
// has failed.
const silence = 35 * time.Second

// stateTime states the time when the PBX has been given no order for so long.
func (p *PBX) stateTime(ctx context.Context) {
	var due <-chan time.Time
	for {
		select {
		case <-p.placed:
			due = time.After(silence)
		case <-due:
			due = nil
			p.heard()
		case <-ctx.Done():
			return
		}
	}
}

// heard states the time.
func (p *PBX) heard() { p.opt.Handle(record.Event{At: p.now(), Source: record.SourceClock}) }

// Hangup ends a call going on. One that is not going on is a
// [*contract.Refusal].
func (p *PBX) Hangup(ctx context.Context, token, callID string) error {
	for _, l := range p.opt.Live() {
		if l.Record.CallID == callID {
			return p.originator.hangup(ctx, token, callID, l.Channels)
		}
	}
	return &contract.Refusal{Code: contract.UnknownCall, Why: "No such call goes on."}
}

// ordered states a call that is ordered as a fact, before its channel is there:
// Asterisk says what number it asks for only when the operator has answered.
func (p *PBX) ordered(callID, operator, exten string) {
	p.opt.Handle(record.Event{At: p.now(), Kind: record.Originated, Source: record.SourceClock, Channel: record.Channel{ID: callID}, Number: operator, Exten: exten})
}

// orderFailed states that the PBX did not take an order.
func (p *PBX) orderFailed(callID string) {
	p.opt.Handle(record.Event{At: p.now(), Kind: record.Originated, Source: record.SourceClock, Key: callID, Value: "Failure", Cause: causeNoRoute})
}

// causeNoRoute is Q.850's "no answer from where the call was to go".
const causeNoRoute = 20

// now is the time by the PBX's clock, as far as it is known.
func (p *PBX) now() time.Time {
	return time.Now().UTC().Add(p.opt.Clock.by())
}
