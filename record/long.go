package record

import (
	"maps"
	"slices"
	"time"
)

// This file bounds what is kept of a long call. A caller who is left in a queue
// overnight rings a hundred thousand phones; a fact about his call must not cost
// more than one about a short call, and his record has to stay readable.

// keptRingings is how many ringings of a call are kept from its beginning, and
// as many from its end. Those between that nobody answered are only counted.
const keptRingings = 100

// uncounted is how many more may gather before they are dropped together.
const uncounted = 50

// droppedRingings is what is left of the ringings in the middle of a long call.
type droppedRingings struct {
	count                  int
	ring                   time.Duration // time in which one of them rang and none before it
	reached                time.Time     // latest end of one
	noAnswer, busy, failed bool          // how they ended
	operators              []string      // phones of operators, in the order in which they came to the call
	external               bool          // somebody outside was among them
}

// dropRingings forgets ringings in the middle of a long call, once that is worth
// the while.
func (c *call) dropRingings() {
	if len(c.attempts) < 2*keptRingings+uncounted {
		return
	}
	talked := map[*channel]bool{}
	for _, t := range c.talks {
		talked[t.a], talked[t.b] = true, true
	}
	for _, r := range c.recordings {
		talked[r.ch] = true
	}
	gone := map[*channel]bool{}
	all, last := c.attempts, len(c.attempts)-keptRingings
	c.attempts = slices.Clone(all[:keptRingings])
	for i, a := range all[keptRingings:last] {
		if a.ch.alive() || a.ended.IsZero() || a.status == "ANSWER" || a.ch == c.origin || talked[a.ch] {
			c.attempts = append(c.attempts, a)
			continue
		}
		c.dropRinging(a, all[:keptRingings+i])
		gone[a.ch] = true
	}
	c.attempts = append(c.attempts, all[last:]...)
	c.dropMembers(gone, talked)
}

// dropRinging counts a ringing that is forgotten. before are those that began
// before it.
func (c *call) dropRinging(a *attempt, before []*attempt) {
	d := &c.dropped
	d.count++
	from := a.at
	if d.count == 1 {
		for _, b := range before {
			if b.ended.After(d.reached) {
				d.reached = b.ended
			}
		}
	}
	if from.Before(d.reached) {
		from = d.reached
	}
	until := a.ended
	if len(c.talks) > 0 && c.talks[0].start.Before(until) {
		until = c.talks[0].start // ringMs is the time before the first conversation
	}
	if until.After(from) {
		d.ring += until.Sub(from)
	}
	if a.ended.After(d.reached) {
		d.reached = a.ended
	}
	switch c.outcome(a) {
	case rangBusy:
		d.busy = true
	case rangFailed:
		d.failed = true
	default:
		d.noAnswer = true
	}
}

// dropMembers forgets the channels of dropped ringings, and Local channels that
// led to them.
func (c *call) dropMembers(gone, talked map[*channel]bool) {
	kept := c.members[:0]
	for _, ch := range c.members {
		if ch.alive() || ch == c.origin || talked[ch] || !gone[ch] && ch.role != helper {
			kept = append(kept, ch)
			continue
		}
		c.gone = append(c.gone, ch.id)
		if ch.role == operator {
			c.dropped.operators = addOnce(c.dropped.operators, ch.ext)
		}
		c.dropped.external = c.dropped.external || ch.role == external
	}
	clear(c.members[len(kept):])
	c.members, c.phones = kept, nil
}

// operatorPhones are the phones of every operator that had to do with the call
// so far, in the order in which they came to it.
func (c *call) operatorPhones() []string {
	if c.phones == nil {
		c.phones = append(make([]string, 0, 8), c.dropped.operators...)
		for _, ch := range c.members {
			if ch.role == operator {
				c.phones = addOnce(c.phones, ch.ext)
			}
		}
	}
	return c.phones
}

// absorb takes in what is left of the ringings of a call that became part of
// this one.
func (d *droppedRingings) absorb(o droppedRingings) {
	d.count += o.count
	d.ring += o.ring
	if o.reached.After(d.reached) {
		d.reached = o.reached
	}
	d.noAnswer, d.busy, d.failed = d.noAnswer || o.noAnswer, d.busy || o.busy, d.failed || o.failed
	for _, phone := range o.operators {
		d.operators = addOnce(d.operators, phone)
	}
	d.external = d.external || o.external
}

// longRing is the time in which at least one phone rang: spans are those of the
// ringings that are kept.
func (c *call) longRing(spans [][2]time.Time) time.Duration {
	var late [][2]time.Time
	for _, s := range spans[min(keptRingings, len(spans)):] {
		if s[0].Before(c.dropped.reached) {
			s[0] = c.dropped.reached
		}
		if s[1].After(s[0]) {
			late = append(late, s)
		}
	}
	return union(spans[:min(keptRingings, len(spans))]) + c.dropped.ring + union(late)
}

// roomy is how many calls may have gone on at once without their room being worth
// the while of giving back.
const roomy = 10_000

// shrink gives back the room of calls that are over, once there were very many: a
// map keeps its room, and one that is made anew has none to spare.
func (m *Machine) shrink() {
	if m.most < roomy || len(m.calls) > m.most/8 {
		return
	}
	m.most = len(m.calls)
	m.channels, m.calls, m.linked = maps.Collect(maps.All(m.channels)), maps.Collect(maps.All(m.calls)), maps.Collect(maps.All(m.linked))
	m.bridges, m.operators, m.origins = maps.Collect(maps.All(m.bridges)), maps.Collect(maps.All(m.operators)), maps.Collect(maps.All(m.origins))
}

// imprint is all that a fact about one channel can change, but for when
// something was heard of it last. Two that are equal are the same to the Machine.
type imprint struct {
	ch                                              channel
	did, asked, srcExt, dstExt, queue, service      string
	queueSince                                      time.Time
	queueWait                                       time.Duration
	waiting, voicemail, tried                       bool
	attempts, talks, recordings, transfers, reasons int
}

func imprintOf(ch *channel) imprint {
	c := ch.call
	i := imprint{ch: *ch, did: c.did, asked: c.asked, srcExt: c.srcExt, dstExt: c.dstExt, queue: c.queue, service: c.service,
		queueSince: c.queueSince, queueWait: c.queueWait, waiting: c.waiting, voicemail: c.voicemail, tried: c.tried,
		attempts: len(c.attempts), talks: len(c.talks), recordings: len(c.recordings), transfers: len(c.transfers), reasons: len(c.approx)}
	i.ch.touched = 0
	return i
}
