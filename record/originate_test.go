package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestCallBackUnanswered: the PBX rings somebody outside first, in order to
// connect him with 115, and he does not answer. Only the answer to Originate
// names 115, and names the channel by what was dialled; it comes before the
// Hangup or right behind it.
func TestCallBackUnanswered(t *testing.T) {
	trunk := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/trunk-a-00000001"}
	answer := record.Event{Kind: record.Originated, Channel: record.Channel{Name: "PJSIP/89161000174@trunk-a"}, Exten: "115", Value: "Failure"}
	end := record.Event{Kind: record.HungUp, Channel: trunk, Cause: 19}
	for name, last := range map[string][]record.Event{"before": {answer, end}, "behind": {end, answer}, "told twice": {end, answer, answer}} {
		t.Run(name, func(t *testing.T) {
			m, got := record.New(officeRules()), []record.Change(nil)
			for i, e := range append([]record.Event{
				{Kind: record.Created, Channel: trunk, State: record.Down, Context: "from-trunk", Exten: "s"},
				{Kind: record.DialStarted, Peer: trunk, Value: "89161000174@trunk-a"},
				{Kind: record.DialEnded, Peer: trunk, Value: "NOANSWER"},
			}, last...) {
				e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
				got = m.Apply(got, e)
			}
			all := records(got)
			if len(all) != 1 || all[0].SrcPhone != "115" || all[0].DstPhone != "89161000174" || all[0].Disposition != record.NoAnswer {
				t.Errorf("got %+v", all)
			}
		})
	}
}

// TestBornDown: chan_sip makes a caller's channel Down and sets it to Ring at
// once; the caller began the call all the same, not the PBX.
func TestBornDown(t *testing.T) {
	caller := record.Channel{ID: "1.1", Linked: "1.1", Name: "SIP/125-00000001"}
	callee := record.Channel{ID: "1.2", Linked: "1.1", Name: "PJSIP/114-00000001"}
	m, got := record.New(officeRules()), []record.Change(nil)
	for i, e := range []record.Event{
		{Kind: record.Created, Channel: caller, State: record.Down, Number: "125", Context: "from-internal", Exten: "114"},
		{Kind: record.StateChanged, Channel: caller, State: record.Ring},
		{Kind: record.Created, Channel: callee, State: record.Down},
		{Kind: record.DialStarted, Channel: caller, Peer: callee, Value: "114"},
		{Kind: record.DialEnded, Channel: caller, Peer: callee, Value: "BUSY"},
		{Kind: record.HungUp, Channel: callee, Cause: 17},
		{Kind: record.HungUp, Channel: caller, Cause: 17},
	} {
		e.At = time.Unix(1795375000+int64(i), 0).UTC()
		got = m.Apply(got, e)
	}
	all := records(got)
	if len(all) != 1 || all[0].SrcPhone != "125" || all[0].DstPhone != "114" || all[0].Disposition != record.BusyLine {
		t.Errorf("got %+v", all)
	}
}

// TestOrderWithoutChannel: an order for which the PBX makes no channel becomes
// the record of a call that failed, whatever the PBX says of it.
func TestOrderWithoutChannel(t *testing.T) {
	at := time.Unix(1795375000, 0).UTC()
	ordered := record.Event{At: at, Kind: record.Originated, Source: record.SourceClock, Channel: record.Channel{ID: "voipd-1.a"}, Number: "101", Exten: "89161000174"}
	other := record.Event{At: at.Add(time.Minute), Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: "1.9", Linked: "1.9", Name: "PJSIP/102-00000001"}, State: record.Ring, Exten: "103"}
	heard := func(s record.Source) *record.Event {
		return &record.Event{At: at, Kind: record.SnapshotBegan, Source: s}
	}
	for _, row := range []struct {
		name        string
		before      *record.Event // nil: the PBX has told nothing yet
		then        record.Event
		disposition record.Disposition
		source      string
		approximate bool
	}{
		{"not registered", nil, record.Event{At: at.Add(time.Second), Kind: record.Originated, Source: record.SourceAMI, Key: "voipd-1.a", Value: "Failure", Cause: 20,
			Channel: record.Channel{Name: "PJSIP/101"}, Exten: "89161000174"}, record.Failed, "ami", false},
		{"busy", nil, record.Event{At: at.Add(time.Second), Kind: record.Originated, Source: record.SourceAMI, Key: "voipd-1.a", Value: "Failure", Cause: 17}, record.BusyLine, "ami", false},
		{"not taken", nil, record.Event{At: at, Kind: record.Originated, Source: record.SourceClock, Key: "voipd-1.a", Value: "Failure", Cause: 20}, record.Failed, "ami", false},
		{"not taken over ARI", heard(record.SourceARI), record.Event{At: at, Kind: record.Originated, Source: record.SourceClock, Key: "voipd-1.a", Value: "Failure", Cause: 20}, record.Failed, "ari", false},
		{"nothing is heard of it", nil, other, record.Failed, "ami", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := record.New(officeRules())
			if row.before != nil {
				m.Apply(nil, *row.before)
			}
			changes := m.Apply(nil, ordered)
			if len(changes) != 0 || m.Touched() != "voipd-1.a" {
				t.Fatalf("the order itself decides %+v and touches %q", changes, m.Touched())
			}
			changes = m.Apply(changes, row.then)
			changes = m.Apply(changes, row.then) // told twice
			all := records(changes)
			if len(all) != 1 || changes[len(changes)-1].Kind == record.CallEnded && changes[0].Kind != record.CallBegan {
				t.Fatalf("got %+v", changes)
			}
			r := all[0]
			if r.CallID != "voipd-1.a" || r.Direction != record.Out || r.SrcPhone != "101" || r.DstPhone != "89161000174" || r.Disposition != row.disposition || r.Details.Source != row.source ||
				(len(r.Details.Approximate) > 0) != row.approximate {
				t.Errorf("got %+v", r)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
