package api

import (
	"context"
	"time"

	"github.com/voipd/voipd/record"
)

// OpenCall is a call that goes on.
type OpenCall struct {
	CallID      string    `json:"callId"`
	Direction   string    `json:"direction" enum:"in,out,internal"`
	State       string    `json:"state" enum:"waiting,ringing,talking,held" doc:"waiting: a menu, a queue, or on its way"`
	SrcPhone    string    `json:"srcPhone"`
	SrcPhoneExt string    `json:"srcPhoneExt,omitempty"`
	DstPhone    string    `json:"dstPhone"`
	DstPhoneExt string    `json:"dstPhoneExt,omitempty"`
	StartedAt   time.Time `json:"startedAt"`
	AnsweredAt  time.Time `json:"answeredAt,omitzero" doc:"Start of the first conversation"`
	Ringing     []string  `json:"ringing,omitempty" nullable:"false" doc:"Phones that ring"`
	Talking     []string  `json:"talking,omitempty" nullable:"false" doc:"Phones in a conversation"`
	HeldBy      string    `json:"heldBy,omitempty"`
	Queue       string    `json:"queue,omitempty"`
	DID         string    `json:"did,omitempty"`
	CallerName  string    `json:"callerName,omitempty"`
}

func openCall(l record.Live) OpenCall {
	r, d := &l.Record, &l.Record.Details
	return OpenCall{CallID: r.CallID, Direction: string(r.Direction), State: string(l.State), SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt,
		DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt, StartedAt: d.StartedAt, AnsweredAt: d.AnsweredAt, Ringing: l.Ringing, Talking: l.Talking,
		HeldBy: l.HeldBy, Queue: d.Queue, DID: d.DID, CallerName: d.CallerName}
}

type callsOutput struct {
	Body struct {
		Calls []OpenCall `json:"calls" nullable:"false"`
		After int64      `json:"after" doc:"GET /v1/events?after= this goes on from here"`
	}
}

func (s *server) calls(context.Context, *struct{}) (*callsOutput, error) {
	lives, last := s.opt.Live()
	out := &callsOutput{}
	out.Body.Calls, out.Body.After = make([]OpenCall, len(lives)), last
	for i, l := range lives {
		out.Body.Calls[i] = openCall(l)
	}
	return out, nil
}
