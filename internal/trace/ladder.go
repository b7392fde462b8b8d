package trace

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// ErrNoRecord says that a trace does not give the record that was asked for.
var ErrNoRecord = errors.New("the trace does not give this record")

// Explain tells a call from its trace: a ladder of who rang, talked and handed
// over when, and for each field of the record the rule and the fact that
// decided it.
func Explain(w io.Writer, rules record.Rules, callID string, events []record.Event) error {
	changes := record.Replay(rules, slices.Values(events))
	var r *record.Record
	for _, c := range changes {
		if c.Record != nil && c.CallID == callID {
			r = c.Record
		}
	}
	if r == nil {
		return fmt.Errorf("explain %s: %w", callID, ErrNoRecord)
	}
	p := &printer{w: w, from: r.Details.StartedAt}
	p.head(r)
	p.line("")
	for _, c := range changes {
		if text := rung(c); text != "" {
			p.line("%s  %s", p.since(c.At), Inert(text))
		}
	}
	p.line("")
	p.reasons(r, events)
	return p.err
}

// ExplainKept tells what there is to say of a call of which no facts are kept,
// as of one that CEL or CDR told, from its record.
func ExplainKept(w io.Writer, r *record.Record) error {
	p := &printer{w: w, from: r.Details.StartedAt}
	p.head(r)
	p.line("told by %s; its facts are not kept", Inert(cmp.Or(r.Details.Source, "nobody known")))
	p.line("")
	p.reasons(r, nil)
	return p.err
}

// Recordings tells of a call's recordings, and who told of them.
func Recordings(w io.Writer, r *record.Record) error {
	p := &printer{w: w, from: r.Details.StartedAt}
	for _, rec := range r.Details.Recordings {
		how := "told by the PBX"
		if rec.Found {
			how = "found on the disk by its name"
		}
		p.line("%-12s %-14s %s", "recording", rec.State, how)
		p.line("%27s %s  %s", "", p.since(rec.At), Inert(rec.Path))
	}
	return p.err
}

func (p *printer) head(r *record.Record) {
	p.line("%s  %s", Inert(r.CallID), headline(r))
	p.line("began %s UTC", r.Details.StartedAt.Format("2006-01-02 15:04:05.000"))
}

// reasons tells of each field the rule that decided it, and the fact where it is
// among events.
func (p *printer) reasons(r *record.Record, events []record.Event) {
	values := map[string]string{"direction": string(r.Direction), "srcPhone": r.SrcPhone, "dstPhone": r.DstPhone,
		"disposition": string(r.Disposition), "duration": fmt.Sprintf("%d s", r.Duration)}
	for _, why := range r.Details.Why {
		p.line("%-12s %-14s %s", why.Field, Inert(values[why.Field]), why.Rule)
		if e, ok := factAt(events, why.At); ok {
			p.line("%27s %s  %s", "", p.since(e.At), Inert(fact(e)))
		}
	}
	for _, why := range r.Details.Approximate {
		p.line("approximate  %s", Inert(why))
	}
}

// printer keeps the first error, so that every line need not be asked.
type printer struct {
	w    io.Writer
	from time.Time
	err  error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) since(at time.Time) string {
	return fmt.Sprintf("%+9.3f s", at.Sub(p.from).Seconds())
}

func headline(r *record.Record) string {
	return Inert(fmt.Sprintf("%s  %s → %s  %s, %d s", r.Direction, r.SrcPhone, r.DstPhone, r.Disposition, r.Duration))
}

// rung is one step of the ladder.
func rung(c record.Change) string {
	switch c.Kind {
	case record.CallBegan:
		return "call " + c.CallID + " begins at " + c.Phone
	case record.PhoneRang:
		return c.Phone + " rings"
	case record.PhoneStopped:
		return c.Phone + " stops ringing: " + c.Outcome
	case record.CallAnswered:
		return c.Phone + " and " + c.Other + " talk"
	case record.CallTransferred:
		return c.Phone + " hands over to " + c.Other
	case record.CallHeld:
		return c.Phone + " holds"
	case record.CallResumed:
		return c.Phone + " resumes"
	case record.CallMerged:
		if c.Quiet {
			return ""
		}
		return "call " + c.CallID + " goes into call " + c.Other
	case record.CallEnded:
		return "call " + c.CallID + " ends, hung up by " + c.Record.Details.HangupBy
	}
	return ""
}

// factAt is the last fact at that moment: Asterisk states the deciding one
// behind those that led to it. Moments in records have milliseconds.
func factAt(events []record.Event, at time.Time) (found record.Event, ok bool) {
	for _, e := range events {
		if !at.IsZero() && e.At.UTC().Truncate(time.Millisecond).Equal(at) {
			found, ok = e, true
		}
	}
	return found, ok
}

func fact(e record.Event) string {
	parts := []string{e.Kind.String(), e.Channel.Name}
	if e.Peer.Name != "" {
		parts = append(parts, "→ "+e.Peer.Name)
	}
	for _, v := range []string{e.Key, e.Value} {
		if v != "" {
			parts = append(parts, v)
		}
	}
	if e.Cause > 0 {
		parts = append(parts, fmt.Sprintf("cause %d", e.Cause))
	}
	return strings.Join(parts, " ")
}

// Inert shows what is not printable escaped, so that what callers chose
// cannot move the cursor of a terminal.
func Inert(s string) string {
	quoted := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}
