package backfill

import (
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

// assume tells, before a row that ends it, a conversation that no row of a bridge
// tells: of a channel that was rung and answered with the one that rang it. Until
// then such a row may come. It lasts until one of the two leaves.
func (t *celCalls) assume(dst []record.Event, c *celChannel, r celRow) []record.Event {
	if strings.HasPrefix(r.event, "BRIDGE_") {
		t.bridged = r.at
	}
	switch r.event {
	case "HANGUP", "CHAN_END", "BLINDTRANSFER", "ATTENDEDTRANSFER", "PARK_START":
	default:
		return dst
	}
	if !t.bridged.IsZero() && r.at.Sub(t.bridged) < sinceBridges {
		return dst
	}
	if by := t.channels[c.by.ID]; by != nil {
		dst = by.talked(dst, c)
	}
	for _, p := range c.rings {
		dst = c.talked(dst, p)
	}
	return dst
}

// talked tells that a channel talks to one that it rang, since both are up.
func (c *celChannel) talked(dst []record.Event, p *celChannel) []record.Event {
	if !c.up || !p.up || c.over || p.over || c.bridge != "" || p.bridge != "" {
		return dst
	}
	at := p.upAt
	if c.upAt.After(at) {
		at = c.upAt
	}
	for _, ch := range [...]*celChannel{c, p} {
		ch.bridge, ch.doubt = p.fact.ID+assumed, noBridges
		dst = append(dst, record.Event{At: at, Kind: record.BridgeEntered, Source: record.SourceCEL, Channel: ch.fact, Bridge: ch.bridge})
	}
	return dst
}

// assumed ends the names of bridges that are not in rows.
const assumed = "/assumed"

// parted tells that who talked to a channel that is gone has left the bridge that
// no row tells.
func (t *celCalls) parted(dst []record.Event, c *celChannel, r celRow) []record.Event {
	if !strings.HasSuffix(c.bridge, assumed) {
		return dst
	}
	for _, ch := range append(c.rings, t.channels[c.by.ID]) {
		if ch != nil && !ch.over && ch.bridge == c.bridge {
			ch.bridge = ""
			dst = append(dst, record.Event{At: r.at, Kind: record.BridgeLeft, Source: record.SourceCEL, Channel: ch.fact, Bridge: c.bridge})
		}
	}
	return dst
}

// nameless is the bridge that a channel enters by a row that does not name it:
// that of one who is in it, as the row or the ringing tells, or who entered one
// alone just before; else one of its own.
func (t *celCalls) nameless(c *celChannel, r celRow) string {
	c.doubt = noNames
	if app := strings.ToLower(r.app); app == "confbridge" || app == "meetme" {
		room, _, _ := strings.Cut(r.data, ",")
		return app + "/" + room
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
