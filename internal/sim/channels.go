package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// channel is what the events so far say about one that is alive.
type channel struct {
	since   time.Time
	headers map[string]string // by the names that CoreShowChannel gives them
}

// channels are those alive, by unique id.
type channels map[string]*channel

// snapshotHeaders are what an event tells about its channel, in the order of a CoreShowChannel.
var snapshotHeaders = [...]string{
	"Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName",
	"Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
}

// learn takes from an event what a snapshot would show. An event may be about two channels (Dest…, LocalOne…).
func (all channels) learn(raw string, at time.Time) {
	name, _, _ := strings.Cut(strings.TrimPrefix(raw, "Event: "), "\r\n")
	id := headerOf(raw, "Uniqueid")
	if name == "Newchannel" && id != "" {
		all[id] = &channel{since: at, headers: map[string]string{}}
	}
	for _, prefix := range [...]string{"", "Dest", "LocalOne", "LocalTwo"} {
		c := all[headerOf(raw, prefix+"Uniqueid")]
		if c == nil {
			continue
		}
		for _, h := range snapshotHeaders {
			if v := headerOf(raw, prefix+h); v != "" {
				c.headers[h] = v
			}
		}
	}
	c := all[id]
	if c == nil {
		return
	}
	switch name {
	case "Newexten":
		c.headers["Application"], c.headers["ApplicationData"] = headerOf(raw, "Application"), headerOf(raw, "AppData")
	case "BridgeEnter":
		c.headers["BridgeId"] = headerOf(raw, "BridgeUniqueid")
	case "BridgeLeave":
		c.headers["BridgeId"] = ""
	case "Hangup":
		delete(all, id)
	}
}

func (all channels) sorted() []*channel {
	var out []*channel
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[id])
	}
	return out
}

// shown is the channel as an event CoreShowChannel has it.
func (c *channel) shown(now time.Time) string {
	var b strings.Builder
	for _, h := range snapshotHeaders {
		fmt.Fprintf(&b, "%s: %s\r\n", h, c.headers[h])
	}
	for _, h := range [...]string{"Application", "ApplicationData"} {
		fmt.Fprintf(&b, "%s: %s\r\n", h, c.headers[h])
	}
	fmt.Fprintf(&b, "Duration: %s\r\nBridgeId: %s\r\n", clock(now.Sub(c.since)), c.headers["BridgeId"])
	return b.String()
}
