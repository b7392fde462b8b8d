package ari

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	"github.com/tidwall/gjson"

	"github.com/voipd/voipd/record"
)

// linkedVariable is the entry of ari.conf's channelvars that gives ARI a
// linkedid (seen on Asterisk 22).
const linkedVariable = "CHANNEL(linkedid)"

// Translator turns ARI events into facts for a [record.Machine]. Make one with
// [NewTranslator]; the zero value passes no channel variable on. It keeps no
// state between events and is safe for concurrent use.
type Translator struct {
	variables map[string]bool
}

// NewTranslator makes a Translator that passes the named channel variables on,
// besides those that every PBX sets ([record.Variables]).
func NewTranslator(variables ...string) *Translator {
	return &Translator{variables: record.Variables(variables...)}
}

// Events appends the facts of one event to dst and returns the result. text is
// the event's JSON. Most events have no fact; an event of an unknown type has
// none either, and is no error. The facts have the event's timestamp, or
// received if it has none.
//
// The error says why text could not be read: it is not JSON, has no type, or a
// field of an event that matters has the wrong type. dst is then returned
// unchanged, and the next event can be read.
func (t *Translator) Events(dst []record.Event, text []byte, received time.Time) ([]record.Event, error) {
	if !gjson.ValidBytes(text) {
		return dst, errors.New("read ARI event: it is not JSON")
	}
	kind := typeOf(text)
	if kind == "" {
		return dst, errors.New("read ARI event: it has no type")
	}
	if !t.wanted(kind, text) {
		return dst, nil
	}
	event, err := ari.DecodeEvent(text)
	if err != nil {
		return dst, fmt.Errorf("read ARI event: %w", err)
	}
	return translate(dst, event, text, received), nil
}

// typeOf is an event's type, read without decoding it. Empty: it has none.
func typeOf(text []byte) string {
	if kind := gjson.GetBytes(text, "type"); kind.Type == gjson.String {
		return kind.Str
	}
	return ""
}

// wanted tells whether an event states a fact, before it is decoded: decoding
// costs ten times as much, and three of four events state none. Half of a
// stream is variables that nobody asked for.
func (t *Translator) wanted(kind string, text []byte) bool {
	switch kind {
	case "ChannelVarset":
		return t.variables[gjson.GetBytes(text, "variable").String()]
	case "ChannelDialplan":
		return record.Tells(gjson.GetBytes(text, "dialplan_app").String())
	case "Dial":
		return !ringsOn(gjson.GetBytes(text, "dialstatus").String())
	case "ChannelHangupRequest":
		return !gjson.GetBytes(text, "soft").Bool()
	case "ChannelCreated", "ChannelStateChange", "ChannelCallerId", "ChannelEnteredBridge", "ChannelLeftBridge", "ChannelDestroyed",
		"RecordingStarted", "ChannelHold", "ChannelUnhold", "BridgeBlindTransfer", "BridgeAttendedTransfer":
		return true
	}
	return false
}

// ringsOn tells whether a status of a Dial is only its progress.
func ringsOn(status string) bool {
	return status == "RINGING" || status == "PROGRESS" || status == "PROCEEDING"
}

// translate appends the facts of an event that is wanted.
func translate(dst []record.Event, event ari.Event, text []byte, received time.Time) []record.Event {
	e := record.Event{Source: record.SourceARI}
	at := func(d *ari.EventData) record.Event { e.At = timeOf(time.Time(d.Timestamp), received); return e }
	switch m := event.(type) {
	case *ari.ChannelCreated:
		return append(dst, about(at(&m.EventData), &m.Channel, record.Created))
	case *ari.ChannelStateChange:
		return append(dst, about(at(&m.EventData), &m.Channel, record.StateChanged))
	case *ari.ChannelCallerID:
		return append(dst, about(at(&m.EventData), &m.Channel, record.Identified))
	case *ari.ChannelDialplan:
		e.Key, e.Value = m.DialplanApp, m.DialplanAppData
		return append(dst, about(at(&m.EventData), &m.Channel, record.Executed))
	case *ari.ChannelVarset:
		e.Key, e.Value = m.Variable, m.Value
		return append(dst, about(at(&m.EventData), &m.Channel, record.VariableSet))
	case *ari.Dial:
		return append(dst, dial(at(&m.EventData), m))
	case *ari.ChannelEnteredBridge:
		return enteredBridge(dst, at(&m.EventData), m)
	case *ari.ChannelLeftBridge:
		e.Bridge = m.Bridge.ID
		return append(dst, about(at(&m.EventData), &m.Channel, record.BridgeLeft))
	case *ari.ChannelHangupRequest:
		e.Cause, e.Tech = m.Cause, techCause(text)
		return append(dst, about(at(&m.EventData), &m.Channel, record.HangupRequested))
	case *ari.ChannelDestroyed:
		e.Cause, e.Tech = m.Cause, techCause(text)
		return append(dst, about(at(&m.EventData), &m.Channel, record.HungUp))
	case *ari.RecordingStarted:
		return recordingStarted(dst, at(&m.EventData), &m.Recording)
	case *ari.ChannelHold:
		return append(dst, about(at(&m.EventData), &m.Channel, record.Held))
	case *ari.ChannelUnhold:
		return append(dst, about(at(&m.EventData), &m.Channel, record.Resumed))
	case *ari.BridgeBlindTransfer:
		e.Kind, e.Channel, e.Peer = record.BlindTransferred, channel(&m.Channel), channel(&m.Transferee)
		e.Exten, e.Context = m.Exten, m.Context
		return append(dst, at(&m.EventData))
	case *ari.BridgeAttendedTransfer:
		e.Kind, e.Channel, e.Peer = record.AttendedTransferred, channel(&m.TransfererFirstLeg), channel(&m.TransfererSecondLeg)
		return append(dst, at(&m.EventData))
	}
	return dst
}

