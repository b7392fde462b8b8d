package store

import (
	"encoding/json"
	"time"

	"github.com/voipd/voipd/record"
)

// This file is the JSON of a fact in the journal and in traces, as the database
// keeps it. Its types are the store's own: a field that is renamed in package
// record changes no row. A name here never changes; nor does one of a
// [record.Kind], which is written by its name.

// eventRow is record.Event.
type eventRow struct {
	At         time.Time   `json:"at"`
	Kind       record.Kind `json:"kind"`
	Source     uint8       `json:"source"`
	Channel    channelRow  `json:"channel,omitzero"`
	Peer       channelRow  `json:"peer,omitzero"`
	State      uint8       `json:"state,omitempty"`
	Cause      int         `json:"cause,omitempty"`
	Tech       int         `json:"tech,omitempty"`
	Number     string      `json:"number,omitempty"`
	Name       string      `json:"name,omitempty"`
	PeerNumber string      `json:"peerNumber,omitempty"`
	Context    string      `json:"context,omitempty"`
	Exten      string      `json:"exten,omitempty"`
	Bridge     string      `json:"bridge,omitempty"`
	BridgeKind uint8       `json:"bridgeKind,omitempty"`
	Key        string      `json:"key,omitempty"`
	Value      string      `json:"value,omitempty"`
	Age        int64       `json:"age,omitempty"` // nanoseconds
	Recorded   fileRow     `json:"recorded,omitzero"`
}

type channelRow struct {
	ID     string `json:"id,omitempty"`
	Linked string `json:"linked,omitempty"`
	Name   string `json:"name,omitempty"`
	Class  string `json:"class,omitempty"`
}

// fileRow is record.FileFact.
type fileRow struct {
	State string `json:"state,omitempty"`
	Bytes int64  `json:"bytes,omitempty"`
	Audio int64  `json:"audio,omitempty"` // nanoseconds
}

// eventJSON is a fact as the database keeps it.
func eventJSON(e *record.Event) ([]byte, error) {
	return json.Marshal(&eventRow{
		At: e.At, Kind: e.Kind, Source: uint8(e.Source), Channel: channelRow(e.Channel), Peer: channelRow(e.Peer), State: uint8(e.State),
		Cause: e.Cause, Tech: e.Tech, Number: e.Number, Name: e.Name, PeerNumber: e.PeerNumber, Context: e.Context, Exten: e.Exten,
		Bridge: e.Bridge, BridgeKind: uint8(e.BridgeKind), Key: e.Key, Value: e.Value, Age: int64(e.Age),
		Recorded: fileRow{State: string(e.Recorded.State), Bytes: e.Recorded.Bytes, Audio: int64(e.Recorded.Audio)},
	})
}

// event is the fact that eventJSON wrote, in this version or an older one.
func (r *eventRow) event() record.Event {
	return record.Event{
		At: r.At, Kind: r.Kind, Source: record.Source(r.Source), Channel: record.Channel(r.Channel), Peer: record.Channel(r.Peer), State: record.State(r.State),
		Cause: r.Cause, Tech: r.Tech, Number: r.Number, Name: r.Name, PeerNumber: r.PeerNumber, Context: r.Context, Exten: r.Exten,
		Bridge: r.Bridge, BridgeKind: record.BridgeKind(r.BridgeKind), Key: r.Key, Value: r.Value, Age: time.Duration(r.Age),
		Recorded: record.FileFact{State: record.RecordingState(r.Recorded.State), Bytes: r.Recorded.Bytes, Audio: time.Duration(r.Recorded.Audio)},
	}
}
