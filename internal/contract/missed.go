package contract

import (
	"encoding/json"
	"time"

	"github.com/voipd/voipd/record"
)

// Missed is a person outside who called and whom nobody answered. docs/missed.md has
// the rules.
type Missed struct {
	Number     string     `json:"number" doc:"As the last call presented it" example:"79031234567"`
	Name       string     `json:"name,omitempty" doc:"As the PBX showed it at the last call"`
	Calls      int        `json:"calls" doc:"Unanswered calls in a row" example:"2"`
	FirstAt    time.Time  `json:"firstAt" doc:"When the first of them began"`
	LastAt     time.Time  `json:"lastAt" doc:"When the last of them began"`
	LastCallID string     `json:"lastCallId" doc:"Of the last of them" example:"1795366192.23"`
	DID        string     `json:"did,omitempty" doc:"The number of the PBX that the last of them called"`
	Queue      string     `json:"queue,omitempty" doc:"The queue that the last of them waited in"`
	Rang       []string   `json:"rang,omitempty" nullable:"false" doc:"Who was rung by the last of them"`
	Tries      int        `json:"tries,omitempty" doc:"Calls to the person since the last of them, which nobody answered"`
	Returned   *Returned  `json:"returned,omitempty" doc:"Of missed.returned. Absent where no talk but a correction closed it"`
	Dismissed  *Dismissed `json:"dismissed,omitempty" doc:"Of missed.dismissed"`
}

// Returned is the first talk with a caller after a call that nobody answered.
type Returned struct {
	At           time.Time `json:"at" doc:"When they began to talk"`
	By           string    `json:"by" doc:"The operator's extension" example:"101"`
	CallID       string    `json:"callId" doc:"Of the talk"`
	Direction    string    `json:"direction" enum:"in,out" doc:"out: somebody called back; in: the person called again"`
	AfterSeconds int64     `json:"afterSeconds" doc:"Seconds from the beginning of the missed call until they talked; 0 where they talked on another line" example:"340"`
}

// Dismissed is that a person need not be called back.
type Dismissed struct {
	At   time.Time `json:"at"`
	By   string    `json:"by" doc:"Name of the token that said it"`
	Note string    `json:"note,omitempty"`
}

// FromMissed is a person to call back, and the last call, as the outside sees it.
func FromMissed(m record.Missed, last record.Record) Missed {
	d := &last.Details
	out := Missed{Number: last.SrcPhone, Name: d.CallerName, Calls: m.Calls, FirstAt: m.FirstAt, LastAt: m.LastAt, LastCallID: m.LastID, DID: d.DID, Queue: d.Queue, Tries: m.Tries}
	seen := map[string]bool{}
	for _, r := range d.Rang {
		if !seen[r.Phone] {
			out.Rang = append(out.Rang, r.Phone)
		}
		seen[r.Phone] = true
	}
	return out
}

// FromReturn is the talk after a call that began at a time.
func FromReturn(r record.Return, began time.Time) *Returned {
	return &Returned{At: r.At, By: r.By, CallID: r.CallID, Direction: string(r.Direction), AfterSeconds: max(0, int64(r.At.Sub(began)/time.Second))}
}

// MissedTurn is what a record made of how it stands with the person whom its call is
// with: Was before and Is since, of which one is nobody.
type MissedTurn struct {
	Was, Is record.Missed
	Last    record.Record  // the last call that nobody answered
	Return  *record.Return // the talk since, where Is is nobody; nil: none
}

// TellMissed is the event of a turn.
func TellMissed(t MissedTurn) (kind string, body []byte) {
	if t.Is.Calls > 0 {
		return MissedOpened, missedBody(FromMissed(t.Is, t.Last), &t.Last)
	}
	m := FromMissed(t.Was, t.Last)
	if t.Return != nil {
		m.Returned = FromReturn(*t.Return, t.Was.LastAt)
	}
	return MissedReturned, missedBody(m, &t.Last)
}

// TellDismissed is the body of missed.dismissed.
func TellDismissed(m record.Missed, last record.Record, d Dismissed) []byte {
	out := FromMissed(m, last)
	out.Dismissed = &d
	return missedBody(out, &last)
}

func missedBody(m Missed, r *record.Record) []byte {
	b := Body{Call: EventCall{CallID: r.CallID, Direction: string(r.Direction), Disposition: string(r.Disposition),
		SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt, DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt}, Missed: &m}
	text, err := json.Marshal(b)
	if err != nil { // a time beyond the year 9999
		text, _ = json.Marshal(Body{Call: b.Call})
	}
	return Stamped(text)
}
