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
	CallID      string  `json:"callId" doc:"Id of the call; never changes" example:"1795366192.23"`
	Direction   string  `json:"direction" enum:"in,out,internal" doc:"Who began the call decides"`
	Disposition string  `json:"disposition" enum:"answered,no_answer,cancelled,busy,failed,unknown" doc:"The outcome"`
	DstPhone    string  `json:"dstPhone" doc:"Who was called" example:"101"`
	DstPhoneExt string  `json:"dstPhoneExt,omitempty" doc:"The extension behind dstPhone"`
	Duration    int     `json:"duration" doc:"Whole seconds of conversation" example:"61"`
	SrcPhone    string  `json:"srcPhone" doc:"Who called" example:"79031234567"`
	SrcPhoneExt string  `json:"srcPhoneExt,omitempty" doc:"The extension behind srcPhone"`
	Details     Details `json:"details"`
}

// Details is what the app's VoipCallRecord has no field for. Times are UTC with
// milliseconds.
type Details struct {
	StartedAt     time.Time      `json:"startedAt" doc:"When the call began" example:"2026-11-26T03:11:33.893Z"`
	AnsweredAt    time.Time      `json:"answeredAt,omitzero" doc:"Start of the first conversation"`
	EndedAt       time.Time      `json:"endedAt,omitzero" doc:"When the call ended"`
	RingMS        int64          `json:"ringMs" doc:"Milliseconds in which at least one phone rang and nobody had talked yet"`
	WaitMS        int64          `json:"waitMs" doc:"Milliseconds from the start to the first conversation, or to the end"`
	HoldMS        int64          `json:"holdMs" doc:"Milliseconds on hold"`
	TalkMS        int64          `json:"talkMs" doc:"Milliseconds in which at least two people heard each other"`
	DID           string         `json:"did,omitempty" doc:"The number of the PBX that was called"`
	CallerName    string         `json:"callerName,omitempty" doc:"The caller's name, as the PBX shows it"`
	Asked         string         `json:"asked,omitempty" doc:"The number that the caller asked for"`
	BeganBy       string         `json:"beganBy" enum:"external,operator,pbx" doc:"Whose call it is"`
	Rang          []Rang         `json:"rang,omitempty" nullable:"false" doc:"Who was rung. Of a long call the first and the last hundred ringings, and those that were answered"`
	RangOmitted   int            `json:"rangOmitted,omitempty" doc:"How many ringings are not in rang"`
	Conversations []Conversation `json:"conversations,omitempty" nullable:"false" doc:"Who talked with whom"`
	Transfers     []Transfer     `json:"transfers,omitempty" nullable:"false" doc:"How the call was handed over"`
	Queue         string         `json:"queue,omitempty" doc:"The queue that the caller waited in"`
	QueueWaitMS   int64          `json:"queueWaitMs,omitempty" doc:"Milliseconds in the queue"`
	Service       string         `json:"service,omitempty" doc:"What of the PBX took the call: ivr, queue, announcement, voicemail, conference, parking, spy or echo"`
	Voicemail     bool           `json:"voicemail,omitempty" doc:"The caller left a message"`
	HangupCause   int            `json:"hangupCause,omitempty" doc:"Q.850, of the channel that began the call"`
	HangupBy      string         `json:"hangupBy,omitempty" doc:"The phone that hung up, or pbx"`
	Recordings    []Recording    `json:"recordings,omitempty" nullable:"false" doc:"The audio files"`
	MergedInto    string         `json:"mergedInto,omitempty" doc:"The call that this one went into"`
	Absorbed      []string       `json:"absorbed,omitempty" nullable:"false" doc:"Calls that went into this one"`
	Approximate   []string       `json:"approximate,omitempty" nullable:"false" doc:"Why something of the call was missed"`
	Why           []Reason       `json:"why,omitempty" nullable:"false" doc:"Which rules decided the fields"`
	PBX           string         `json:"pbx,omitempty" doc:"The PBX's name"`
	Source        string         `json:"source,omitempty" enum:"ami,ari,cel,cdr" doc:"What told of the call"`

	// Returned is looked for when a record is read, and stands in no row and no event.
	Returned *Returned `json:"returned,omitempty" doc:"Of a call from outside that nobody answered: the first talk with the caller since. Not in records that events hold"`
}

// Rang is one ringing of one phone.
type Rang struct {
	Phone   string    `json:"phone" doc:"Who was rung"`
	At      time.Time `json:"at"`
	MS      int64     `json:"ms" doc:"Milliseconds of ringing"`
	Outcome string    `json:"outcome" enum:"answered,no_answer,busy,failed,cancelled,elsewhere" doc:"elsewhere: another phone answered"`
	Cause   int       `json:"cause,omitempty" doc:"Q.850"`
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
	Kind string    `json:"kind" enum:"blind,attended,pickup,park,unpark,recall"`
	By   string    `json:"by,omitempty"`
	To   string    `json:"to,omitempty"`
	At   time.Time `json:"at"`
}

// Recording is one audio file of the call.
type Recording struct {
	ID    string    `json:"id"`
	Path  string    `json:"path" doc:"The file's name; for an admin with its folder"`
	At    time.Time `json:"at"`
	State string    `json:"state" enum:"announced,growing,ready,empty,gone" doc:"How far the file is"`
	Bytes int64     `json:"bytes,omitempty" doc:"Size of the file"`
	MS    int64     `json:"ms,omitempty" doc:"Milliseconds of sound"`
	Talk  bool      `json:"talk,omitempty" doc:"It holds a conversation"`
	Found bool      `json:"found,omitempty" doc:"Nobody told of it; it was found on the disk"`
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
