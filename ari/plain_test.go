package ari_test

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// plainly is the oracle of FuzzTranslator: it decodes every event whole, by
// types that hold what facts are made of and no more. It has no error for an
// event that the library refuses, such as a timestamp that is none.
func plainly(text []byte, received time.Time) ([]record.Event, error) {
	var m plainMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	e := record.Event{Source: record.SourceARI, At: plainTime(m.Timestamp, received)}
	return plainFacts(nil, &m, e), nil
}

// plainMessage is an ARI event, as far as calls go.
type plainMessage struct {
	Type      string
	Timestamp string
	Channel   plainChannel
	Bridge    plainBridge

	Caller     plainChannel // Dial
	Peer       plainChannel
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
	Transferee     plainChannel
	FirstLeg       plainChannel `json:"transferer_first_leg"`
	SecondLeg      plainChannel `json:"transferer_second_leg"`

	Recording struct { // RecordingStarted
		Name, Format string
		Target       string `json:"target_uri"` // channel:ID or bridge:ID
	}
}

type plainChannel struct {
	ID           string
	Name         string
	State        string
	Caller       struct{ Name, Number string }
	Dialplan     struct{ Context, Exten string }
	CreationTime string            `json:"creationtime"`
	ChannelVars  map[string]string `json:"channelvars"`
}

type plainBridge struct {
	ID         string
	Technology string
	Creator    string
	Name       string
	Channels   []string
}

func (c *plainChannel) fact() record.Channel {
	return record.Channel{ID: c.ID, Linked: c.ChannelVars["CHANNEL(linkedid)"], Name: c.Name}
}

func plainFacts(dst []record.Event, m *plainMessage, e record.Event) []record.Event {
	switch m.Type {
	case "ChannelCreated":
		return append(dst, plainAbout(e, &m.Channel, record.Created))
	case "ChannelStateChange":
		return append(dst, plainAbout(e, &m.Channel, record.StateChanged))
	case "ChannelCallerId":
		return append(dst, plainAbout(e, &m.Channel, record.Identified))
	case "ChannelDialplan":
		return plainExecuted(dst, m, e)
	case "ChannelVarset":
		if slices.Contains([]string{"MIXMONITOR_FILENAME", "FROM_DID", "__FROM_DID", "DEAL"}, m.Variable) {
			e.Key, e.Value = m.Variable, m.Value
			return append(dst, plainAbout(e, &m.Channel, record.VariableSet))
		}
	case "Dial":
		return plainDial(dst, m, e)
	case "ChannelEnteredBridge":
		return plainEntered(dst, m, e)
	case "ChannelLeftBridge":
		e.Bridge = m.Bridge.ID
		return append(dst, plainAbout(e, &m.Channel, record.BridgeLeft))
	case "ChannelHangupRequest":
		if e.Cause, e.Tech = m.Cause, m.TechCause; !m.Soft {
			return append(dst, plainAbout(e, &m.Channel, record.HangupRequested))
		}
	case "ChannelDestroyed":
		e.Cause, e.Tech = m.Cause, m.TechCause
		return append(dst, plainAbout(e, &m.Channel, record.HungUp))
	case "RecordingStarted":
		return plainRecording(dst, m, e)
	case "ChannelHold":
		return append(dst, plainAbout(e, &m.Channel, record.Held))
	case "ChannelUnhold":
		return append(dst, plainAbout(e, &m.Channel, record.Resumed))
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

func plainAbout(e record.Event, c *plainChannel, kind record.Kind) record.Event {
	e.Kind, e.Channel = kind, c.fact()
	e.State = plainState(c.State)
	e.Number, e.Name = c.Caller.Number, c.Caller.Name
	e.Context, e.Exten = c.Dialplan.Context, c.Dialplan.Exten
	return e
}

func plainState(name string) record.State {
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

func plainExecuted(dst []record.Event, m *plainMessage, e record.Event) []record.Event {
	switch m.DialplanApp {
	case "Set", "NoOp", "GotoIf", "ExecIf", "Return", "MSet", "While", "EndWhile", "Verbose", "Log", "SIPAddHeader",
		"AppDial", "AppDial2", "AppQueue", "StackPop", "GosubIf", "MacroExit", "ResetCDR", "UserEvent":
		return dst
	}
	e.Key, e.Value = m.DialplanApp, m.DialplanAppData
	return append(dst, plainAbout(e, &m.Channel, record.Executed))
}

func plainDial(dst []record.Event, m *plainMessage, e record.Event) []record.Event {
	if m.Caller.ID != "" {
		e = plainAbout(e, &m.Caller, record.None)
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

func plainEntered(dst []record.Event, m *plainMessage, e record.Event) []record.Event {
	e = plainAbout(e, &m.Channel, record.BridgeEntered)
	e.Bridge = m.Bridge.ID
	e.BridgeKind = plainKind(&m.Bridge)
	dst = append(dst, e)
	if e.BridgeKind == record.Conference {
		e.Kind, e.Value = record.ConferenceJoined, m.Bridge.Name
		dst = append(dst, e)
	}
	return dst
}

func plainKind(b *plainBridge) record.BridgeKind {
	switch {
	case b.Technology == "holding_bridge":
		return record.Holding
	case b.Creator == "ConfBridge":
		return record.Conference
	}
	return record.Mixing
}

func plainTime(s string, received time.Time) time.Time {
	if t, err := time.Parse("2006-01-02T15:04:05.999-0700", s); err == nil && !t.IsZero() {
		return t.UTC()
	}
	return received.UTC()
}

func plainRecording(dst []record.Event, m *plainMessage, e record.Event) []record.Event {
	e.Kind, e.Value = record.RecordingStarted, "/var/spool/asterisk/recording/"+m.Recording.Name+"."+m.Recording.Format
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
