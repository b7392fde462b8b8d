package contract

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/voipd/voipd/record"
)

// Event is one thing to tell the outside, before the store has given it its
// number in the change log.
type Event struct {
	At     time.Time // when it happened on the PBX
	Kind   string
	CallID string
	Body   []byte // [Body] as JSON
	// Record is the record that this tells; nil: none. KindOf, where there is one,
	// gives the Kind once it is known what became of the record; empty: nothing is
	// told.
	Record *record.Record
	KindOf func(record.Verdict) string
	// MissedOf, where there is one, gives the kind and the body once it is known how it
	// stands with the caller; an empty kind: nothing is told.
	MissedOf func(MissedTurn) (kind string, body []byte)
}

// RecordKind is the kind of an event that tells a record.
func RecordKind(v record.Verdict) string {
	switch v {
	case record.Add:
		return RecordCreated
	case record.Replace:
		return RecordCorrected
	}
	return ""
}

// Plan makes the events that a change of the Machine is to the outside. live is how the call stands that goes on: the change's own, for
// a merged call the one it went into; nil where there is none.
func Plan(c record.Change, live *record.Live) []Event {
	p := planner{change: c, live: live}
	switch c.Kind {
	case record.CallBegan:
		if live != nil && live.Record.Details.BeganBy == "operator" {
			p.tell(CallStarted, live.Record.SrcPhone)
		}
	case record.PhoneRang:
		p.tell(CallStarted, c.Phone)
	case record.PhoneStopped:
		p.tell(CallStoppedRinging, c.Phone)
	case record.CallAnswered:
		p.tell(CallAnswered, c.Phone)
	case record.CallTransferred:
		p.tell(CallTransferred, c.Phone)
	case record.CallHeld:
		p.tell(CallHeld, c.Phone)
	case record.CallResumed:
		p.tell(CallResumed, c.Phone)
	case record.CallMerged:
		if !c.Quiet {
			p.tell(CallMerged, "")
		}
		p.record(RecordCreated)
	case record.CallEnded:
		p.tell(CallEnded, "")
		p.record(RecordCreated)
	case record.RecordRevised:
		p.revised()
	}
	return p.out
}

type planner struct {
	change record.Change
	live   *record.Live
	out    []Event
}

// tell adds an event of the call.
func (p *planner) tell(kind, phone string) {
	b := Body{Call: p.call()}
	b.Call.Phone, b.Call.Other, b.Call.Outcome = phone, p.change.Other, p.change.Outcome
	if r := p.shown(); r != nil {
		d := &r.Details
		b.Call.StartedAt, b.Call.CallerName, b.Call.DID, b.Call.Queue = d.StartedAt, d.CallerName, d.DID, d.Queue
	}
	switch kind {
	case CallMerged:
		b.Call.Other, b.Call.Into = "", p.change.Other
	case CallStarted, CallStoppedRinging, CallAnswered:
		b.Call.DstPhone = p.rung(b.Call)
	}
	p.add(kind, b)
}

// shown is the record of the call as far as it is known; nil: nothing is.
func (p *planner) shown() *record.Record {
	if p.change.Record == nil && p.live != nil {
		return &p.live.Record
	}
	return p.change.Record
}

// call is the call as far as it is known.
func (p *planner) call() EventCall {
	r := p.shown()
	if r == nil {
		return EventCall{CallID: p.change.CallID}
	}
	c := callOf(r)
	c.CallID = p.change.CallID
	return c
}

func callOf(r *record.Record) EventCall {
	return EventCall{CallID: r.CallID, Direction: string(r.Direction), Disposition: string(r.Disposition),
		SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt, DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt}
}

// RecordBody is the [Body] of an event that tells a record, as JSON.
func RecordBody(r *record.Record) ([]byte, error) {
	view := FromRecord(*r)
	return Encode(Body{Call: callOf(r), Record: &view})
}

// rung is the called side for the one whom a live event is about: of an inbound
// or internal call the operator who is rung or talks now, so that the card of
// each of several operators pops up. Where two operators talk, as in a
// consultation, it is the one who came to the call last: the other's card knows.
func (p *planner) rung(c EventCall) string {
	if c.Direction == string(record.Out) || p.live == nil {
		return c.DstPhone
	}
	about, latest := c.DstPhone, -1
	for _, phone := range []string{c.Phone, c.Other} {
		if i := slices.Index(p.live.Operators, phone); phone != c.SrcPhone && i > latest {
			about, latest = phone, i
		}
	}
	return about
}

// record adds that the call has a record.
func (p *planner) record(kind string) {
	if p.change.Record != nil {
		p.add(kind, p.withRecord()).KindOf = RecordKind
		if p.change.Record.Direction != record.Internal {
			p.out = append(p.out, Event{At: p.change.At, CallID: p.change.CallID, Record: p.change.Record, MissedOf: TellMissed})
		}
	}
}

func (p *planner) withRecord() Body {
	view := FromRecord(*p.change.Record)
	return Body{Call: p.call(), Record: &view}
}

// revised: a recording that became whole is an event of its own; one that turned
// out to be empty or gone corrects the record; one that grows is nobody's
// matter.
func (p *planner) revised() {
	id := p.change.Recording
	if id == "" {
		p.record(RecordCorrected)
		return
	}
	for _, rec := range p.change.Record.Details.Recordings {
		switch {
		case rec.ID != id:
		case rec.State == record.Ready:
			b := p.withRecord()
			b.Call.Recording = id
			p.add(RecordingReady, b)
			return
		case rec.State == record.Growing:
			return
		}
	}
	p.record(RecordCorrected)
}

func (p *planner) add(kind string, b Body) *Event {
	text, err := json.Marshal(b)
	if err != nil { // a time beyond the year 9999: the call is told without its record
		text, _ = json.Marshal(Body{Call: b.Call})
	}
	p.out = append(p.out, Event{At: p.change.At, Kind: kind, CallID: p.change.CallID, Body: Stamped(text), Record: p.change.Record})
	return &p.out[len(p.out)-1]
}
