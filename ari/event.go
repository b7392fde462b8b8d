package ari

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// message is an ARI event, as far as calls go.
type message struct {
	Type      string
	Timestamp string
	Channel   channel
	Bridge    bridge

	Caller     channel // Dial
	Peer       channel
	DialStatus string
	DialString string

	Variable string // ChannelVarset
	Value    string

	DialplanApp     string `json:"dialplan_app"`
	DialplanAppData string `json:"dialplan_app_data"`

	Cause     int
	TechCause int `json:"tech_cause"`
	Soft      bool

	Exten, Context string // BridgeBlindTransfer
	Transferee     channel
	FirstLeg       channel `json:"transferer_first_leg"`
	SecondLeg      channel `json:"transferer_second_leg"`

	Recording struct { // RecordingStarted
		Name, Format string
		Target       string `json:"target_uri"` // channel:ID or bridge:ID
	}
}

type channel struct {
	ID           string
	Name         string
	State        string
	Caller       struct{ Name, Number string }
	Dialplan     struct{ Context, Exten string }
	CreationTime string            `json:"creationtime"`
	ChannelVars  map[string]string `json:"channelvars"`
}

type bridge struct {
	ID         string
	Technology string
	Creator    string
	Name       string
	Channels   []string
}

// linkedVariable is the entry of ari.conf's channelvars that gives ARI a
// linkedid (seen on Asterisk 22).
const linkedVariable = "CHANNEL(linkedid)"

func (c *channel) fact() record.Channel {
	return record.Channel{ID: c.ID, Linked: c.ChannelVars[linkedVariable], Name: c.Name}
}

// Translator turns ARI events into facts for a record.Machine. Make one with
// NewTranslator; not safe for concurrent use.
type Translator struct {
	variables map[string]bool
}

// NewTranslator makes a Translator that passes the named channel variables on,
// besides those that every PBX sets.
func NewTranslator(variables ...string) *Translator {
	t := &Translator{
		variables: map[string]bool{"MIXMONITOR_FILENAME": true, "FROM_DID": true, "__FROM_DID": true},
	}
	for _, v := range variables {
		if v != "" {
			t.variables[v] = true
		}
	}
	return t
}

// Events appends the facts that one event states to dst. A message that is no
// ARI event is an error and costs only itself.
func (t *Translator) Events(dst []record.Event, text []byte, received time.Time) ([]record.Event, error) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return dst, fmt.Errorf("read ARI event: %w", err)
	}
	if m.Type == "" {
		return dst, fmt.Errorf("read ARI event: it has no type")
	}
	e := record.Event{Source: record.SourceARI, At: at(m.Timestamp, received)}
	return t.translate(dst, &m, e), nil
}

func (t *Translator) translate(dst []record.Event, m *message, e record.Event) []record.Event {
	switch m.Type {
	case "ChannelCreated":
		return append(dst, about(e, &m.Channel, record.Created))
	case "ChannelStateChange":
		return append(dst, about(e, &m.Channel, record.StateChanged))
	case "ChannelCallerId":
		return append(dst, about(e, &m.Channel, record.Identified))
	case "ChannelDialplan":
		return t.executed(dst, m, e)
	case "ChannelVarset":
		if t.variables[m.Variable] {
			e.Key, e.Value = m.Variable, m.Value
			return append(dst, about(e, &m.Channel, record.VariableSet))
		}
	case "Dial":
		return dial(dst, m, e)
	case "ChannelEnteredBridge":
		return enteredBridge(dst, m, e)
	case "ChannelLeftBridge":
		e.Bridge = m.Bridge.ID
		return append(dst, about(e, &m.Channel, record.BridgeLeft))
	case "ChannelHangupRequest":
		if e.Cause, e.Tech = m.Cause, m.TechCause; !m.Soft {
			return append(dst, about(e, &m.Channel, record.HangupRequested))
		}
	case "ChannelDestroyed":
		e.Cause, e.Tech = m.Cause, m.TechCause
		return append(dst, about(e, &m.Channel, record.HungUp))
	case "RecordingStarted":
		return recordingStarted(dst, m, e)
	case "ChannelHold":
		return append(dst, about(e, &m.Channel, record.Held))
	case "ChannelUnhold":
		return append(dst, about(e, &m.Channel, record.Resumed))
	case "BridgeBlindTransfer":
		e.Kind, e.Channel, e.Peer = record.BlindTransferred, m.Channel.fact(), m.Transferee.fact()
		e.Exten, e.Context = m.Exten, m.Context
		return append(dst, e)
	case "BridgeAttendedTransfer":
		e.Kind, e.Channel, e.Peer = record.AttendedTransferred, m.FirstLeg.fact(), m.SecondLeg.fact()
		return append(dst, e)
	}
	return dst
}

