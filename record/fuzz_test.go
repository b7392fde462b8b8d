package record_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// someEvents makes events out of bytes, over a small PBX, so that channels,
// bridges and linkedids meet often and in every wrong order.
func someEvents(data []byte) []record.Event {
	channels := []string{"PJSIP/trunk-a-01", "PJSIP/101-02", "PJSIP/102-03", "Local/103@x-04;1", "Local/103@x-04;2", "PJSIP/103-05", "PJSIP/trunk-b-06", "Recorder/x-07"}
	kinds := []record.Kind{record.Created, record.StateChanged, record.Identified, record.Executed, record.VariableSet, record.DialStarted, record.DialEnded,
		record.BridgeEntered, record.BridgeLeft, record.LocalJoined, record.HangupRequested, record.HungUp, record.BlindTransferred, record.AttendedTransferred,
		record.PickedUp, record.Parked, record.Unparked, record.Held, record.Resumed, record.QueueJoined, record.QueueLeft, record.ConferenceJoined,
		record.Originated, record.SnapshotBegan, record.ChannelPresent, record.SnapshotEnded, record.Gapped, record.RingingsDropped, record.None, record.Lent, record.Returned}
	values := []string{"", "ANSWER", "NOANSWER", "CANCEL", "BUSY", "101", "/m/x.wav", "700"}
	keys := []string{"Dial", "Queue", "VoiceMail", "Playback", "MIXMONITOR_FILENAME", "FROM_DID", "MixMonitor", "AgentLogin", "AMPUSER"}
	name := func(n byte, linked byte) record.Channel {
		i := int(n) % len(channels)
		c := record.Channel{ID: fmt.Sprintf("1.%d", i), Name: channels[i]}
		if linked%4 > 0 {
			c.Linked = fmt.Sprintf("1.%d", int(linked)%len(channels))
		}
		return c
	}
	at := time.Unix(1_795_366_192, 0).UTC()
	var out []record.Event
	for len(data) >= 8 {
		b := data[:8]
		data = data[8:]
		at = at.Add(time.Duration(int8(b[0])) * 100 * time.Millisecond) // the clock may go back
		e := record.Event{At: at, Kind: kinds[int(b[1])%len(kinds)], Source: record.SourceAMI, Channel: name(b[2], b[3]), Peer: name(b[4], b[3]/16),
			State: record.State(b[5] % 8), Cause: int(b[5]) % 40, Number: values[int(b[6])%len(values)], Exten: values[int(b[7])%len(values)],
			Bridge: fmt.Sprintf("b%d", b[6]%3), BridgeKind: record.BridgeKind(b[7] % 3), Key: keys[int(b[6])%len(keys)], Value: values[int(b[7])%len(values)]}
		if b[6] == 255 {
			e.Channel = record.Channel{}
		}
		out = append(out, e)
	}
	return out
}

// FuzzMachine: no event ever breaks an invariant, the same events give the
// same changes, each call ends once, and after all channels are gone nothing
// is left open.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{1, 0, 0, 1, 0, 4, 5, 5, 1, 5, 0, 1, 1, 0, 5, 5, 1, 7, 0, 1, 0, 0, 0, 0, 1, 7, 1, 1, 0, 0, 0, 0, 1, 11, 0, 1, 0, 16, 0, 0, 1, 11, 1, 1, 0, 16, 0, 0})
	f.Add([]byte{1, 0, 1, 0, 2, 4, 1, 5, 1, 0, 2, 0, 2, 0, 1, 5, 1, 13, 1, 0, 2, 0, 0, 0, 1, 12, 1, 0, 2, 0, 0, 0})
	f.Add([]byte("010\x000000")) // an event that changes nothing
	f.Add([]byte{1, 23, 0, 0, 0, 0, 0, 0, 1, 24, 1, 1, 0, 6, 1, 0, 1, 25, 0, 0, 0, 0, 0, 0, 1, 26, 0, 0, 0, 0, 0, 0, 1, 23, 0, 0, 0, 0, 0, 0, 1, 25, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		events := someEvents(data)
		m := record.New(officeRules())
		var changes []record.Change
		for i, e := range events {
			changes = m.Apply(changes, e)
			if err := m.Check(); err != nil {
				t.Fatalf("after event %d, %+v: %v", i, e, err)
			}
		}
		for i := range 8 {
			changes = m.Apply(changes, record.Event{At: time.Unix(1_795_400_000, 0), Kind: record.HungUp, Channel: record.Channel{ID: fmt.Sprintf("1.%d", i)}})
		}
		if n := m.Open(); n != 0 {
			t.Fatalf("%d calls are open after every channel is gone", n)
		}
		checkStory(t, changes)
		if again := record.Replay(officeRules(), slices.Values(events)); len(again) > 0 && !reflect.DeepEqual(again, changes[:len(again)]) {
			t.Fatal("the same events gave other changes")
		}
	})
}

// checkStory: a call begins before anything else is told of it, ends or merges
// once, and nothing is told of it afterwards, but that it was part of another.
func checkStory(t *testing.T, changes []record.Change) {
	t.Helper()
	open, ended := map[string]bool{}, map[string]bool{}
	for i, c := range changes {
		switch {
		case c.Retracts:
			if !ended[c.CallID] {
				t.Fatalf("change %d: call %s is retracted, and had no record", i, c.CallID)
			}
			delete(ended, c.CallID)
		case c.Kind == record.CallBegan:
			if open[c.CallID] {
				t.Fatalf("change %d: call %s begins twice", i, c.CallID)
			}
			open[c.CallID] = true
		case c.Quiet && c.Kind == record.CallMerged && !open[c.CallID]:
		case !open[c.CallID]:
			t.Fatalf("change %d (%v): call %s is not open", i, c.Kind, c.CallID)
		case c.Kind == record.CallEnded, c.Kind == record.CallMerged:
			delete(open, c.CallID)
			ended[c.CallID] = c.Kind == record.CallEnded
		}
		if (c.Kind == record.CallEnded) && c.Record == nil {
			t.Fatalf("change %d: call %s ends without a record", i, c.CallID)
		}
	}
}
