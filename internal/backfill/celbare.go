package backfill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// This file reads rows of which a part is missing: tables that were made without
// a column, and lists of events that were cut short. What follows from the rest
// is told, and the record says that it is approximate.

// What rows do not tell.
const (
	noBridges = "who talked, and from when, follows from who answered: CEL has no rows of bridges"
	noNames   = "who talked to whom follows from when bridges were entered: CEL's rows do not name them"
	noCauses  = "why the call ended, and who hung up, was not written down"
)

// sinceBridges is how long no bridge may have had a row for CEL to be taken to
// leave them out.
const sinceBridges = 24 * time.Hour

// enteredWithin is how far apart two that talk enter their bridge: 2 ms in what
// was seen; times may have whole seconds.
const enteredWithin = 2 * time.Second

// bare tells whether CEL leaves rows of bridges out.
func (t *celCalls) bare(at time.Time) bool {
	return t.bridged.IsZero() || at.Sub(t.bridged) > sinceBridges
}

// assume tells, before a row that ends it, a conversation that no row of a bridge
// tells: of a channel that was rung and answered with the one that rang it. Until
// then such a row may come.
func (t *celCalls) assume(dst []record.Event, c *celChannel, r celRow) []record.Event {
	if strings.HasPrefix(r.event, "BRIDGE_") {
		t.bridged = r.at
	}
	switch r.event {
	case "HANGUP", "CHAN_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PARK_START", "PARK_END":
	case "APP_END":
		if !conferring(r.app) {
			return dst
		}
	default:
		return dst
	}
	if !t.bare(r.at) || !c.up {
		return dst
	}
	dst = t.together(dst, c.fact.Linked)
	switch r.event {
	case "ATTENDEDTRANSFER":
		return t.handedOver(dst, c, r)
	case "BLINDTRANSFER", "PARK_START":
		return t.parted(dst, c, r)
	case "PARK_END":
		if p := t.names[r.more().Retriever]; p != nil {
			return c.talks(t.parted(dst, p, r), p, r.at)
		}
	}
	return dst
}

// together tells, of a call, all who talk to whom they rang or was rung by, and
// who is in a conference: a Local channel joins two such conversations.
func (t *celCalls) together(dst []record.Event, linked string) []record.Event {
	var up []*celChannel
	for _, c := range t.names {
		if c.fact.Linked == linked && c.up && !c.over && c.bridge == "" {
			up = append(up, c)
		}
	}
	slices.SortFunc(up, func(a, b *celChannel) int {
		return cmp.Or(a.upAt.Compare(b.upAt), strings.Compare(a.fact.ID, b.fact.ID))
	})
	for _, p := range up {
		by := t.channels[p.by.ID]
		if conferring(p.app) {
			dst = t.confers(dst, p)
		} else if by != nil && by.up && !by.over && by.bridge == "" && p.bridge == "" {
			dst = by.talks(dst, p, latest(p.upAt, by.upAt))
		}
	}
	return dst
}

// talks tells that a channel talks to another from then on.
func (c *celChannel) talks(dst []record.Event, p *celChannel, at time.Time) []record.Event {
	bridge := p.fact.ID + assumed
	return p.joins(c.joins(dst, bridge, at), bridge, at)
}

func (c *celChannel) joins(dst []record.Event, bridge string, at time.Time) []record.Event {
	c.bridge, c.doubt = bridge, noBridges
	return append(dst, record.Event{At: at, Kind: record.BridgeEntered, Source: record.SourceCEL, Channel: c.fact, Bridge: bridge, Value: noBridges})
}

// assumed ends the names of bridges that are not in rows.
const assumed = "/assumed"

