package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// story makes events of a call in a few words, each 100 ms after the one
// before unless it says otherwise.
type story struct {
	at     time.Time
	events []record.Event
}

func tell(f func(*story)) []record.Event {
	s := &story{at: time.Unix(1_795_366_192, 0).UTC()}
	f(s)
	return s.events
}

func (s *story) wait(d time.Duration) { s.at = s.at.Add(d) }

func (s *story) add(e record.Event) {
	e.At, e.Source = s.at, record.SourceAMI
	s.events = append(s.events, e)
	s.wait(100 * time.Millisecond)
}

// ch is a channel: its id's last part, the id of the call's first channel, and
// its endpoint.
func ch(id, linked int, endpoint string) record.Channel {
	return record.Channel{ID: fmt.Sprintf("1795366192.%d", id), Linked: fmt.Sprintf("1795366192.%d", linked), Name: fmt.Sprintf("PJSIP/%s-%08x", endpoint, id)}
}

// calls: the far side of a channel calls the PBX and asks for exten.
func (s *story) calls(c record.Channel, number, exten string) {
	s.add(record.Event{Kind: record.Created, Channel: c, State: record.Ring, Number: number, Exten: exten})
}

// dials: from rings to, which string names.
func (s *story) dials(from, to record.Channel, exten, dialString string) {
	s.add(record.Event{Kind: record.Created, Channel: to, State: record.Down})
	s.add(record.Event{Kind: record.DialStarted, Channel: from, Peer: to, Exten: exten, Value: dialString})
	s.add(record.Event{Kind: record.StateChanged, Channel: to, State: record.Ringing})
}

func (s *story) dialEnds(from, to record.Channel, status string) {
	s.add(record.Event{Kind: record.DialEnded, Channel: from, Peer: to, Value: status})
}

func (s *story) up(c record.Channel) {
	s.add(record.Event{Kind: record.StateChanged, Channel: c, State: record.Up})
}

func (s *story) bridge(id string, members ...record.Channel) {
	for _, c := range members {
		s.add(record.Event{Kind: record.BridgeEntered, Channel: c, Bridge: id})
	}
}

func (s *story) leave(id string, c record.Channel) {
	s.add(record.Event{Kind: record.BridgeLeft, Channel: c, Bridge: id})
}

func (s *story) wantsDown(c record.Channel) {
	s.add(record.Event{Kind: record.HangupRequested, Channel: c, Cause: 16})
}

func (s *story) gone(cause int, channels ...record.Channel) {
	for _, c := range channels {
		s.add(record.Event{Kind: record.HungUp, Channel: c, Cause: cause})
	}
}

