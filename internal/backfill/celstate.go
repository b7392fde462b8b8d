package backfill

import (
	"cmp"
	"slices"
	"strings"

	"github.com/voipd/voipd/record"
)

// executed tells which application a channel runs, by APP_START or, where
// cel.conf's apps leaves it out, by the first row that names it. It takes from
// it what CEL has no row for: a recording's file, and waiting in a queue.
func (t *celCalls) executed(dst []record.Event, c *celChannel, r celRow) []record.Event {
	switch r.app {
	case "", "AppDial", "AppDial2", "AppQueue", "Set", "NoOp", "GotoIf", "ExecIf", "Return", "MSet", "While", "EndWhile", "Verbose", "Log":
		return dst
	}
	if r.event != "APP_START" && r.app == c.app && r.data == c.data || r.event == "HANGUP" || r.event == "CHAN_END" {
		return dst
	}
	c.app, c.data, c.used, c.ran = r.app, r.data, nil, r.at
	if c.dials() {
		t.diallers[r.linked] = append(t.diallers[r.linked], c)
	}
	e := c.says(r, record.Executed)
	e.Key, e.Value = r.app, r.data
	dst = append(dst, e)
	if strings.EqualFold(r.app, "MixMonitor") {
		e = c.says(r, record.VariableSet)
		e.Key = "MIXMONITOR_FILENAME"
		e.Value, _, _ = strings.Cut(r.data, ",")
		dst = append(dst, e)
	}
	return dst
}

// state tells what a row says happened to its channel.
func (t *celCalls) state(dst []record.Event, c *celChannel, r celRow) []record.Event {
	switch r.event {
	case "ANSWER":
		return c.answered(dst, r)
	case "BRIDGE_ENTER":
		return t.enters(dst, c, r)
	case "BRIDGE_EXIT":
		e := c.says(r, record.BridgeLeft)
		e.Bridge = cmp.Or(r.more().BridgeID, c.bridge)
		if c.bridge == e.Bridge {
			c.bridge = ""
		}
		return append(dst, e)
	case "BRIDGE_START":
		return t.bridgeBegan(dst, c, r)
	case "BRIDGE_END":
		return t.bridgeOver(dst, c, r)
	case "HANGUP":
		x := r.more()
		if record.Digits(r.exten) && !c.up && !r.asked {
			dst = append(dst, c.says(r, record.VariableSet)) // of no variable: it says where the channel had come to
		}
		if c.hungUp = true; r.extra == "" {
			c.doubt = cmp.Or(c.doubt, noCauses)
		}
		if !r.asked {
			c.cause = x.HangupCause
		}
		switch x.DialStatus {
		case "BUSY", "CONGESTION", "CHANUNAVAIL": // the dialling was over, though the rung channel's row may come behind
			dst = c.dialOver(dst, r, x.DialStatus)
		}
		if x.HangupSource == r.channel {
			e := c.says(r, record.HangupRequested)
			e.Cause = x.HangupCause
			return c.cancels(append(dst, e), r, x)
		}
		if r.asked && !c.ringsLocal() { // given up by a key of Dial's H option
			return c.cancels(dst, r, x)
		}
	case "CHAN_END":
		e := c.says(r, record.HungUp)
		if !c.hungUp {
			c.doubt = cmp.Or(c.doubt, noCauses)
		}
		e.Cause, e.Value, c.over = c.cause, c.doubt, true
		t.ends(c, r)
		dst, c.rings = t.parted(append(dst, e), c, r), nil
		return dst
	case "BLINDTRANSFER", "ATTENDEDTRANSFER", "PICKUP", "PARK_START", "PARK_END":
		return t.moved(dst, c, r)
	case "LOCAL_OPTIMIZE", "LOCAL_OPTIMIZE_BEGIN":
		x := r.more()
		e := c.says(r, record.LocalJoined)
		if e.Peer = t.channel(x.LocalTwoID, x.LocalTwo); e.Peer.ID != "" {
			return append(dst, e)
		}
	}
	return dst
}

// ringsLocal tells whether a channel has rung a Local channel: where phones forward
// to each other without end, Dial's status is that of the one who gave up.
func (c *celChannel) ringsLocal() bool {
	return slices.ContainsFunc(c.rings, func(p *celChannel) bool { return strings.HasPrefix(p.fact.Name, "Local/") })
}