// confers tells of all who are in a conference, with one of them.
func (t *celCalls) confers(dst []record.Event, c *celChannel) []record.Event {
	room := roomOf(c.data)
	var members []*celChannel
	for _, p := range t.names {
		if conferring(p.app) && roomOf(p.data) == room && p.up && !p.over && p.bridge == "" {
			members = append(members, p)
		}
	}
	slices.SortFunc(members, func(a, b *celChannel) int {
		return cmp.Or(a.ran.Compare(b.ran), strings.Compare(a.fact.ID, b.fact.ID))
	})
	for _, p := range members {
		dst = p.joins(dst, "conference "+room+assumed, p.ran)
		e := &dst[len(dst)-1]
		e.Kind, e.BridgeKind, e.Value = record.ConferenceJoined, record.Conference, room
	}
	return dst
}

func conferring(app string) bool {
	return strings.EqualFold(app, "ConfBridge") || strings.EqualFold(app, "MeetMe")
}

// roomOf is the room of a conference, by the data of its application.
func roomOf(data string) string {
	room, _, _ := strings.Cut(data, ",")
	return room
}

// handedOver tells that those talk to whom the two legs of a transferer talked.
func (t *celCalls) handedOver(dst []record.Event, c *celChannel, r celRow) []record.Event {
	second := t.channels[r.more().SecondID]
	if second == nil {
		return dst
	}
	dst = t.together(dst, second.fact.Linked)
	a, b := t.company(c), t.company(second)
	if len(a) != 1 || len(b) != 1 {
		return dst
	}
	return a[0].talks(t.parted(t.parted(dst, c, r), second, r), b[0], r.at)
}

// company are those whom a channel talks to in a bridge that is not in rows.
func (t *celCalls) company(c *celChannel) []*celChannel {
	var others []*celChannel
	for _, p := range t.names {
		if p != c && !p.over && p.bridge == c.bridge && strings.HasSuffix(p.bridge, assumed) {
			others = append(others, p)
		}
	}
	slices.SortFunc(others, func(a, b *celChannel) int { return strings.Compare(a.fact.ID, b.fact.ID) })
	return others
}

// parted tells that a channel, and who is then alone, has left a bridge that is
// not in rows.
func (t *celCalls) parted(dst []record.Event, c *celChannel, r celRow) []record.Event {
	if !strings.HasSuffix(c.bridge, assumed) {
		return dst
	}
	gone := []*celChannel{c}
	if others := t.company(c); len(others) == 1 && !conferring(others[0].app) {
		gone = append(gone, others[0])
	}
	for _, p := range gone {
		if !p.over {
			dst = append(dst, record.Event{At: r.at, Kind: record.BridgeLeft, Source: record.SourceCEL, Channel: p.fact, Bridge: p.bridge})
		}
		p.bridge = ""
	}
	return dst
}

// nameless is the bridge that a channel enters by a row that does not name it:
// that of one who is in it, as the row or the ringing tells, or who entered one
// alone just before; else one of its own.
func (t *celCalls) nameless(c *celChannel, r celRow) string {
	c.doubt = noNames
	if conferring(r.app) {
		return "conference " + roomOf(r.data)
	}
	for name := range strings.SplitSeq(r.peer, ",") {
		if p := t.names[name]; p != nil && p != c && p.bridge != "" {
			return p.bridge
		}
	}
	if by := t.channels[c.by.ID]; by != nil && by.bridge != "" && !by.over {
		return by.bridge
	}
	for _, p := range c.rings {
		if p.bridge != "" && !p.over {
			return p.bridge
		}
	}
	if p := t.entersWith(c, r); p != nil {
		return p.bridge
	}
	return c.fact.ID + alone
}

// alone ends the name of a bridge that a channel entered without anybody.
const alone = "/alone"

// entersWith is the channel of a call that entered a bridge just before another,
// and that nobody is in with it: the latest.
func (t *celCalls) entersWith(c *celChannel, r celRow) *celChannel {
	var found *celChannel
	for _, p := range t.names {
		if p == c || p.fact.Linked != r.linked || p.over || p.bridge != p.fact.ID+alone || r.at.Sub(p.entered) > enteredWithin {
			continue
		}
		if found == nil || p.entered.After(found.entered) || p.entered.Equal(found.entered) && p.fact.ID < found.fact.ID {
			found = p
		}
	}
	return found
}
