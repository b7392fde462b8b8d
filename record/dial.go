package record

import (
	"slices"
	"strings"
	"time"
)

// This file follows who was rung; ringing.go says with what outcome.

func (m *Machine) dialStarted(dst []Change, e Event) []Change {
	peer, dst := m.meet(dst, e, e.Peer)
	if peer == nil {
		return dst
	}
	var from *channel
	if e.Channel.ID != "" {
		if from, dst = m.meet(dst, e, e.Channel); from == nil {
			return dst
		}
		m.follow(from, e)
		dst = m.join(dst, from.call, peer.call, e.At, true)
		from.call.tried, from.quit = true, false
	} else if peer == peer.call.origin {
		var c *call // without linkedids only this says that the PBX itself rings
		if c, dst = m.recalled(dst, peer, e.At); c == nil {
			c = m.pagedBy(peer)
		}
		if c != nil {
			dst = m.join(dst, c, peer.call, e.At, true)
		} else {
			peer.call.byPBX = true
		}
	}
	if number := dialledNumber(e.Value); number != "" {
		peer.dialled = number
		if peer.guessed && number == peer.ext {
			peer.outside = true
			m.name(peer, peer.name, peer.shownAs)
		}
	} else if peer.dialled == "" {
		peer.dialled = e.PeerNumber
	}
	m.ownerOf(peer, from)
	if !peer.party() || peer.rung != nil {
		return dst
	}
	c := peer.call
	a := m.rings(peer, e.At)
	if a.dialled = from != nil; a.dialled {
		a.asked = from.stands
		if from.half != nil && from.half.owner != "" {
			a.asked = from.half.owner
		}
	}
	if peer.role == external {
		return dst
	}
	a.told = true
	return m.tell(dst, c, Change{Kind: PhoneRang, At: e.At, Phone: a.phone, Other: m.ringsFor(a)})
}

// ringsFor is the phone that began the call for which another is rung; empty: that
// is the rung one, or no phone's.
func (m *Machine) ringsFor(a *attempt) string {
	o := a.ch.call.origin
	if o == nil || o == a.ch || !o.party() {
		return ""
	}
	return o.phone(&m.rules)
}

// rings notes that a party's phone is being rung.
func (m *Machine) rings(ch *channel, at time.Time) *attempt {
	a := &attempt{ch: ch, at: at}
	ch.rung = a
	if ch.role == external {
		a.owner = ch.owner
	}
	a.phone = ch.phone(&m.rules)
	ch.call.attempts = append(ch.call.attempts, a)
	return a
}

// ownerOf notes on whose behalf a Local channel or an outside number is rung:
// the extension at which its caller stands, or that of the Local before it.
func (m *Machine) ownerOf(peer, from *channel) {
	if from == nil || peer.role == operator {
		return
	}
	ext, ok := m.rules.extension(from.stands)
	switch {
	case ok && ext != from.ext:
		peer.owner = ext
	case from.half != nil:
		peer.owner = from.half.owner
	}
	if peer.half != nil {
		peer.half.owner = peer.owner
	}
}

func (m *Machine) dialEnded(dst []Change, e Event) []Change {
	peer := m.channels[e.Peer.ID]
	if peer == nil {
		return dst
	}
	peer, dst = m.meet(dst, e, e.Peer)
	if from := m.channels[e.Channel.ID]; from != nil {
		from, dst = m.meet(dst, e, e.Channel)
		dst = m.join(dst, from.call, peer.call, e.At, true)
		if from.quit = e.Value == "CANCEL" && !from.call.waiting; e.Value == "CANCEL" {
			from.gaveUp = e.At
		}
	}
	m.rangUntold(peer)
	if a := peer.rung; a != nil && a.status == "" {
		a.status, a.ended = e.Value, e.At
	}
	return dst
}

// What a channel does, as far as it matters how the call ends there.
const (
	inMenu    = "menu"
	inMailbox = "voicemail"
	inTone    = "tone" // busy tone, congestion, or on its way out
	elsewhere = "else"
)

// doing is what a channel does that runs an application, in lower case.
func doing(app string) string {
	switch app {
	case "background", "waitexten", "read", "directory":
		return inMenu
	case "voicemail":
		return inMailbox
	case "busy", "congestion", "hangup", "playtones":
		return inTone
	}
	return elsewhere
}

// executed follows the dialplan: which application a channel runs.
func (m *Machine) executed(ch *channel, e Event) {
	c := ch.call
	app := strings.ToLower(e.Key)
	ch.app, ch.gaveUp = doing(app), time.Time{}
	if app != "queue" && ch == c.origin {
		m.queueLeft(c, e.At)
	}
	m.agentRuns(ch, app)
	service := ""
	switch app {
	case "dial", "followme", "page", "retrydial":
		c.tried, ch.quit = true, false
	case "disa":
		c.asked = "" // the caller dials on
	case "queue":
		ch.quit = false
		c.serves(ch.stands)
		name, _, _ := strings.Cut(e.Value, ",")
		m.queueJoined(c, name, e.At)
	case "background", "waitexten", "read", "directory":
		service = "ivr"
	case "playback", "controlplayback", "saynumber", "saydigits", "festival":
		if c.service == "" && len(c.attempts) == 0 {
			service = "announcement"
		}
	case "voicemail", "voicemailmain", "minivmrecord":
		service = "voicemail"
		c.voicemail = c.voicemail || app != "voicemailmain"
	case "confbridge", "meetme":
		c.serves(ch.stands)
		service = "conference"
	case "chanspy", "extenspy":
		service = "spy"
	case "echo":
		service = "echo"
	case "park", "parkedcall":
		service = "parking"
	case "mixmonitor":
		ch.mixPath, ch.mixOpts, _ = strings.Cut(e.Value, ",")
	}
	if service != "" {
		c.service = service
	}
}