// cancels ends the ringing of whom a caller who hung up still rang.
func (c *celChannel) cancels(dst []record.Event, r celRow, x celExtra) []record.Event {
	if x.DialStatus != "CANCEL" {
		return dst
	}
	return c.dialOver(dst, r, x.DialStatus)
}

// dialOver ends the ringing of those who still ring for a channel.
func (c *celChannel) dialOver(dst []record.Event, r celRow, status string) []record.Event {
	for _, p := range c.rings {
		if !p.over && !p.up {
			dst = append(dst, record.Event{At: r.at, Kind: record.DialEnded, Source: record.SourceCEL, Channel: c.fact, Peer: p.fact, Value: status})
		}
	}
	return dst
}

// ends lets go of what is kept of a channel but that it ended.
func (t *celCalls) ends(c *celChannel, r celRow) {
	c.heard = nil
	t.ended = append(t.ended, celEnded{r.id, r.at})
	if t.names[r.channel] == c {
		delete(t.names, r.channel)
	}
	for _, d := range t.diallers[r.linked] {
		if !d.over {
			return
		}
	}
	delete(t.diallers, r.linked)
}

func (c *celChannel) answered(dst []record.Event, r celRow) []record.Event {
	e := c.says(r, record.StateChanged)
	if e.State, c.up = record.Up, true; c.upAt.IsZero() {
		c.upAt = r.at
	}
	if c.rung {
		dst = append(dst, record.Event{At: r.at, Kind: record.DialEnded, Source: record.SourceCEL, Channel: c.by, Peer: c.fact, Value: "ANSWER"})
	}
	return append(dst, e)
}

// enters also tells conferences, which have no rows of their own: their bridges
// are softmix, and their members run ConfBridge or MeetMe.
func (t *celCalls) enters(dst []record.Event, c *celChannel, r celRow) []record.Event {
	x := r.more()
	e := c.says(r, record.BridgeEntered)
	if e.Bridge = x.BridgeID; e.Bridge == "" {
		e.Bridge = t.nameless(c, r)
	}
	c.bridge, c.entered = e.Bridge, r.at
	switch {
	case x.BridgeTechnology == "holding_bridge":
		e.BridgeKind = record.Holding
	case conferring(r.app):
		e.BridgeKind = record.Conference
	}
	dst = append(dst, e)
	if e.BridgeKind == record.Conference {
		e.Kind = record.ConferenceJoined
		e.Value, _, _ = strings.Cut(r.data, ",")
		dst = append(dst, e)
	}
	return dst
}

// moved tells transfers, pickups and parking. CEL does not say at which space a
// call is parked.
func (t *celCalls) moved(dst []record.Event, c *celChannel, r celRow) []record.Event {
	x := r.more()
	e := c.says(r, record.None)
	switch r.event {
	case "BLINDTRANSFER":
		e.Kind, e.Exten, e.Context = record.BlindTransferred, x.Extension, x.Context
		e.Peer = t.channel(x.Transferee, x.TransfereeName)
	case "ATTENDEDTRANSFER":
		e.Kind, e.Peer = record.AttendedTransferred, t.channel(x.SecondID, x.SecondName)
		c.handed = t.rows
	case "PICKUP": // the row is of the phone that rang
		taker := t.channel(x.PickupID, x.PickupName)
		e = record.Event{At: r.at, Kind: record.PickedUp, Source: record.SourceCEL, Channel: taker, Peer: c.fact}
		if p := t.channels[taker.ID]; p != nil {
			p.by = c.by
		}
	case "PARK_START":
		e.Kind, e.Key = record.Parked, x.Parker
	case "PARK_END":
		switch e.Kind = record.ParkAbandoned; x.Reason {
		case "ParkedCallUnparked":
			e.Kind, e.Peer = record.Unparked, t.channel("", x.Retriever)
		case "ParkedCallTimeOut":
			e.Kind = record.ParkTimedOut
		}
	}
	if e.Channel.ID == "" {
		return dst
	}
	return append(dst, e)
}

// channel is the channel of a uniqueid or, where the row has none, of a name.
func (t *celCalls) channel(id, name string) record.Channel {
	if c := t.channels[id]; c != nil {
		return c.fact
	}
	if c := t.names[name]; c != nil && (id == "" || c.fact.ID == id) {
		return c.fact
	}
	return record.Channel{ID: id, Name: name}
}
