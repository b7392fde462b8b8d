package record

import (
	"sort"
	"time"
)

// build writes the record of a call as it stands at end. over is false for a
// call that goes on.
func (m *Machine) build(c *call, end time.Time, over bool) *Record {
	if end.Before(c.began) {
		end = c.began
	}
	r, from, rules := m.decide(c, end, over)
	d := &r.Details
	if over {
		d.EndedAt = ms(end)
	}
	d.WaitMS = between(c.began, from, end)
	d.RingMS, d.TalkMS, d.HoldMS = c.ringMS(from, end), c.talkMS(end), c.held.Milliseconds()
	m.describe(c, d)
	m.list(c, d, end)
	moments := m.moments(c, r, from, end)
	for i, field := range [...]string{"direction", "srcPhone", "dstPhone", "disposition", "duration"} {
		d.Why = append(d.Why, Reason{Field: field, Rule: rules[i], At: ms(moments[i])})
	}
	return r
}

// decide gives the record's fields, what the details need of them, and the rule
// of each. It is what a call that goes on is asked for after each fact, so it
// makes no lists.
func (m *Machine) decide(c *call, end time.Time, over bool) (r *Record, answered time.Time, rules [5]string) {
	r = &Record{CallID: c.id}
	r.Direction, rules[0] = m.direction(c)
	r.SrcPhone, r.SrcPhoneExt, rules[1] = m.srcPhone(c, r.Direction)
	r.DstPhone, r.DstPhoneExt, rules[2] = m.dstPhone(c, r.Direction, r.SrcPhone)
	r.Disposition, rules[3] = m.disposition(c, r.Direction, over)
	var from, to time.Time
	from, to, rules[4] = c.span(r.Disposition, end)
	if to.After(from) {
		r.Duration = int(to.Sub(from) / time.Second)
	}
	r.Details.StartedAt, r.Details.AnsweredAt = ms(c.began), ms(from)
	return r, from, rules
}

// moments are the times of the facts that decided the fields: who began the
// call and with what number; whom he reached, or who was rung; how it ended.
func (m *Machine) moments(c *call, r *Record, answered, end time.Time) [5]time.Time {
	reached := answered
	if reached.IsZero() {
		reached = c.began
		if a := c.firstOperatorRung(r.SrcPhone); a != nil && r.Direction != Out {
			reached = a.at
		}
	}
	decided := answered
	if decided.IsZero() {
		decided = end
		for _, a := range c.attempts {
			if !c.cancelled && !a.ended.IsZero() {
				decided = a.ended
			}
		}
	}
	began := c.began
	if r.Direction == Out {
		reached = began
	}
	return [5]time.Time{began, began, reached, decided, answered}
}

// describe fills the details that no rule decides, but for the long lists.
func (m *Machine) describe(c *call, d *Details) {
	d.BeganBy = c.beganBy()
	d.DID, d.CallerName = c.did, c.origin.callerName
	if withheld(d.CallerName) {
		d.CallerName = ""
	}
	d.Asked = c.asked
	d.Queue, d.QueueWaitMS = c.queue, c.queueWait.Milliseconds()
	d.Service, d.Voicemail = c.service, c.voicemail
	d.HangupCause = c.origin.cause
	if c.source != SourceCDR { // which does not tell
		d.HangupBy = "pbx"
	}
	if c.hungUpBy != nil {
		d.HangupBy = c.hungUpBy.phone(&m.rules)
	}
	d.MergedInto = c.mergedInto
	d.Absorbed = append(d.Absorbed, c.absorbed...)
	d.PBX, d.Source = m.rules.PBX, c.source.String()
}

// list fills the lists that grow with a call.
func (m *Machine) list(c *call, d *Details, end time.Time) {
	d.Transfers = append(d.Transfers, c.transfers...)
	d.Approximate = append(d.Approximate, c.approx...)
	d.RangOmitted = c.dropped.count
	for _, a := range c.attempts {
		d.Rang = append(d.Rang, Rang{Phone: a.phone, At: ms(a.at), MS: between(a.at, a.ended, end), Outcome: c.outcome(a), Cause: a.ch.cause})
	}
	for _, t := range c.talks {
		d.Conversations = append(d.Conversations, Conversation{A: t.aPhone, B: t.bPhone, At: ms(t.start), MS: between(t.start, t.end, end)})
	}
	for _, t := range c.recordings {
		if rec, heard := c.recording(t, end); heard {
			d.Recordings = append(d.Recordings, rec)
		}
	}
	for i := range d.Transfers {
		d.Transfers[i].At = ms(d.Transfers[i].At)
	}
}

// recording tells what there is to say of a recording, and whether there can be
// sound on it: MixMonitor writes nothing but a header before the channel is up,
// and with option b nothing outside a bridge.
func (c *call) recording(t *recording, end time.Time) (rec Recording, heard bool) {
	stop := t.stopped
	if stop.IsZero() {
		stop = end
	}
	rec = Recording{ID: RecordingID(t.path), Path: t.path, At: ms(t.at), State: Announced}
	for _, talk := range c.talks {
		talkEnd := talk.end
		if talkEnd.IsZero() {
			talkEnd = end
		}
		if !talk.start.After(stop) && !talkEnd.Before(t.at) {
			rec.Talk = true
		}
	}
	return rec, rec.Talk || !t.bridged && !t.ch.up.IsZero() && t.ch.up.Before(stop)
}

// ringMS is how long at least one phone rang before the first conversation.
func (c *call) ringMS(answered, end time.Time) int64 {
	if answered.IsZero() {
		answered = end
	}
	spans := make([][2]time.Time, 0, len(c.attempts))
	for _, a := range c.attempts {
		stop := a.ended
		if stop.IsZero() || stop.After(answered) {
			stop = answered
		}
		spans = append(spans, [2]time.Time{a.at, stop})
	}
	if c.dropped.count > 0 {
		return c.longRing(spans).Milliseconds()
	}
	return union(spans).Milliseconds()
}

// talkMS is how long at least two people heard each other.
func (c *call) talkMS(end time.Time) int64 {
	spans := make([][2]time.Time, 0, len(c.talks))
	for _, t := range c.talks {
		stop := t.end
		if stop.IsZero() {
			stop = end
		}
		spans = append(spans, [2]time.Time{t.start, stop})
	}
	return union(spans).Milliseconds()
}

// union is the time covered by at least one of the spans.
func union(spans [][2]time.Time) time.Duration {
	sort.Slice(spans, func(i, j int) bool { return spans[i][0].Before(spans[j][0]) })
	var total time.Duration
	var reached time.Time
	for _, s := range spans {
		from, to := s[0], s[1]
		if from.Before(reached) {
			from = reached
		}
		if to.After(from) {
			total += to.Sub(from)
			reached = to
		}
	}
	return total
}

// between is the time from one moment to another in ms; to end where the
// second is not yet, and never negative.
func between(from, to, end time.Time) int64 {
	if to.IsZero() {
		to = end
	}
	return max(0, to.Sub(from).Milliseconds())
}

func ms(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Millisecond)
}

// String is the source's name in records.
func (s Source) String() string {
	names := [...]string{"", "ami", "ari", "cel", "cdr", "disk", "clock"}
	if int(s) < len(names) {
		return names[s]
	}
	return ""
}
