package backfill

import "github.com/voipd/voipd/record"

// This file reads what Asterisk 11 and older wrote of bridges: one row of the
// calling channel where two begin to talk, and one where they cease. The other is
// in the column peer, if the table has it.

// bridgeBegan tells that a channel and its peer are in a bridge, which has the
// channel's name.
func (t *celCalls) bridgeBegan(dst []record.Event, c *celChannel, r celRow) []record.Event {
	p := t.peerOf(c, r)
	if p == nil {
		return dst
	}
	for _, ch := range [...]*celChannel{c, p} {
		ch.bridge = oldBridge(r)
		dst = append(dst, record.Event{At: r.at, Kind: record.BridgeEntered, Source: record.SourceCEL, Channel: ch.fact, Bridge: ch.bridge})
	}
	return dst
}

// bridgeOver tells that both are out of it.
func (t *celCalls) bridgeOver(dst []record.Event, c *celChannel, r celRow) []record.Event {
	p := t.peerOf(c, r)
	for _, ch := range [...]*celChannel{c, p} {
		if ch == nil || ch.bridge != oldBridge(r) {
			continue
		}
		ch.bridge = ""
		dst = append(dst, record.Event{At: r.at, Kind: record.BridgeLeft, Source: record.SourceCEL, Channel: ch.fact, Bridge: oldBridge(r)})
	}
	return dst
}

func oldBridge(r celRow) string { return r.id + "/bridge" }

// peerOf is the channel with which a channel is bridged: the one that its row
// names, else the one of its call that it is in a bridge with, or that is up.
func (t *celCalls) peerOf(c *celChannel, r celRow) *celChannel {
	if r.peer != "" {
		return t.names[r.peer]
	}
	var found *celChannel
	for _, ch := range t.names {
		if ch == c || ch.fact.Linked != r.linked || !ch.up || ch.over {
			continue
		}
		if ch.bridge == oldBridge(r) {
			return ch
		}
		if ch.bridge == "" && (found == nil || ch.fact.ID < found.fact.ID) {
			found = ch
		}
	}
	return found
}
