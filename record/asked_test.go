package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestConferenceNumber: a conference's number is what was dialled, whatever its room
// is called.
func TestConferenceNumber(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint, dialled string
		stands            []string // where it comes to, on the way
		at, room          string   // where it stands then, and the room's name
		want              string
	}{
		"a room with a name, in a context of its own": {"101", "4001", nil, "s", "pbx-conference-1", "4001"},
		"a feature code":                   {"101", "*7630", nil, "s", "main", "*7630"},
		"a room with another number":       {"101", "4001", nil, "start", "88", "4001"},
		"by the number itself":             {"101", "630", nil, "630", "630", "630"},
		"a caller from outside, by a menu": {"trunk-a", "74951234567", []string{"620"}, "s", "630", "630"},
		"a caller from outside, straight":  {"trunk-a", "74951234567", []string{"631"}, "s", "sales", "631"},
		"nothing but the name":             {"trunk-a", "74951234567", nil, "s", "sales", "sales"},
	} {
		t.Run(name, func(t *testing.T) {
			a := ch(1, 1, c.endpoint)
			got := run(t, tell(func(s *story) {
				s.calls(a, "79031234567", c.dialled)
				for _, exten := range c.stands {
					s.add(record.Event{Kind: record.Executed, Channel: a, Exten: exten, Key: "Goto"})
				}
				s.up(a)
				s.add(record.Event{Kind: record.Executed, Channel: a, Exten: c.at, Key: "ConfBridge", Value: c.room})
				s.add(record.Event{Kind: record.ConferenceJoined, Channel: a, Exten: c.at, Bridge: "r", BridgeKind: record.Conference, Value: c.room})
				s.wait(6 * time.Second)
				s.leave("r", a)
				s.gone(16, a)
			}))
			if len(got) != 1 || got[0].DstPhone != c.want {
				t.Errorf("got %+v, want %s", got, c.want)
			}
		})
	}
}

// TestNumberInCallerIDAlone: a channel that the PBX makes to somebody outside may say
// whom it calls only by a caller ID that comes behind it.
func TestNumberInCallerIDAlone(t *testing.T) {
	for name, c := range map[string]struct {
		born, later string
		dial        bool // its dialling is told, without a number
		want        string
	}{
		"behind the channel":         {"", "+79031000001", false, "+79031000001"},
		"behind a dialling":          {"<unknown>", "79031000001", true, "79031000001"},
		"our extension is no callee": {"", "101", true, record.Anonymous},
	} {
		t.Run(name, func(t *testing.T) {
			one, two, phone, out := ch(1, 1, ""), ch(2, 1, ""), ch(3, 1, "101"), ch(4, 1, "trunk-a")
			one.Name, two.Name = "Local/x@click-0001;1", "Local/x@click-0001;2"
			got := run(t, tell(func(s *story) {
				s.add(record.Event{Kind: record.Created, Channel: one, State: record.Down})
				s.add(record.Event{Kind: record.Created, Channel: two, State: record.Ring})
				s.dials(two, phone, "x", "101")
				s.dialEnds(two, phone, "ANSWER")
				s.up(phone)
				s.bridge("a", phone, two)
				s.add(record.Event{Kind: record.Created, Channel: out, State: record.Down, Number: c.born})
				if c.dial {
					s.add(record.Event{Kind: record.DialStarted, Channel: one, Peer: out})
				}
				s.add(record.Event{Kind: record.Identified, Channel: out, Number: c.later})
				s.up(out)
				s.bridge("b", out, one)
				s.wait(5 * time.Second)
				s.leave("b", out)
				s.gone(16, out, one, two)
				s.leave("a", phone)
				s.gone(16, phone)
			}))
			if len(got) != 1 || got[0].Direction != record.Out || got[0].SrcPhone != "101" || got[0].DstPhone != c.want {
				t.Errorf("got %+v, want %s", got, c.want)
			}
		})
	}
}
