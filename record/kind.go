package record

import (
	"fmt"
	"slices"
)

// kindNames are the kinds as traces and journals write them. A name never
// changes: old journals hold it.
func kindNames() [kindEnd]string {
	return [kindEnd]string{
		None:                "none",
		Created:             "created",
		StateChanged:        "state_changed",
		Identified:          "identified",
		Executed:            "executed",
		VariableSet:         "variable_set",
		DialStarted:         "dial_started",
		DialEnded:           "dial_ended",
		BridgeEntered:       "bridge_entered",
		BridgeLeft:          "bridge_left",
		LocalJoined:         "local_joined",
		HangupRequested:     "hangup_requested",
		HungUp:              "hung_up",
		BlindTransferred:    "blind_transferred",
		AttendedTransferred: "attended_transferred",
		PickedUp:            "picked_up",
		Parked:              "parked",
		Unparked:            "unparked",
		ParkTimedOut:        "park_timed_out",
		ParkAbandoned:       "park_abandoned",
		Held:                "held",
		Resumed:             "resumed",
		QueueJoined:         "queue_joined",
		QueueLeft:           "queue_left",
		ConferenceJoined:    "conference_joined",
		Originated:          "originated",
		RecordingStarted:    "recording_started",
		VoicemailLeft:       "voicemail_left",
		SnapshotBegan:       "snapshot_began",
		ChannelPresent:      "channel_present",
		SnapshotEnded:       "snapshot_ended",
		Gapped:              "gapped",
		RecordingChecked:    "recording_checked",
		ClockSet:            "clock_set",
		Accompanied:         "accompanied",
		Alone:               "alone",
		RingingsDropped:     "ringings_dropped",
		Lent:                "lent",
		Returned:            "returned",
		Consulted:           "consulted",
	}
}

// retired are names of kinds that older versions wrote and that decide nothing.
func retired() []string { return []string{"conference_left", "ticked"} }

// String is the kind's name, or "kind(N)" for one that is none.
func (k Kind) String() string {
	if k < kindEnd {
		return kindNames()[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) {
	if k >= kindEnd {
		return nil, fmt.Errorf("write kind: no kind %d", uint8(k))
	}
	return []byte(kindNames()[k]), nil
}

// UnmarshalText reads a kind's name. A retired one is None; an unknown one is
// an error.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames() {
		if name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	if slices.Contains(retired(), string(text)) {
		*k = None
		return nil
	}
	return fmt.Errorf("read kind: no kind is called %q", text)
}

// AboutAll tells whether a fact of this kind is about every call going on, and
// not about one: who keeps the facts of a call keeps it with each of them.
func (k Kind) AboutAll() bool {
	return k == Gapped || k == SnapshotBegan || k == SnapshotEnded || k == ClockSet
}