// serves notes the number of a queue or a conference: nobody's extension.
func (c *call) serves(number string) {
	if number != "" && !slices.Contains(c.services, number) {
		c.services = append(c.services, number)
	}
}

// variableSet takes what channel variables say that no event does.
func (m *Machine) variableSet(ch *channel, e Event) {
	c := ch.call
	switch e.Key {
	case "MIXMONITOR_FILENAME":
		m.recordingStarted(ch, e)
	case "AMPUSER", "FROMEXTEN", "__FROMEXTEN":
		m.usedBy(ch, e.Value)
	case "FROM_DID", "__FROM_DID":
		if ch == c.origin && e.Value != "" && e.Value != "s" {
			c.did = e.Value
			if c.asked == e.Value {
				c.asked = ""
			}
		}
	case "":
	case m.rules.SrcExtVariable:
		c.srcExt = e.Value
	case m.rules.DstExtVariable:
		c.dstExt = e.Value
	}
}

// usedBy takes in whose phone the dialplan found that a caller's channel is. A phone
// that is rung inherits the caller's.
func (m *Machine) usedBy(ch *channel, ext string) {
	if ch.born == Ring && ch.user != ext && ch.party() && m.rules.short(ext) {
		ch.user = ext
		m.name(ch, ch.name, ch.shownAs)
	}
}

// recordingStarted: MixMonitor sets its variable on the channel that it runs on; that is
// where the file's name comes from (MixMonitorStart has none).
func (m *Machine) recordingStarted(ch *channel, e Event) {
	c := ch.call
	for _, t := range c.recordings {
		if t.path == e.Value {
			return
		}
	}
	t := &recording{ch: ch, path: e.Value, at: e.At}
	if ch.mixPath != "" && strings.Contains(e.Value, ch.mixPath) {
		opts, _, _ := strings.Cut(ch.mixOpts, ",")
		t.bridged = strings.Contains(opts, "b")
	}
	c.recordings = append(c.recordings, t)
}

// queueJoined: the application Queue says so before the queue does, and is all
// that ARI tells.
func (m *Machine) queueJoined(c *call, name string, at time.Time) {
	c.queue, c.queueSince, c.waiting, c.service, c.tried = name, at, true, "queue", true
}

func (m *Machine) queueLeft(c *call, at time.Time) {
	if !c.waiting {
		return
	}
	c.waiting = false
	if d := at.Sub(c.queueSince); d > 0 {
		c.queueWait += d
	}
}

// hangupRequested: the far side of a channel hung up. Where it was the calling
// side and the call was still on its way to somebody, the call is cancelled.
func (m *Machine) hangupRequested(ch *channel, cause int) {
	c := ch.call
	ch.wantsDown = true
	if c.refused(ch, cause) {
		return
	}
	if c.hungUpBy == nil && ch.party() && (ch == c.origin || ch.bridge != nil) {
		c.hungUpBy = ch // a phone that declines ends its ringing, not the call
	}
	if ch == c.caller() && len(c.talks) == 0 && c.onItsWay(ch) {
		c.cancelled = true
	}
}

// refused tells whether the PBX ended the calling side's channel by Busy() or
// Congestion(), which reads as if the caller had hung up, but for the cause: one
// who does so himself has another. Asterisk 16 tells no cause there: the channel is
// busy.
func (c *call) refused(ch *channel, cause int) bool {
	if ch != c.caller() || len(c.talks) > 0 || c.waiting || c.ringing() {
		return false
	}
	return cause == causeBusy || cause == causeCongestion || cause == 0 && ch.state == Busy
}

// quit tells whether the calling side gave its dialling up without hanging up, by the
// key that Dial's H option allows, and tried nobody else since. Hanging up ends the
// dialling in the same way; a time that runs out ends it in another.
func (c *call) quit() bool {
	return c.caller().quit && len(c.talks) == 0 && !c.waiting && !c.ringing()
}

// caller is the calling side's channel: the origin, or the party behind it
// where the PBX began the call through a Local channel.
func (c *call) caller() *channel {
	if c.origin.party() {
		return c.origin
	}
	for _, a := range c.attempts {
		return a.ch
	}
	return c.origin
}

// onItsWay tells whether a call was still on its way to somebody when the
// calling side hung up: a phone rang, in the queue, in a menu, in an
// announcement before anybody was rung; not after a failed ringing's busy tone
// or in voicemail.
func (c *call) onItsWay(ch *channel) bool {
	if c.waiting || c.ringing() {
		return true
	}
	if ch.state == Busy || ch == c.origin && c.byPBX && ch.up.IsZero() {
		return false
	}
	switch ch.app {
	case inMailbox, inTone:
		return false
	case inMenu:
		return true
	}
	for _, a := range c.attempts {
		if a.ch != ch && a.status != "ANSWER" {
			return false
		}
	}
	return true
}
