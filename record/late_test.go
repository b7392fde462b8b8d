package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestCallerIDLate: an analog line tells its caller's number behind the channel.
// What the dialplan makes of a number that was there does not count.
func TestCallerIDLate(t *testing.T) {
	line := record.Channel{ID: "1.1", Linked: "1.1", Name: "DAHDI/4-1"}
	phone := record.Channel{ID: "1.2", Linked: "1.1", Name: "PJSIP/101-00000001"}
	for _, row := range []struct{ name, first, late, want string }{
		{"none at first", "", "9432000000", "9432000000"},
		{"there from the beginning", "9432000000", "8888888888", "9432000000"},
		{"withheld", "anonymous", "8888888888", "anonymous"},
		{"none at all", "", "<unknown>", "anonymous"},
		{"an extension, as a trunk of the dialplan sets it", "", "101", "anonymous"},
	} {
		m, got := record.New(officeRules()), []record.Change(nil)
		for i, e := range []record.Event{
			{Kind: record.Created, Channel: line, State: record.PreRing, Number: row.first, Context: "from-analog", Exten: "s"},
			{Kind: record.Identified, Channel: line, Number: row.late},
			{Kind: record.StateChanged, Channel: line, State: record.Ring, Exten: "s"},
			{Kind: record.Created, Channel: phone, State: record.Down},
			{Kind: record.DialStarted, Channel: line, Peer: phone, Value: "101"},
			{Kind: record.DialEnded, Channel: line, Peer: phone, Value: "NOANSWER"},
			{Kind: record.HungUp, Channel: phone}, {Kind: record.HungUp, Channel: line, Cause: 16},
		} {
			e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
			got = m.Apply(got, e)
		}
		if all := records(got); len(all) != 1 || all[0].Direction != record.In || all[0].SrcPhone != row.want {
			t.Errorf("%s: %+v", row.name, all)
		}
	}
}