// techCause is the SIP code of a hangup, which the library's types lack. It
// tells a mobile that declined from one that is busy. Zero: not told.
func techCause(text []byte) int { return int(gjson.GetBytes(text, "tech_cause").Int()) }

// channel is what names a channel.
func channel(c *ari.ChannelData) record.Channel {
	return record.Channel{ID: c.ID, Linked: c.ChannelVars[linkedVariable], Name: c.Name}
}

// about fills in the channel that an event is about and where it stands.
func about(e record.Event, c *ari.ChannelData, kind record.Kind) record.Event {
	e.Kind, e.Channel = kind, channel(c)
	e.State = state(c.State)
	e.Number, e.Name = c.GetCaller().GetNumber(), c.GetCaller().GetName() // which may be missing
	e.Context, e.Exten = c.GetDialplan().GetContext(), c.GetDialplan().GetExten()
	return e
}

// state has Asterisk's numbers for ARI's names.
func state(name string) record.State {
	switch name {
	case "Rsrvd":
		return record.Reserved
	case "OffHook":
		return record.OffHook
	case "Dialing":
		return record.Dialing
	case "Ring":
		return record.Ring
	case "Ringing":
		return record.Ringing
	case "Up":
		return record.Up
	case "Busy":
		return record.Busy
	case "Dialing Offhook":
		return record.DialingOff
	case "Pre-ring":
		return record.PreRing
	}
	return record.Down
}

// dial is the beginning or the end of a ringing.
func dial(e record.Event, m *ari.Dial) record.Event {
	if m.Caller.ID != "" {
		e = about(e, &m.Caller, record.None)
	}
	e.Peer, e.PeerNumber = channel(&m.Peer), m.Peer.GetCaller().GetNumber()
	if e.Kind, e.Value = record.DialEnded, m.Dialstatus; m.Dialstatus == "" {
		e.Kind, e.Value = record.DialStarted, m.Dialstring
	}
	return e
}

// enteredBridge also tells conferences and parking, which have no events of
// their own: their bridges are made by ConfBridge and Parking.
func enteredBridge(dst []record.Event, e record.Event, m *ari.ChannelEnteredBridge) []record.Event {
	e = about(e, &m.Channel, record.BridgeEntered)
	e.Bridge, e.BridgeKind = m.Bridge.ID, bridgeKind(&m.Bridge)
	dst = append(dst, e)
	if e.BridgeKind == record.Conference {
		e.Kind, e.Value = record.ConferenceJoined, m.Bridge.Name
		dst = append(dst, e)
	}
	return dst
}

func bridgeKind(b *ari.BridgeData) record.BridgeKind {
	switch {
	case b.Technology == "holding_bridge":
		return record.Holding
	case b.Creator == "ConfBridge":
		return record.Conference
	}
	return record.Mixing
}

// timeOf is at in UTC; received where the event says no time.
func timeOf(at, received time.Time) time.Time {
	if at.IsZero() {
		return received.UTC()
	}
	return at.UTC()
}

// recordings is where Asterisk puts what ARI records, below its spool
// directory, which ARI does not tell: a PBX that has moved it needs an
// asterisk_path in the configuration.
const recordings = "/var/spool/asterisk/recording/"

// recordingStarted: ARI itself records a channel or a bridge.
func recordingStarted(dst []record.Event, e record.Event, r *ari.LiveRecordingData) []record.Event {
	e.Kind, e.Value = record.RecordingStarted, recordings+r.Name+"."+r.Format
	kind, id, _ := strings.Cut(r.TargetURI, ":")
	switch kind {
	case "channel":
		e.Channel.ID = id
	case "bridge":
		e.Bridge = id
	default:
		return dst
	}
	return append(dst, e)
}