// TestKnownFailures: what other call trackers get wrong, each in its smallest
// form.
func TestKnownFailures(t *testing.T) {
	in, a, b := ch(1, 1, "trunk-a"), ch(2, 1, "101"), ch(3, 1, "102")
	for _, c := range []struct {
		name  string
		story func(*story)
		want  []string // call, direction, from, to, disposition, seconds
	}{
		{"a call answered for 0.4 s is answered", func(s *story) {
			s.calls(in, "79031000001", "74951234567")
			s.dials(in, a, "101", "101")
			s.dialEnds(in, a, "ANSWER")
			s.up(a)
			s.bridge("b", a, in)
			s.wait(200 * time.Millisecond)
			s.wantsDown(in)
			s.leave("b", in)
			s.gone(16, a, in)
		}, []string{".1 in 79031000001 → 101 answered 0"}},
		{"two calls in the same second are two, and .1 is not .10", func(s *story) {
			x := ch(10, 10, "trunk-a")
			s.calls(in, "79031000001", "74951234567")
			s.calls(x, "79031000002", "74951234567")
			s.wantsDown(in)
			s.gone(16, in)
			s.wantsDown(x)
			s.gone(16, x)
		}, []string{".1 in 79031000001 → 74951234567 cancelled 0", ".10 in 79031000002 → 74951234567 cancelled 0"}},
		{"a member of a group who did not answer is no missed call, and the hang-up of one fork ends nothing", func(s *story) {
			s.calls(in, "79031000001", "74951234567")
			s.dials(in, a, "600", "101")
			s.dials(in, b, "600", "102")
			s.add(record.Event{Kind: record.HangupRequested, Channel: a, Cause: 21, Tech: 603})
			s.dialEnds(in, a, "NOANSWER")
			s.gone(21, a)
			s.dialEnds(in, b, "ANSWER")
			s.up(b)
			s.bridge("b", b, in)
			s.wait(2 * time.Second)
			s.leave("b", b)
			s.gone(16, b, in)
		}, []string{".1 in 79031000001 → 102 answered 2"}},
		{"the caller's line never goes up: early media", func(s *story) {
			s.calls(in, "79031000001", "74951234567")
			s.dials(in, a, "101", "101")
			s.dialEnds(in, a, "ANSWER")
			s.bridge("b", a, in)
			s.wait(3 * time.Second)
			s.leave("b", in)
			s.gone(16, in, a)
		}, []string{".1 in 79031000001 → 101 answered 3"}},
		{"a blind transfer to nobody leaves no call open", func(s *story) {
			s.calls(in, "79031000001", "74951234567")
			s.dials(in, a, "101", "101")
			s.dialEnds(in, a, "ANSWER")
			s.bridge("b", a, in)
			s.wait(2 * time.Second)
			s.add(record.Event{Kind: record.BlindTransferred, Channel: a, Peer: in, Exten: "108"})
			s.leave("b", a)
			s.gone(16, a)
			s.leave("b", in)
			s.gone(20, in)
		}, []string{".1 in 79031000001 → 101 answered 2"}},
		{"click to call is outbound, and the operator is who called", func(s *story) {
			op, out := ch(1, 1, "101"), ch(2, 1, "trunk-a")
			s.add(record.Event{Kind: record.Created, Channel: op, State: record.Down, Number: "101"})
			s.add(record.Event{Kind: record.DialStarted, Peer: op, Value: "101"})
			s.add(record.Event{Kind: record.DialEnded, Peer: op, Value: "ANSWER"})
			s.up(op)
			s.add(record.Event{Kind: record.Originated, Channel: op, Exten: "89161000001", Value: "Success"})
			s.dials(op, out, "89161000001", "89161000001@trunk-a")
			s.dialEnds(op, out, "BUSY")
			s.gone(17, out)
			s.gone(17, op)
		}, []string{".1 out 101 → 89161000001 busy 0"}},
		{"a short outside number, by what the trunk is dialled with", func(s *story) {
			op, out := ch(1, 1, "101"), ch(2, 1, "trunk-a")
			s.calls(op, "101", "112")
			s.dials(op, out, "112", "112@trunk-a")
			s.dialEnds(op, out, "ANSWER")
			s.bridge("b", out, op)
			s.wait(2 * time.Second)
			s.leave("b", op)
			s.gone(16, out, op)
		}, []string{".1 out 101 → 112 answered 2"}},
		{"a colleague's forward to a mobile that ends in his extension is internal", func(s *story) {
			op, out := ch(1, 1, "101"), ch(2, 1, "trunk-a")
			s.calls(op, "101", "105")
			s.dials(op, out, "105", "89161112105@trunk-a")
			s.dialEnds(op, out, "ANSWER")
			s.bridge("b", out, op)
			s.wait(2 * time.Second)
			s.leave("b", op)
			s.gone(16, out, op)
		}, []string{".1 internal 101 → 105 answered 2"}},
		{"two outside calls that are joined: the younger keeps its record", func(s *story) {
			op, out, colleague := ch(2, 1, "101"), ch(4, 4, "101"), ch(5, 4, "trunk-b")
			s.calls(in, "79031000001", "74951234567")
			s.dials(in, op, "101", "101")
			s.dialEnds(in, op, "ANSWER")
			s.bridge("b", op, in)
			s.calls(out, "101", "89161112233")
			s.dials(out, colleague, "89161112233", "89161112233@trunk-b")
			s.dialEnds(out, colleague, "ANSWER")
			s.bridge("c", colleague, out)
			s.wait(2 * time.Second)
			s.leave("b", in)
			s.leave("c", out)
			s.bridge("c", in)
			s.add(record.Event{Kind: record.AttendedTransferred, Channel: op, Peer: out})
			s.leave("b", op)
			s.gone(16, op, out)
			s.wait(3 * time.Second)
			s.leave("c", in)
			s.gone(16, in, colleague)
		}, []string{".4 out 101 → 89161112233 answered 2", ".1 in 79031000001 → 101 answered 6"}},
		{"a name of 80 bytes, cut in the middle of a character, breaks nothing", func(s *story) {
			s.add(record.Event{Kind: record.Created, Channel: in, State: record.Ring, Number: "79031000001", Name: strings.Repeat("Ж", 39) + "\xd0", Exten: "74951234567"})
			s.gone(16, in)
		}, []string{".1 in 79031000001 → 74951234567 failed 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, change := range record.Replay(officeRules(), slices.Values(tell(c.story))) {
				if r := change.Record; r != nil {
					got = append(got, fmt.Sprintf("%s %s %s → %s %s %d", strings.TrimPrefix(r.CallID, "1795366192"), r.Direction, r.SrcPhone, r.DstPhone, r.Disposition, r.Duration))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
