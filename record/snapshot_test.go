package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestListedNoMore: a channel on its way out is not in the PBX's list, and its
// Hangup comes behind it. Who was heard of since the last gap did not end
// unseen; who was not, did.
func TestListedNoMore(t *testing.T) {
	caller := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/101-00000001"}
	gap := record.Event{Kind: record.Gapped, Value: "the link to the PBX was down"}
	heard := record.Event{Kind: record.Executed, Channel: caller, Key: "Hangup"}
	list := []record.Event{{Kind: record.SnapshotBegan}, {Kind: record.SnapshotEnded}}
	end := record.Event{Kind: record.HungUp, Channel: caller, Cause: 16}
	const unseen = "its end was not seen"
	for _, c := range []struct {
		name   string
		events []record.Event
		unseen bool
	}{
		{"heard of before the gap", append([]record.Event{heard, gap}, list...), true},
		{"heard of since the gap", append(append([]record.Event{gap, heard}, list...), end), false},
		{"the list is asked for again", append(append(append([]record.Event{gap, heard}, list...), list...), end), false},
		{"another gap", append(append(append([]record.Event{gap, heard}, list...), gap), list...), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, got := record.New(officeRules()), []record.Change(nil)
			for i, e := range append([]record.Event{{Kind: record.Created, Channel: caller, State: record.Ring, Context: "from-internal", Exten: "*43"}}, c.events...) {
				e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
				got = m.Apply(got, e)
			}
			all := records(got)
			if len(all) != 1 || slices.Contains(all[0].Details.Approximate, unseen) != c.unseen {
				t.Errorf("got %+v", all)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTalkThroughGap: in a gap a recording of a talk may begin, which the list of
// channels does not show. So the record is read again from CEL, unless it has one.
func TestTalkThroughGap(t *testing.T) {
	caller := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/101-00000001"}
	callee := record.Channel{ID: "1.2", Linked: "1.1", Name: "PJSIP/102-00000001"}
	const why = "facts were missed: the wire was not AMI"
	for name, recorded := range map[string]bool{"not recorded": false, "recorded": true} {
		t.Run(name, func(t *testing.T) {
			events := []record.Event{
				{Kind: record.Created, Channel: caller, State: record.Ring, Context: "from-internal", Exten: "102"},
				{Kind: record.Created, Channel: callee, State: record.Down},
				{Kind: record.DialStarted, Channel: caller, Peer: callee, Value: "102"},
				{Kind: record.DialEnded, Channel: caller, Peer: callee, Value: "ANSWER"},
				{Kind: record.StateChanged, Channel: caller, State: record.Up}, {Kind: record.StateChanged, Channel: callee, State: record.Up},
				{Kind: record.BridgeEntered, Channel: caller, Bridge: "b"},
				{Kind: record.BridgeEntered, Channel: callee, Bridge: "b"},
			}
			if recorded {
				events = append(events, record.Event{Kind: record.RecordingStarted, Channel: caller, Value: "/var/spool/asterisk/monitor/1.wav"})
			}
			events = append(events,
				record.Event{Kind: record.Gapped, Value: "the wire was not AMI"}, record.Event{Kind: record.SnapshotBegan},
				record.Event{Kind: record.ChannelPresent, Channel: caller, State: record.Up, Bridge: "b"}, record.Event{Kind: record.ChannelPresent, Channel: callee, State: record.Up, Bridge: "b"},
				record.Event{Kind: record.SnapshotEnded}, record.Event{Kind: record.HungUp, Channel: callee, Cause: 16}, record.Event{Kind: record.HungUp, Channel: caller, Cause: 16})
			m, got := record.New(officeRules()), []record.Change(nil)
			for i, e := range events {
				e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
				got = m.Apply(got, e)
			}
			all := records(got)
			if len(all) != 1 || len(all[0].Details.Recordings) > 0 != recorded || slices.Contains(all[0].Details.Approximate, why) == recorded {
				t.Errorf("got %+v", all)
			}
		})
	}
}
