package record

import (
	"strconv"
	"strings"
)

// This file bounds the journal of a long call: the facts about ringings that are
// only counted need not be kept to replay it.

// compactEvery is how many channels of dropped ringings gather before the journal
// of their call can be compacted.
const compactEvery = 500

// Compaction is what became unnecessary of a call's journal.
type Compaction struct {
	CallID   string
	Channels []string // their facts need not be kept
	// Summary is what is left of them, in place of any earlier one of the call. It
	// goes into the journal behind the fact that was applied last.
	Summary Event
}

// Compaction tells whether the last applied event made facts of its call
// unnecessary. It tells them once.
func (m *Machine) Compaction() (Compaction, bool) {
	c := m.compact
	m.compact = nil
	if c == nil {
		return Compaction{}, false
	}
	for _, ch := range c.members {
		if ch.alive() && ch.standsFor == nil {
			gone := c.gone
			c.gone = nil
			return Compaction{CallID: c.id, Channels: gone, Summary: c.dropped.summary(Channel{ID: ch.id, Linked: ch.linked, Name: ch.name})}, true
		}
	}
	return Compaction{}, false // it is over
}

// How ringings that were dropped ended, and whether somebody outside was rung, in
// a summary's Value.
const (
	someNoAnswer = "no_answer"
	someBusy     = "busy"
	someFailed   = "failed"
	someOutside  = "outside"
)

// summary is the fact that says what is left of dropped ringings.
func (d *droppedRingings) summary(of Channel) Event {
	var words []string
	for _, w := range []struct {
		is   bool
		word string
	}{{d.noAnswer, someNoAnswer}, {d.busy, someBusy}, {d.failed, someFailed}, {d.external, someOutside}} {
		if w.is {
			words = append(words, w.word)
		}
	}
	return Event{At: d.reached, Kind: RingingsDropped, Source: SourceClock, Channel: of, Key: strconv.Itoa(d.count), Age: d.ring,
		Value: strings.Join(words, " "), Number: strings.Join(d.operators, " ")}
}

// ringingsDropped takes the summary in, when a journal is replayed.
func (m *Machine) ringingsDropped(e Event) {
	ch := m.channels[e.Channel.ID]
	count, err := strconv.Atoi(e.Key)
	if ch == nil || err != nil {
		return
	}
	d := droppedRingings{count: count, ring: e.Age, reached: e.At, operators: strings.Fields(e.Number)}
	for _, word := range strings.Fields(e.Value) {
		d.noAnswer, d.busy = d.noAnswer || word == someNoAnswer, d.busy || word == someBusy
		d.failed, d.external = d.failed || word == someFailed, d.external || word == someOutside
	}
	ch.call.dropped, ch.call.phones = d, nil
}