// about fills in the channel that an event is about and where it stands.
func about(e record.Event, c *channel, kind record.Kind) record.Event {
	e.Kind, e.Channel = kind, c.fact()
	e.State = state(c.State)
	e.Number, e.Name = c.Caller.Number, c.Caller.Name
	e.Context, e.Exten = c.Dialplan.Context, c.Dialplan.Exten
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

// executed passes the applications that say something about a call.
func (t *Translator) executed(dst []record.Event, m *message, e record.Event) []record.Event {
	switch m.DialplanApp {
	case "Set", "NoOp", "GotoIf", "ExecIf", "Return", "MSet", "While", "EndWhile", "Verbose", "Log", "AppDial", "AppDial2", "AppQueue":
		return dst
	}
	e.Key, e.Value = m.DialplanApp, m.DialplanAppData
	return append(dst, about(e, &m.Channel, record.Executed))
}

// dial: one event for the beginning, the progress and the end of a ringing.
func dial(dst []record.Event, m *message, e record.Event) []record.Event {
	if m.Caller.ID != "" {
		e = about(e, &m.Caller, record.None)
	}
	e.Peer, e.PeerNumber = m.Peer.fact(), m.Peer.Caller.Number
	switch m.DialStatus {
	case "":
		e.Kind, e.Value = record.DialStarted, m.DialString
	case "RINGING", "PROGRESS", "PROCEEDING":
		return dst
	default:
		e.Kind, e.Value = record.DialEnded, m.DialStatus
	}
	return append(dst, e)
}

// enteredBridge also tells conferences and parking, which have no events of
// their own: their bridges are made by ConfBridge and Parking.
func enteredBridge(dst []record.Event, m *message, e record.Event) []record.Event {
	e = about(e, &m.Channel, record.BridgeEntered)
	e.Bridge = m.Bridge.ID
	e.BridgeKind = bridgeKind(&m.Bridge)
	dst = append(dst, e)
	if e.BridgeKind == record.Conference {
		e.Kind, e.Value = record.ConferenceJoined, m.Bridge.Name
		dst = append(dst, e)
	}
	return dst
}

func bridgeKind(b *bridge) record.BridgeKind {
	switch {
	case b.Technology == "holding_bridge":
		return record.Holding
	case b.Creator == "ConfBridge":
		return record.Conference
	}
	return record.Mixing
}

// at reads ARI's time, which has milliseconds; received where there is none.
func at(s string, received time.Time) time.Time {
	if t, err := time.Parse("2006-01-02T15:04:05.999-0700", s); err == nil {
		return t.UTC()
	}
	return received.UTC()
}

// recordings is where Asterisk puts what ARI records, below its spool
// directory, which ARI does not tell: a PBX that has moved it needs an
// asterisk_path in the configuration.
const recordings = "/var/spool/asterisk/recording/"

// recordingStarted: ARI itself records a channel or a bridge.
func recordingStarted(dst []record.Event, m *message, e record.Event) []record.Event {
	e.Kind, e.Value = record.RecordingStarted, recordings+m.Recording.Name+"."+m.Recording.Format
	kind, id, _ := strings.Cut(m.Recording.Target, ":")
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
