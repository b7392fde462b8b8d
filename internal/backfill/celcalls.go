package backfill

import (
	"cmp"
	"hash/fnv"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// remember is how long an ended channel is kept, so that rows that come again
// do not begin it anew.
const remember = time.Minute

// celChannel is what the rows so far said of one channel.
type celChannel struct {
	fact      record.Channel
	number    string    // caller ID number as last told
	app, data string    // what it runs
	ran       time.Time // since when
	bridge    string
	down      bool           // somebody else made it, in order to ring it
	rung      bool           // it was told that it is rung
	rings     []*celChannel  // whom it rings, or rang
	by        record.Channel // who rings it
	up        bool
	cause     int
	began     *celRow // its CHAN_START, as long as it is not clear who began it
	first     int     // number of its first row
	over      bool
	handed    int    // number of the row in which it handed its call over by an attended transfer; 0: none
	used      []bool // elements of the dial string that a channel was made for
	heard     map[uint64]struct{}
	last      time.Time // when its latest row was written
	upAt      time.Time
	entered   time.Time // its bridge
	doubt     string    // what its rows do not tell
	hungUp    bool      // it had a row HANGUP, which has the cause
}

// dials tells whether a channel rings others: it runs an application that does
// and is in no bridge. In a bridge it talks, and a new channel of its call is
// somebody else's doing, such as a consultation by feature code.
func (c *celChannel) dials() bool {
	if c.over || c.bridge != "" {
		return false
	}
	switch strings.ToLower(c.app) {
	case "dial", "queue", "followme", "retrydial", "page":
		return true
	}
	return false
}

// celCalls turns CEL rows, in the order of their times, into facts. Not safe
// for concurrent use. It keeps what it needs of channels that live, and of
// those that ended in the last minute.
type celCalls struct {
	channels map[string]*celChannel   // by uniqueid
	names    map[string]*celChannel   // by name, while it lives
	diallers map[string][]*celChannel // by linkedid: who began to ring others, in order
	ended    []celEnded
	searched time.Time // when channels without an end were last looked for
	rows     int       // that were taken in: what tells the order where the clock was set
	bridged  time.Time // when a bridge had a row last
}

type celEnded struct {
	id string
	at time.Time
}

func newCELCalls() *celCalls {
	return &celCalls{channels: map[string]*celChannel{}, names: map[string]*celChannel{}, diallers: map[string][]*celChannel{}}
}

// row appends the facts that a row states to dst. LINKEDID_END states none: it
// also comes when a linkedid is overwritten.
func (t *celCalls) row(dst []record.Event, r celRow) []record.Event {
	t.rows++
	t.forget(r.at)
	dst = t.lost(dst, r.at)
	switch r.event {
	case "LINKEDID_END", "USER_DEFINED", "DTMF", "STREAM_BEGIN", "STREAM_END":
		return dst
	}
	c := t.channels[r.id]
	if c == nil && r.terminal() {
		return dst // of a call whose beginning is in rows that are not read: it would begin another
	}
	if c == nil {
		c = &celChannel{number: r.number, first: t.rows}
		t.channels[r.id] = c
	}
	if c.over || c.again(r) {
		return dst
	}
	if c.fact.Linked != r.linked && c.dials() {
		t.diallers[r.linked] = append(t.diallers[r.linked], c)
	}
	c.fact, c.last = record.Channel{ID: r.id, Linked: r.linked, Name: r.channel}, r.at
	t.names[r.channel] = c
	if r.event == "CHAN_START" {
		return t.started(dst, c, r)
	}
	dst = t.fillIn(dst, c, r)
	dst = t.assume(dst, c, r)
	if c.handed > 0 && r.event == "HANGUP" {
		dst = t.recalls(dst, c, r)
	}
	if r.number != c.number {
		c.number = r.number
		dst = append(dst, c.says(r, record.Identified))
	}
	if r.event == "APP_END" {
		c.app, c.data = "", ""
		return dst
	}
	return t.state(t.executed(dst, c, r), c, r)
}

// terminal tells whether a row says only that something is over.
func (r celRow) terminal() bool {
	return r.event == "HANGUP" || r.event == "CHAN_END" || r.event == "BRIDGE_EXIT" || r.event == "APP_END"
}

// again tells whether a row of the channel came before: said later, what it
// says may no longer be so. Rows with whole seconds can be equal and yet two.
func (c *celChannel) again(r celRow) bool {
	if r.at.Nanosecond() == 0 || r.asked {
		return false
	}
	h := fnv.New64a()
	for _, s := range [...]string{r.event, r.linked, r.number, r.exten, r.context, r.app, r.data, r.extra, r.at.Format(time.RFC3339Nano)} {
		_, _ = io.WriteString(h, s) // a hash does not fail
		_, _ = h.Write([]byte{0})
	}
	if _, known := c.heard[h.Sum64()]; known {
		return true
	}
	if c.heard == nil {
		c.heard = map[uint64]struct{}{}
	}
	c.heard[h.Sum64()] = struct{}{}
	return false
}

// says is a fact of a kind about the channel of a row.
func (c *celChannel) says(r celRow, kind record.Kind) record.Event {
	return record.Event{At: r.at, Kind: kind, Source: record.SourceCEL, Channel: c.fact, Number: r.number, Name: r.name,
		Context: r.context, Exten: r.exten}
}

// started: CEL has no channel state. A channel with another's linkedid is rung,
// or the second half of a Local channel. One with its own is that of a caller,
// who asked for an extension; where that is "s", the PBX may have made it
// (originate), which its next row tells by the application AppDial2.
func (t *celCalls) started(dst []record.Event, c *celChannel, r celRow) []record.Event {
	own := r.linked == "" || r.linked == r.id
	if own && r.exten == "s" {
		c.began = &r
		return dst
	}
	e := c.says(r, record.Created)
	switch {
	case own, strings.HasSuffix(r.channel, ";2"):
		e.State = record.Ring
	default:
		e.State = record.Down
	}
	dst = append(dst, e)
	if c.down = e.State == record.Down; c.down {
		dst = t.rings(dst, c, r)
	}
	return dst
}

// fillIn tells what the first rows of a channel left open.
func (t *celCalls) fillIn(dst []record.Event, c *celChannel, r celRow) []record.Event {
	byPBX, rung := r.app == "AppDial2", r.app == "AppDial" || r.app == "AppQueue"
	at := r
	if c.began != nil {
		at, c.began = *c.began, nil
		e := c.says(at, record.Created)
		e.State = record.Ring
		if c.down = byPBX || rung; c.down {
			e.State = record.Down
		}
		dst = append(dst, e)
	}
	switch {
	case c.rung:
	case byPBX:
		c.rung = true
		dst = append(dst, record.Event{At: at.at, Kind: record.DialStarted, Source: record.SourceCEL, Peer: c.fact})
	case rung && c.down: // a pickup makes a caller's channel an AppDial
		dst = t.rings(dst, c, at)
	}
	return dst
}

// recalls tells, before the channel of somebody who handed his call over ends,
// that his phone rings again: whom he handed it to did not answer. What tells
// that the PBX rings it comes later, and there is nothing then that the new
// channel could belong to.
func (t *celCalls) recalls(dst []record.Event, c *celChannel, r celRow) []record.Event {
	for _, h := range t.held() {
		if h.first > c.handed && endpointOf(h.fact.Name) == endpointOf(c.fact.Name) {
			dst = t.fillIn(dst, h, celRow{app: "AppDial2", at: r.at})
		}
	}
	return dst
}

// held are the channels of which it is not clear yet who began them, oldest
// first.
func (t *celCalls) held() []*celChannel {
	var held []*celChannel
	for _, c := range t.channels {
		if c.began != nil {
			held = append(held, c)
		}
	}
	slices.SortFunc(held, func(a, b *celChannel) int {
		return cmp.Or(a.began.at.Compare(b.began.at), strings.Compare(a.fact.ID, b.fact.ID))
	})
	return held
}

// endpointOf is a channel's name without what counts its channels:
// "PJSIP/101" of "PJSIP/101-0000001f".
func endpointOf(channel string) string {
	channel = strings.TrimSuffix(strings.TrimSuffix(channel, ";1"), ";2")
	if i := strings.LastIndexByte(channel, '-'); i > 0 {
		channel = channel[:i]
	}
	return channel
}

// forget drops channels that ended long ago.
func (t *celCalls) forget(now time.Time) {
	n := 0
	for n < len(t.ended) && now.Sub(t.ended[n].at) > remember {
		delete(t.channels, t.ended[n].id)
		n++
	}
	if n > 0 {
		t.ended = append(t.ended[:0], t.ended[n:]...)
	}
}

// flush tells what was held back: channels whose next row never came.
func (t *celCalls) flush(dst []record.Event) []record.Event {
	for _, c := range t.held() {
		e := c.says(*c.began, record.Created)
		e.State, c.began = record.Ring, nil
		dst = append(dst, e)
	}
	return dst
}
