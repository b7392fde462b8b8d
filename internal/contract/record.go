package contract

import (
	"path"
	"time"

	"github.com/voipd/voipd/record"
)

// Call is the opaque object by which the app finds a call's recording again:
// what a record's "call" holds goes into POST /v1/call-link unchanged.
type Call struct {
	CallID    string `json:"callId" minLength:"1" maxLength:"256" doc:"Id of the call"`
	Recording string `json:"recording,omitempty" maxLength:"64" doc:"Id of the recording; absent where the call has none"`
}

// Record is the app's VoipCallRecord, field for field, and details beside it.
type Record struct {
	Call        Call    `json:"call" doc:"Goes into POST /v1/call-link unchanged"`
	CallID      string  `json:"callId"`
	Direction   string  `json:"direction" enum:"in,out,internal"`
	Disposition string  `json:"disposition" enum:"answered,no_answer,cancelled,busy,failed,unknown"`
	DstPhone    string  `json:"dstPhone"`
	DstPhoneExt string  `json:"dstPhoneExt,omitempty"`
	Duration    int     `json:"duration" doc:"Whole seconds of conversation"`
	SrcPhone    string  `json:"srcPhone"`
	SrcPhoneExt string  `json:"srcPhoneExt,omitempty"`
	Details     Details `json:"details"`
}

// Details is what the app's VoipCallRecord has no field for. Times are UTC with
// milliseconds.
type Details struct {
	StartedAt     time.Time      `json:"startedAt"`
	AnsweredAt    time.Time      `json:"answeredAt,omitzero"`
	EndedAt       time.Time      `json:"endedAt,omitzero"`
	RingMS        int64          `json:"ringMs"`
	WaitMS        int64          `json:"waitMs"`
	HoldMS        int64          `json:"holdMs"`
	TalkMS        int64          `json:"talkMs"`
	DID           string         `json:"did,omitempty"`
	CallerName    string         `json:"callerName,omitempty"`
	Asked         string         `json:"asked,omitempty"`
	BeganBy       string         `json:"beganBy"`
	Rang          []Rang         `json:"rang,omitempty" doc:"Who was rung. Of a long call the first and the last hundred ringings, and those that were answered"`
	RangOmitted   int            `json:"rangOmitted,omitempty" doc:"How many ringings are not in rang"`
	Conversations []Conversation `json:"conversations,omitempty"`
	Transfers     []Transfer     `json:"transfers,omitempty"`
	Queue         string         `json:"queue,omitempty"`
	QueueWaitMS   int64          `json:"queueWaitMs,omitempty"`
	Service       string         `json:"service,omitempty"`
	Voicemail     bool           `json:"voicemail,omitempty"`
	HangupCause   int            `json:"hangupCause,omitempty"`
	HangupBy      string         `json:"hangupBy,omitempty"`
	Recordings    []Recording    `json:"recordings,omitempty"`
	MergedInto    string         `json:"mergedInto,omitempty"`
	Absorbed      []string       `json:"absorbed,omitempty"`
	Approximate   []string       `json:"approximate,omitempty"`
	Why           []Reason       `json:"why,omitempty"`
	PBX           string         `json:"pbx,omitempty"`
	Source        string         `json:"source,omitempty"`
}

// Rang is one ringing of one phone.
type Rang struct {
	Phone   string    `json:"phone"`
	At      time.Time `json:"at"`
	MS      int64     `json:"ms"`
	Outcome string    `json:"outcome"`
	Cause   int       `json:"cause,omitempty"`
}

// Conversation is a time in which A and B could hear each other.
type Conversation struct {
	A  string    `json:"a"`
	B  string    `json:"b"`
	At time.Time `json:"at"`
	MS int64     `json:"ms"`
}

// Transfer is one hand-over of a call.
type Transfer struct {
	Kind string    `json:"kind"`
	By   string    `json:"by,omitempty"`
	To   string    `json:"to,omitempty"`
	At   time.Time `json:"at"`
}

// Recording is one audio file of the call.
type Recording struct {
	ID    string    `json:"id"`
	Path  string    `json:"path"`
	At    time.Time `json:"at"`
	State string    `json:"state"`
	Bytes int64     `json:"bytes,omitempty"`
	MS    int64     `json:"ms,omitempty"`
	Talk  bool      `json:"talk,omitempty"`
	Found bool      `json:"found,omitempty"`
}

// Reason is the rule that decided a field, and when the deciding event happened.
type Reason struct {
	Field string    `json:"field"`
	Rule  string    `json:"rule"`
	At    time.Time `json:"at,omitzero"`
}

// FromRecord converts a record to what the outside sees: recordings have the names of
// their files, not the paths.
func FromRecord(r record.Record) Record {
	out := WithPaths(r)
	for i := range out.Details.Recordings {
		out.Details.Recordings[i].Path = path.Base(out.Details.Recordings[i].Path)
	}
	return out
}

// WithPaths is a record as its admin sees it: with the paths of recordings as the
// PBX names them.
func WithPaths(r record.Record) Record {
	out := Record{
		Call: Call{CallID: r.CallID}, CallID: r.CallID, Direction: string(r.Direction), Disposition: string(r.Disposition),
		DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt, Duration: r.Duration, SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt,
		Details: details(&r.Details),
	}
	if rec := r.FirstRecording(); rec != nil {
		out.Call.Recording = rec.ID
	}
	return out
}

func details(d *record.Details) Details {
	return Details{
		StartedAt: d.StartedAt, AnsweredAt: d.AnsweredAt, EndedAt: d.EndedAt,
		RingMS: d.RingMS, WaitMS: d.WaitMS, HoldMS: d.HoldMS, TalkMS: d.TalkMS,
		DID: d.DID, CallerName: d.CallerName, Asked: d.Asked, BeganBy: d.BeganBy,
		Rang: each(d.Rang, func(r record.Rang) Rang { return Rang(r) }), RangOmitted: d.RangOmitted,
		Conversations: each(d.Conversations, func(c record.Conversation) Conversation { return Conversation(c) }),
		Transfers:     each(d.Transfers, func(t record.Transfer) Transfer { return Transfer(t) }),
		Queue:         d.Queue, QueueWaitMS: d.QueueWaitMS, Service: d.Service, Voicemail: d.Voicemail,
		HangupCause: d.HangupCause, HangupBy: d.HangupBy,
		Recordings: each(d.Recordings, func(r record.Recording) Recording {
			return Recording{ID: r.ID, Path: r.Path, At: r.At, State: string(r.State), Bytes: r.Bytes, MS: r.MS, Talk: r.Talk, Found: r.Found}
		}),
		MergedInto: d.MergedInto, Absorbed: d.Absorbed, Approximate: d.Approximate,
		Why: each(d.Why, func(r record.Reason) Reason { return Reason(r) }), PBX: d.PBX, Source: d.Source,
	}
}

// each converts a list; nil stays nil.
func each[From, To any](list []From, convert func(From) To) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, v := range list {
		out[i] = convert(v)
	}
	return out
}
