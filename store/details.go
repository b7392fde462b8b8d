package store

import (
	"encoding/json"
	"time"

	"github.com/voipd/voipd/record"
)

// This file is the JSON of records.details, as the database keeps it. Its types
// are the store's own: a field that is renamed in package record, or told
// otherwise to the outside, changes no row. A name here never changes.

// detailsRow is record.Details but for the recordings, which have a table.
type detailsRow struct {
	StartedAt     time.Time         `json:"startedAt"`
	AnsweredAt    time.Time         `json:"answeredAt,omitzero"`
	EndedAt       time.Time         `json:"endedAt,omitzero"`
	RingMS        int64             `json:"ringMs"`
	WaitMS        int64             `json:"waitMs"`
	HoldMS        int64             `json:"holdMs"`
	TalkMS        int64             `json:"talkMs"`
	DID           string            `json:"did,omitempty"`
	CallerName    string            `json:"callerName,omitempty"`
	Asked         string            `json:"asked,omitempty"`
	BeganBy       string            `json:"beganBy"`
	Rang          []rangRow         `json:"rang,omitempty"`
	RangOmitted   int               `json:"rangOmitted,omitempty"`
	Conversations []conversationRow `json:"conversations,omitempty"`
	Transfers     []transferRow     `json:"transfers,omitempty"`
	Queue         string            `json:"queue,omitempty"`
	QueueWaitMS   int64             `json:"queueWaitMs,omitempty"`
	Service       string            `json:"service,omitempty"`
	Voicemail     bool              `json:"voicemail,omitempty"`
	HangupCause   int               `json:"hangupCause,omitempty"`
	HangupBy      string            `json:"hangupBy,omitempty"`
	MergedInto    string            `json:"mergedInto,omitempty"`
	Absorbed      []string          `json:"absorbed,omitempty"`
	Approximate   []string          `json:"approximate,omitempty"`
	Why           []reasonRow       `json:"why,omitempty"`
	PBX           string            `json:"pbx,omitempty"`
	Source        string            `json:"source,omitempty"`
}

type rangRow struct {
	Phone   string    `json:"phone"`
	At      time.Time `json:"at"`
	MS      int64     `json:"ms"`
	Outcome string    `json:"outcome"`
	Cause   int       `json:"cause,omitempty"`
}

type conversationRow struct {
	A  string    `json:"a"`
	B  string    `json:"b"`
	At time.Time `json:"at"`
	MS int64     `json:"ms"`
}

type transferRow struct {
	Kind string    `json:"kind"`
	By   string    `json:"by,omitempty"`
	To   string    `json:"to,omitempty"`
	At   time.Time `json:"at"`
}

type reasonRow struct {
	Field string    `json:"field"`
	Rule  string    `json:"rule"`
	At    time.Time `json:"at,omitzero"`
}

// detailsJSON is a record's details as the database keeps them.
func detailsJSON(d *record.Details) ([]byte, error) {
	return json.Marshal(detailsRow{
		StartedAt: d.StartedAt, AnsweredAt: d.AnsweredAt, EndedAt: d.EndedAt, RingMS: d.RingMS, WaitMS: d.WaitMS, HoldMS: d.HoldMS, TalkMS: d.TalkMS, DID: d.DID, CallerName: d.CallerName, Asked: d.Asked, BeganBy: d.BeganBy, RangOmitted: d.RangOmitted, Queue: d.Queue, QueueWaitMS: d.QueueWaitMS, Service: d.Service, Voicemail: d.Voicemail, HangupCause: d.HangupCause, HangupBy: d.HangupBy, MergedInto: d.MergedInto, Absorbed: d.Absorbed, Approximate: d.Approximate, PBX: d.PBX, Source: d.Source,
		Rang:          each(d.Rang, func(r record.Rang) rangRow { return rangRow(r) }),
		Conversations: each(d.Conversations, func(c record.Conversation) conversationRow { return conversationRow(c) }),
		Transfers:     each(d.Transfers, func(t record.Transfer) transferRow { return transferRow(t) }),
		Why:           each(d.Why, func(r record.Reason) reasonRow { return reasonRow(r) }),
	})
}

// readDetails reads what detailsJSON wrote, in this version or an older one.
func readDetails(text []byte, to *record.Details) error {
	var d detailsRow
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	*to = record.Details{
		StartedAt: d.StartedAt, AnsweredAt: d.AnsweredAt, EndedAt: d.EndedAt, RingMS: d.RingMS, WaitMS: d.WaitMS, HoldMS: d.HoldMS, TalkMS: d.TalkMS, DID: d.DID, CallerName: d.CallerName, Asked: d.Asked, BeganBy: d.BeganBy, RangOmitted: d.RangOmitted, Queue: d.Queue, QueueWaitMS: d.QueueWaitMS, Service: d.Service, Voicemail: d.Voicemail, HangupCause: d.HangupCause, HangupBy: d.HangupBy, MergedInto: d.MergedInto, Absorbed: d.Absorbed, Approximate: d.Approximate, PBX: d.PBX, Source: d.Source,
		Rang:          each(d.Rang, func(r rangRow) record.Rang { return record.Rang(r) }),
		Conversations: each(d.Conversations, func(c conversationRow) record.Conversation { return record.Conversation(c) }),
		Transfers:     each(d.Transfers, func(t transferRow) record.Transfer { return record.Transfer(t) }),
		Why:           each(d.Why, func(r reasonRow) record.Reason { return record.Reason(r) }),
	}
	return nil
}

// each converts a list; nil stays nil.
func each[From, To any](list []From, convert func(From) To) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, from := range list {
		out[i] = convert(from)
	}
	return out
}
