package contract

import (
	"time"

	"github.com/voipd/voipd/record"
)

// OpenCall is a call going on.
type OpenCall struct {
	CallID      string    `json:"callId"`
	Direction   string    `json:"direction" enum:"in,out,internal"`
	State       string    `json:"state" enum:"ordered,waiting,ringing,talking,held,ended,failed" doc:"ordered: placed by the API, and the PBX has not begun it. waiting: a menu, a queue, or on its way. ended, failed: it is over, and has a record"`
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
	EndedAt     time.Time `json:"endedAt,omitzero" doc:"Of a call that is over"`
	Disposition string    `json:"disposition,omitempty" enum:"answered,no_answer,cancelled,busy,failed,unknown" doc:"Of a call that is over"`
	Reason      string    `json:"reason,omitempty" doc:"Of a call that is over and was not answered: why"`
}

// The states of a call beside those of [record.LiveState].
const (
	StateOrdered = "ordered"
	StateEnded   = "ended"
	StateFailed  = "failed"
)

// FromLive is a call going on as the outside sees it.
func FromLive(l record.Live) OpenCall {
	r, d := &l.Record, &l.Record.Details
	return OpenCall{CallID: r.CallID, Direction: string(r.Direction), State: string(l.State), SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt,
		DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt, StartedAt: d.StartedAt, AnsweredAt: d.AnsweredAt, Ringing: l.Ringing, Talking: l.Talking,
		HeldBy: l.HeldBy, Queue: d.Queue, DID: d.DID, CallerName: d.CallerName}
}

// Member is an operator of the PBX.
type Member struct {
	ID    string `json:"id" doc:"The operator's extension, as in srcPhone and dstPhone"`
	Name  string `json:"name,omitempty"`
	State string `json:"state" enum:"idle,ringing,busy,offline,unknown"`
}

// The states of a member: what his phones do.
const (
	Idle    = "idle"
	Ringing = "ringing"
	Busy    = "busy"
	Offline = "offline"
	Unknown = "unknown" // the PBX does not say
)

// Refusal is why a call was not placed or ended. Code is the problem's name for
// programs, Why a sentence for people.
type Refusal struct{ Code, Why string }

func (r *Refusal) Error() string { return r.Why }

// The codes of a [Refusal].
const (
	CallsOff            = "calls-off"
	SourceRefused       = "source-refused"
	NumberRefused       = "number-refused"
	OperatorBusy        = "operator-busy"
	OperatorUnreachable = "operator-unreachable"
	TooManyCalls        = "too-many-calls"
	PBXUnreachable      = "pbx-unreachable"
	UnknownCall         = "unknown-call"
)
