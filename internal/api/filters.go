package api

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Filters pick records, in a page as in an export. A record fits all of them; of
// several values, separated by commas, it has one.
type Filters struct {
	From        string   `query:"from" maxLength:"64" doc:"Calls that began at this time or later: RFC 3339, a date, a date and time, Unix seconds, how long ago (-24h, -7d), today, yesterday or now. Without an offset in the zone of http.zone"`
	To          string   `query:"to" maxLength:"64" doc:"Calls that began before this time, written as from"`
	Direction   string   `query:"direction" pattern:"^(in|out|internal)(,(in|out|internal)){0,2}$" patternDescription:"in, out, internal, or several of them with commas" doc:"in, out or internal; several with commas"`
	Disposition string   `query:"disposition" pattern:"^(answered|no_answer|cancelled|busy|failed|unknown)(,(answered|no_answer|cancelled|busy|failed|unknown)){0,5}$" patternDescription:"answered, no_answer, cancelled, busy, failed, unknown, or several of them with commas" doc:"answered, no_answer, cancelled, busy, failed or unknown; several with commas"`
	Phone       string   `query:"phone" maxLength:"128" doc:"srcPhone or dstPhone, whole; up to five with commas"`
	Number      string   `query:"number" maxLength:"64" doc:"A part of srcPhone or dstPhone, three digits or more, in any spelling; of more than ten digits the last ten"`
	Name        string   `query:"name" maxLength:"128" doc:"A part of the caller's name, three letters or more, in any case; or the first two of a word"`
	Operator    []string `query:"operator" maxLength:"128" nullable:"false" maxItems:"5" doc:"Who called, was called, was rung, talked, or handed the call over or took it"`
	DID         []string `query:"did" maxLength:"128" nullable:"false" maxItems:"5" doc:"The number of the PBX that was called, whole"`
	Queue       []string `query:"queue" maxLength:"128" nullable:"false" maxItems:"5" doc:"The queue's name, whole"`
	Recorded    string   `query:"recorded" enum:"true,false" doc:"Whether there is a recording of a conversation"`
	MinDuration int      `query:"minDuration" minimum:"0" maximum:"2000000000" doc:"Seconds of conversation, at least"`
	Transferred string   `query:"transferred" enum:"true,false" doc:"Whether the call was handed over, blind or attended"`
	Approximate string   `query:"approximate" enum:"true,false" doc:"Whether something of the call was missed, so that the record is near the truth"`
	CallID      string   `query:"callId" maxLength:"256"`
	PBX         []string `query:"pbx" maxLength:"64" nullable:"false" maxItems:"50" hidden:"true" doc:"At a centre: the PBX's name there"`
	Sort        string   `query:"sort" enum:"startedAt,-startedAt" doc:"startedAt: the oldest first; -startedAt, or none: the newest first"`
}

type listInput struct {
	Filters
	Fields []string `query:"fields" maxLength:"64" nullable:"false" maxItems:"50" doc:"The members that records shall have, such as callId,srcPhone,details.queue; without it all"`
	Count  bool     `query:"count" doc:"Count the records that fit: exactly up to 10,000"`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many records at the most"`
	Cursor string   `query:"cursor" maxLength:"512" doc:"\"next\" of the page before, with the same filters"`
	After  int64    `query:"after" minimum:"-1" default:"-1" doc:"Instead of a page: the records that changed behind this position in the sequence, each as it is now. 0: all that is kept"`
}

// query is what the filters ask the store for; the error is a problem for the
// client.
func (s *server) query(ctx context.Context, f *Filters, limit int) (q store.Query, err error) {
	return s.queryIn(ctx, f, limit, s.opt.Zone)
}

// queryIn is query where times without an offset are of a zone.
func (s *server) queryIn(ctx context.Context, f *Filters, limit int, zone *time.Location) (q store.Query, err error) {
	if masked(ctx) {
		if err := unseen(f); err != nil {
			return q, err
		}
		q.Visible = contract.MaskDigits
	}
	for _, t := range []struct {
		name, text string
		to         *store.Query
	}{{"from", f.From, &q}, {"to", f.To, &q}} {
		if t.text == "" {
			continue
		}
		at, err := readMoment(t.text, s.opt.Now(), zone)
		if err != nil {
			return q, badParameter(t.name, momentExamples, t.text)
		}
		if t.name == "from" {
			q.From = at
		} else {
			q.To = at
		}
	}
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return q, badParameter("to", "must be later than from", f.To)
	}
	for _, d := range values(f.Direction) {
		q.Directions = append(q.Directions, record.Direction(d))
	}
	for _, d := range values(f.Disposition) {
		q.Dispositions = append(q.Dispositions, record.Disposition(d))
	}
	if q.Number = f.Number; f.Number != "" && countDigits(f.Number) < store.ShortestPart {
		return q, badParameter("number", "needs three digits or more", f.Number)
	}
	if q.Name = strings.Join(strings.Fields(f.Name), " "); f.Name != "" && utf8.RuneCountInString(q.Name) < 2 {
		return q, badParameter("name", "needs three letters or more, or the first two of a word", f.Name)
	}
	if q.Phones = values(f.Phone); len(q.Phones) > mostPhones {
		return q, badParameter("phone", "has more than five values", f.Phone)
	}
	if q.PBXs = f.PBX; len(f.PBX) > 0 && s.opt.Centre == nil {
		return q, badParameter("pbx", "is for a centre: this voipd has one PBX alone", f.PBX)
	}
	q.Operators, q.DIDs, q.Queues = f.Operator, f.DID, f.Queue
	q.Recorded, q.Transferred, q.Approximate = truth(f.Recorded), truth(f.Transferred), truth(f.Approximate)
	q.MinDuration, q.CallID, q.Oldest, q.Limit = f.MinDuration, f.CallID, f.Sort == "startedAt", limit
	return q, nil
}

// mostPhones may be asked for at once.
const mostPhones = 5

// values are those of a parameter that has several, with commas between them.
func values(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func countDigits(s string) (n int) {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// truth is nil where nothing is asked.
func truth(text string) *bool {
	if text == "" {
		return nil
	}
	is := text == "true"
	return &is
}

// pickedFields are those that are asked for; nil: all.
func pickedFields(names []string) (*contract.Fields, error) {
	if len(names) == 0 {
		return nil, nil
	}
	fields, unknown := contract.PickFields(names)
	if unknown != "" {
		return nil, badParameter("fields", "names what no record has; such are callId, details.startedAt, or details for all of them", unknown)
	}
	return &fields, nil
}

// after is where an export goes on.
func (in *ExportInput) after() (at store.Cursor, err error) {
	if in.Cursor == "" {
		return at, nil
	}
	at, ok := readCursor(in.Cursor)
	if !ok {
		return at, badParameter("cursor", `is not the "next" of a page`, in.Cursor)
	}
	return at, nil
}
