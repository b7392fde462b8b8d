package ami

import (
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// SnapshotPrefix begins the ActionID of each CoreShowChannels that the Client
// sends for a snapshot. The [Translator] makes snapshot facts of the answers to
// these, and of no other CoreShowChannels.
const SnapshotPrefix = "voipd-snapshot-"

// Translator turns AMI messages into facts for a [record.Machine]. Make one with
// [NewTranslator]; the zero value is not usable. Not safe for concurrent use.
type Translator struct {
	variables map[string]bool
	strings   interner
}

// NewTranslator makes a Translator that passes the named channel variables on,
// besides those that every PBX sets ([record.Variables]). All others are left
// out: VarSet is half of the stream.
func NewTranslator(variables ...string) *Translator {
	return &Translator{variables: record.Variables(variables...), strings: newInterner()}
}

// Event returns the fact that a message states; ok is false if it states none
// that matters to calls. The fact's time is the message's Timestamp
// (manager.conf: timestampevents = yes), or received if it has none. m may be
// reused afterwards: the fact holds copies.
func (t *Translator) Event(m *Message, received time.Time) (e record.Event, ok bool) {
	name := m.Event()
	if name == nil {
		return t.response(m, received)
	}
	if !t.fill(&e, m, name) {
		return record.Event{}, false
	}
	e.Source = record.SourceAMI
	e.At = received.UTC()
	if at, has := parseTimestamp(m.Get("Timestamp")); has {
		e.At = at
	}
	return e, true
}

// response: the answer to a snapshot's CoreShowChannels begins the snapshot.
func (t *Translator) response(m *Message, received time.Time) (record.Event, bool) {
	if !isSnapshot(m) || string(m.Response()) != "Success" {
		return record.Event{}, false
	}
	return record.Event{Kind: record.SnapshotBegan, Source: record.SourceAMI, At: received.UTC()}, true
}

func isSnapshot(m *Message) bool {
	id := m.ActionID()
	return len(id) > len(SnapshotPrefix) && string(id[:len(SnapshotPrefix)]) == SnapshotPrefix
}

// fill sorts the events. In the order of their frequency: VarSet and Newexten
// are more than half of a stream.
func (t *Translator) fill(e *record.Event, m *Message, name []byte) bool {
	switch string(name) {
	case "VarSet":
		return t.varSet(e, m)
	case "Newexten":
		return t.newexten(e, m)
	case "Newchannel":
		return t.about(e, m, record.Created)
	case "Newstate":
		return t.about(e, m, record.StateChanged)
	case "NewCallerid":
		return t.about(e, m, record.Identified)
	case "HangupRequest":
		return t.about(e, m, record.HangupRequested) && t.cause(e, m)
	case "Hangup":
		return t.about(e, m, record.HungUp) && t.cause(e, m)
	case "BridgeEnter":
		return t.about(e, m, record.BridgeEntered) && t.bridge(e, m)
	case "BridgeLeave":
		return t.about(e, m, record.BridgeLeft) && t.bridge(e, m)
	case "DialBegin":
		return t.dial(e, m, record.DialStarted, "DialString")
	case "DialEnd":
		return t.dial(e, m, record.DialEnded, "DialStatus")
	case "Hold":
		return t.about(e, m, record.Held)
	case "Unhold":
		return t.about(e, m, record.Resumed)
	}
	return t.feature(e, m, name)
}

// feature sorts the events of features: rarer, and more different.
func (t *Translator) feature(e *record.Event, m *Message, name []byte) bool {
	switch string(name) {
	case "LocalBridge":
		return t.pair(e, m, record.LocalJoined, "LocalOne", "LocalTwo")
	case "BlindTransfer":
		ok := t.pair(e, m, record.BlindTransferred, "Transferer", "Transferee")
		e.Exten, e.Context = t.text(m, "Extension"), t.text(m, "Context")
		return ok
	case "AttendedTransfer":
		return t.pair(e, m, record.AttendedTransferred, "OrigTransferer", "SecondTransferer")
	case "Pickup":
		e.Peer = t.channel(m, "Target")
		return t.about(e, m, record.PickedUp)
	case "ParkedCall":
		return t.parked(e, m, record.Parked)
	case "UnParkedCall":
		e.Peer = t.channel(m, "Retriever")
		return t.parked(e, m, record.Unparked)
	case "ParkedCallTimeOut":
		return t.parked(e, m, record.ParkTimedOut)
	case "ParkedCallGiveUp":
		return t.parked(e, m, record.ParkAbandoned)
	case "QueueCallerJoin":
		e.Value = t.text(m, "Queue")
		return t.about(e, m, record.QueueJoined)
	case "QueueCallerLeave", "QueueCallerAbandon": // which comes when the queue gives up as well
		e.Value = t.text(m, "Queue")
		return t.about(e, m, record.QueueLeft)
	case "ConfbridgeJoin":
		e.Value = t.text(m, "Conference")
		return t.about(e, m, record.ConferenceJoined) && t.bridge(e, m)
	case "MessageWaiting":
		e.Value = t.text(m, "Mailbox")
		return len(m.Get("Uniqueid")) > 0 && t.about(e, m, record.VoicemailLeft)
	case "MixMonitorStart":
		return t.about(e, m, record.RecordingStarted)
	case "OriginateResponse":
		return t.originated(e, m)
	case "CoreShowChannel":
		return isSnapshot(m) && t.present(e, m)
	case "CoreShowChannelsComplete":
		e.Kind = record.SnapshotEnded
		return isSnapshot(m)
	}
	return false
}

// about fills in the channel that an event is about and where it stands. It
// walks the headers once: nearly every fact has all eight of these.
func (t *Translator) about(e *record.Event, m *Message, kind record.Kind) bool {
	e.Kind = kind
	var state string
	for _, s := range m.spans {
		switch s.colon - s.start { // a header's length tells nearly which it is
		case 5:
			t.take(&e.Exten, m, s, "Exten")
		case 7:
			t.take(&e.Channel.Name, m, s, "Channel")
			t.take(&e.Context, m, s, "Context")
		case 8:
			t.take(&e.Channel.ID, m, s, "Uniqueid")
			t.take(&e.Channel.Linked, m, s, "Linkedid")
		case 11:
			t.take(&e.Number, m, s, "CallerIDNum")
		case 12:
			t.take(&e.Name, m, s, "CallerIDName")
			t.take(&state, m, s, "ChannelState")
		}
	}
	if len(state) == 1 && state[0] >= '0' && state[0] <= '9' {
		e.State = record.State(state[0] - '0')
	}
	return e.Channel.ID != ""
}

// take is text for a header at hand, if it is the one of that name. The first
// one that says something counts.
func (t *Translator) take(to *string, m *Message, s span, name string) {
	if *to == "" && m.hasKey(s, name) {
		*to = t.known(m.value(s))
	}
}

// channel reads the three headers that name a channel; all its headers begin
// with prefix ("Dest", "Target", …).
func (t *Translator) channel(m *Message, prefix string) record.Channel {
	switch prefix {
	case "":
		return record.Channel{ID: t.text(m, "Uniqueid"), Linked: t.text(m, "Linkedid"), Name: t.text(m, "Channel")}
	case "Dest":
		return record.Channel{ID: t.text(m, "DestUniqueid"), Linked: t.text(m, "DestLinkedid"), Name: t.text(m, "DestChannel")}
	}
	return record.Channel{ID: t.text(m, prefix+"Uniqueid"), Linked: t.text(m, prefix+"Linkedid"), Name: t.text(m, prefix+"Channel")}
}

func (t *Translator) varSet(e *record.Event, m *Message) bool {
	name := m.Get("Variable")
	if !t.variables[string(name)] {
		return false
	}
	e.Key, e.Value = t.text(m, "Variable"), t.text(m, "Value")
	return t.about(e, m, record.VariableSet)
}

func (t *Translator) newexten(e *record.Event, m *Message) bool {
	if !record.Tells(string(m.Get("Application"))) {
		return false
	}
	e.Key, e.Value = t.text(m, "Application"), t.text(m, "AppData")
	return t.about(e, m, record.Executed)
}

func (t *Translator) dial(e *record.Event, m *Message, kind record.Kind, value string) bool {
	t.about(e, m, kind) // a dial by the PBX itself names no Channel
	e.Peer = t.channel(m, "Dest")
	e.PeerNumber = t.text(m, "DestCallerIDNum")
	e.Value = t.text(m, value)
	return e.Peer.ID != ""
}

func (t *Translator) pair(e *record.Event, m *Message, kind record.Kind, one, two string) bool {
	e.Kind = kind
	e.Channel, e.Peer = t.channel(m, one), t.channel(m, two)
	return e.Channel.ID != ""
}

func (t *Translator) parked(e *record.Event, m *Message, kind record.Kind) bool {
	e.Kind = kind
	e.Channel = t.channel(m, "Parkee")
	e.Key, e.Value = t.text(m, "ParkerDialString"), t.text(m, "ParkingSpace")
	return e.Channel.ID != ""
}

func (t *Translator) bridge(e *record.Event, m *Message) bool {
	e.Bridge = t.text(m, "BridgeUniqueid")
	switch {
	case string(m.Get("BridgeTechnology")) == "holding_bridge":
		e.BridgeKind = record.Holding
	case string(m.Get("BridgeCreator")) == "ConfBridge":
		e.BridgeKind = record.Conference
	}
	return e.Bridge != ""
}

func (t *Translator) cause(e *record.Event, m *Message) bool {
	e.Cause = number(m.Get("Cause"))
	e.Tech = number(m.Get("TechCause"))
	return true
}

// originated: OriginateResponse has the id of the channel only when that
// answered ("<unknown>" else), and "PJSIP/101" instead of a channel's name.
func (t *Translator) originated(e *record.Event, m *Message) bool {
	e.Kind = record.Originated
	e.Channel = record.Channel{ID: t.text(m, "Uniqueid"), Name: t.text(m, "Channel")}
	e.Context, e.Exten = t.text(m, "Context"), t.text(m, "Exten")
	e.Value = t.text(m, "Response")
	if e.Value == "Failure" {
		e.Key, e.Cause = t.text(m, "ActionID"), originateCause(m.Get("Reason"))
	}
	return true
}

// originateCause is the Q.850 cause of an OriginateResponse's Reason, which is a
// control frame's number: 5 is busy, 3 that it rang until the time was over. Else
// the phone could not be reached.
func originateCause(reason []byte) int {
	switch string(reason) {
	case "5":
		return 17
	case "3":
		return 19
	}
	return 20
}

func (t *Translator) present(e *record.Event, m *Message) bool {
	if !t.about(e, m, record.ChannelPresent) {
		return false
	}
	e.Bridge = t.text(m, "BridgeId")
	e.Key, e.Value = t.text(m, "Application"), t.text(m, "ApplicationData")
	e.Age = clockDuration(string(m.Get("Duration")))
	return true
}

// text is a header's value as a string that lives on: valid UTF-8 (Asterisk 16
// cuts names in the middle of a character), and empty for "<unknown>".
func (t *Translator) text(m *Message, key string) string { return t.known(m.Get(key)) }

func (t *Translator) known(v []byte) string {
	if len(v) == 0 || string(v) == "<unknown>" {
		return ""
	}
	return t.strings.of(v)
}

// parseTimestamp reads "1795365583.403005": seconds and microseconds.
func parseTimestamp(v []byte) (time.Time, bool) {
	var sec, frac, scale int64 = 0, 0, 1
	dot := false
	if len(v) == 0 || len(v) > 24 {
		return time.Time{}, false
	}
	for _, c := range v {
		switch {
		case c == '.' && !dot:
			dot = true
		case c < '0' || c > '9':
			return time.Time{}, false
		case !dot:
			sec = sec*10 + int64(c-'0')
		case scale < 1_000_000_000:
			frac, scale = frac*10+int64(c-'0'), scale*10
		}
	}
	if sec <= 0 || sec > 1<<36 {
		return time.Time{}, false
	}
	return time.Unix(sec, frac*(1_000_000_000/scale)).UTC(), true
}

// number reads a small decimal; anything else is 0.
func number(v []byte) int {
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' || n > 1_000_000 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// clockDuration reads CoreShowChannel's Duration, "HH:MM:SS".
func clockDuration(s string) time.Duration {
	parts := strings.Split(s, ":")
	if len(parts) != 3 {
		return 0
	}
	var total time.Duration
	for i, unit := range [...]time.Duration{time.Hour, time.Minute, time.Second} {
		total += time.Duration(number([]byte(parts[i]))) * unit
	}
	return total
}

// interned is how many strings an interner keeps: the channel ids, names and
// numbers of some 5,000 calls. At the bound it starts anew; nothing but a few
// allocations is lost.
const interned = 1 << 16

// interner gives the same string for the same bytes, so that a channel's id is
// allocated once and not once an event.
type interner struct{ known map[string]string }

func newInterner() interner { return interner{known: make(map[string]string)} }

func (in *interner) of(v []byte) string {
	if s, ok := in.known[string(v)]; ok {
		return s
	}
	if len(in.known) >= interned {
		clear(in.known)
	}
	s := strings.ToValidUTF8(string(v), "")
	in.known[string(v)] = s
	return s
}
