package contract

import (
	"strconv"
	"time"
)

// The kinds of events.
const (
	CallStarted = "call.started" // an operator's phone is rung, or an operator calls
	// A phone that was told by call.started no longer rings, and nobody answered it.
	CallStoppedRinging = "call.stopped_ringing"
	CallAnswered       = "call.answered"    // phone and other began to talk
	CallTransferred    = "call.transferred" // phone handed the call over to other
	CallHeld           = "call.held"
	CallResumed        = "call.resumed"
	CallMerged         = "call.merged" // this call became part of another one; no more events of it follow, and a record of it that was told is none any more
	CallEnded          = "call.ended"
	RecordCreated      = "record.created"
	RecordCorrected    = "record.corrected"
	RecordingReady     = "recording.ready" // a recording of an ended call is whole
	// A record that was told is none any more: its call was forgotten. Streams alone tell it.
	RecordErased = "record.erased"
	// Somebody called, nobody answered, and nobody waited to be called back under the
	// number; somebody talked with who waited; somebody said that it need not be.
	MissedOpened    = "missed.opened"
	MissedReturned  = "missed.returned"
	MissedDismissed = "missed.dismissed"
	// A webhook has taken nothing for an hour. Only other webhooks are told that ask
	// for it by name; it is in no stream.
	WebhookFails = "webhook.failing"
	// Sent to a webhook when somebody tests it, and never else.
	WebhookTested = "webhook.test"
)

// Kinds lists every kind of event that can be asked for, those of a call in the order
// in which it has them.
func Kinds() []string {
	return []string{CallStarted, CallStoppedRinging, CallAnswered, CallTransferred, CallHeld, CallResumed, CallMerged, CallEnded,
		RecordCreated, RecordingReady, RecordCorrected, MissedOpened, MissedReturned, MissedDismissed, WebhookFails}
}

// liveFor is how long after it was written a live event is still worth sending.
const liveFor = 5 * time.Minute

// ExpiresAfter is how long after it was written an event of a kind is still
// worth sending; 0: it never expires. A ring that is over is of no use to
// anybody. The end of a call or of a ringing always is: a receiver that was told
// of its beginning must be told of its end.
func ExpiresAfter(kind string) time.Duration {
	switch kind {
	case CallStarted, CallAnswered, CallTransferred, CallHeld, CallResumed:
		return liveFor
	}
	return 0
}

// Body is what an event says beside its id, type and time.
type Body struct {
	Call   EventCall `json:"call"`
	Record *Record   `json:"record,omitempty"`
	Missed *Missed   `json:"missed,omitempty" doc:"Of missed.opened, missed.returned and missed.dismissed: who is, was or need not be called back"`
}

// EventCall is the call of an event, as far as it is known at the time. StartedAt to
// Queue are those of [OpenCall]; an event that holds a record leaves them to it.
type EventCall struct {
	CallID      string    `json:"callId" doc:"Of the call's record, too" example:"1795366192.23"`
	PBX         string    `json:"pbx,omitempty" doc:"At a centre, of call.merged and record.erased: the PBX whose call it was"`
	Direction   string    `json:"direction,omitempty" enum:"in,out,internal"`
	Disposition string    `json:"disposition,omitempty" enum:"answered,no_answer,cancelled,busy,failed,unknown" doc:"unknown while the call goes on and nobody has answered"`
	SrcPhone    string    `json:"srcPhone" doc:"Who calls: a number, or the extension of an operator"`
	SrcPhoneExt string    `json:"srcPhoneExt,omitempty"`
	DstPhone    string    `json:"dstPhone" doc:"Who is called; of an inbound or internal call.started, call.stopped_ringing and call.answered the operator whom it is about"`
	DstPhoneExt string    `json:"dstPhoneExt,omitempty"`
	StartedAt   time.Time `json:"startedAt,omitzero"`
	CallerName  string    `json:"callerName,omitempty"`
	DID         string    `json:"did,omitempty" doc:"The number of ours that was called"`
	Queue       string    `json:"queue,omitempty"`
	Phone       string    `json:"phone,omitempty" doc:"The phone that did it, or that it happened to"`
	Other       string    `json:"other,omitempty" doc:"The other party"`
	Outcome     string    `json:"outcome,omitempty" enum:"no_answer,busy,failed,cancelled,elsewhere" doc:"Of call.stopped_ringing; elsewhere: another phone answered"`
	Into        string    `json:"into,omitempty" doc:"Of call.merged: the call that goes on"`
	Recording   string    `json:"recording,omitempty" doc:"Of recording.ready: which one"`
}

// EventID is an event's id: the same however often the event is sent, and never
// that of another event, even after the database was made anew. instance names
// the database.
func EventID(instance string, seq int64) string { return instance + "-" + strconv.FormatInt(seq, 10) }

// Envelope is an event as it is sent: {"id", "seq", "type", "at"} and the fields
// of its body, which is a JSON object. Its times are as [TimeLayout] has them.
func Envelope(instance string, seq int64, kind string, at time.Time, body []byte) []byte {
	out := make([]byte, 0, len(body)+160)
	out = append(out, `{"id":`...)
	out = strconv.AppendQuote(out, EventID(instance, seq))
	out = append(out, `,"seq":`...)
	out = strconv.AppendInt(out, seq, 10)
	out = append(out, `,"type":`...)
	out = strconv.AppendQuote(out, kind)
	out = append(out, `,"at":"`...)
	out = at.UTC().AppendFormat(out, TimeLayout)
	out = append(out, '"')
	if len(body) > 2 {
		out = append(out, ',')
		return append(out, Stamped(body)[1:]...) // an older version kept other digits
	}
	return append(out, '}')
}
