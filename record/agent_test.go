package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/record"
)

// shift is an agent at 101 who is logged in, and the customers who are given to him.
type shift struct {
	*story
	agent record.Channel
	rest  string // the bridge in which he waits; empty: none that is told
}

func (s *shift) comesBack() {
	if s.rest != "" {
		s.add(record.Event{Kind: record.BridgeEntered, Channel: s.agent, Bridge: s.rest, BridgeKind: record.Holding})
	}
}

func (s *shift) leavesRest() {
	if s.rest != "" {
		s.leave(s.rest, s.agent)
	}
}

// gives puts a customer to the agent through a Local channel, as AgentRequest does.
func (s *shift) gives(n int, number string) (in, one, two record.Channel) {
	in, one, two = ch(n, n, "provider"), ch(n+1, n, ""), ch(n+2, n, "")
	one.Name, two.Name = "Local/1001@agents-"+number+";1", "Local/1001@agents-"+number+";2"
	s.calls(in, number, "74950001122")
	s.up(in)
	s.add(record.Event{Kind: record.Executed, Channel: in, Exten: "610", Key: "Queue", Value: "610"})
	s.dials(in, one, "610", "Local/1001@agents")
	s.add(record.Event{Kind: record.Created, Channel: two, State: record.Ring, Exten: "1001"})
	s.add(record.Event{Kind: record.LocalJoined, Channel: one, Peer: two})
	s.add(record.Event{Kind: record.Executed, Channel: two, Exten: "1001", Key: "AgentRequest", Value: "1001"})
	s.bridge("agent"+number, two)
	s.leavesRest()
	s.bridge("agent"+number, s.agent)
	s.dialEnds(in, one, "ANSWER")
	s.bridge("queue"+number, one, in)
	s.wait(20 * time.Second)
	return in, one, two
}

// TestAgentLoggedIn: each customer has his record with the agent as the operator, the
// agent's own call is one to a service, and each reads the same from its own facts.
func TestAgentLoggedIn(t *testing.T) {
	type want struct {
		src, dst string
		seconds  int
		d        record.Disposition
	}
	answered := func(src, dst string, seconds int) want { return want{src, dst, seconds, record.Answered} }
	for name, c := range map[string]struct {
		rest string
		day  func(*shift)
		want []want
	}{
		"two customers": {"hold", func(s *shift) {
			for i, number := range []string{"79034440011", "79034440022"} {
				in, one, two := s.gives(10+10*i, number)
				s.wantsDown(in)
				s.leave("queue"+number, in)
				s.leave("queue"+number, one)
				s.leave("agent"+number, two)
				s.gone(16, one, two, in)
				s.leave("agent"+number, s.agent)
				s.comesBack()
				s.wait(time.Minute)
			}
		}, []want{answered("79034440011", "101", 20), answered("79034440022", "101", 20)}},
		"the agent leaves first, and a menu asks for a mark": {"hold", func(s *shift) {
			in, one, two := s.gives(10, "79034440011")
			s.leave("agent79034440011", s.agent)
			s.comesBack()
			s.leave("agent79034440011", two)
			s.gone(16, two, one)
			s.leave("queue79034440011", in)
			s.wait(15 * time.Second)
			s.gone(16, in)
		}, []want{answered("79034440011", "101", 20)}},
		"the customer takes the agent's linkedid, and is sent on": {"", func(s *shift) {
			in, one, two := s.gives(10, "79034440011")
			s.leave("queue79034440011", in)
			s.leave("agent79034440011", s.agent)
			s.gone(16, two, one)
			in.Linked = s.agent.Linked
			other := ch(15, 1, "105")
			s.dials(in, other, "105", "105")
			s.dialEnds(in, other, "ANSWER")
			s.up(other)
			s.bridge("second", other, in)
			s.wait(10 * time.Second)
			s.leave("second", in)
			s.gone(16, in, other)
		}, []want{answered("79034440011", "101", 30)}},
		"a bridge in which he waits": {"", func(s *shift) {
			s.bridge("his", s.agent)
			s.wait(time.Hour)
			for i, number := range []string{"79034440011", "79034440022"} {
				in := ch(10+10*i, 10+10*i, "provider")
				s.calls(in, number, "74950001122")
				s.up(in)
				s.bridge("his", in)
				s.wait(20 * time.Second)
				s.leave("his", in)
				s.gone(16, in)
			}
			s.leave("his", s.agent)
		}, []want{answered("79034440011", "101", 20), answered("79034440022", "101", 20)}},
		"the agent hangs up in a call": {"hold", func(s *shift) {
			in, one, two := s.gives(10, "79034440011")
			s.wantsDown(s.agent)
			s.leave("agent79034440011", s.agent)
			s.leave("queue79034440011", in)
			s.gone(16, two, one, in)
		}, []want{answered("79034440011", "101", 20)}},
		"a colleague asks for him": {"hold", func(s *shift) {
			in, one := ch(10, 10, "107"), ch(11, 10, "")
			s.calls(in, "107", "1001")
			s.add(record.Event{Kind: record.Executed, Channel: in, Exten: "1001", Key: "AgentRequest", Value: "1001"})
			s.up(in)
			s.bridge("a", in)
			s.leavesRest()
			s.bridge("a", s.agent)
			s.wait(10 * time.Second)
			s.leave("a", in)
			s.gone(16, in)
			s.leave("a", s.agent)
			s.comesBack()
			_ = one
		}, []want{answered("107", "101", 10)}},
	} {
		t.Run(name, func(t *testing.T) {
			events := tell(func(st *story) {
				s := &shift{story: st, agent: ch(1, 1, "101"), rest: c.rest}
				s.calls(s.agent, "101", "*45")
				if name != "a bridge in which he waits" {
					s.add(record.Event{Kind: record.Executed, Channel: s.agent, Exten: "*45", Key: "AgentLogin", Value: "1001,s"})
				}
				s.up(s.agent)
				s.comesBack()
				s.wait(time.Hour)
				c.day(s)
				s.wait(time.Minute)
				s.gone(16, s.agent)
			})
			got := run(t, events)
			if len(got) != 1+len(c.want) {
				t.Fatalf("got %d records, want %d: %+v", len(got), 1+len(c.want), got)
			}
			if o := got[0]; o.Direction != record.Internal || o.SrcPhone != "101" || o.DstPhone != "*45" || o.Disposition != record.Answered || o.Details.Service != "agent" || o.Duration < 3600 {
				t.Errorf("the agent's own call is %+v", o)
			}
			for i, w := range c.want {
				r := got[i+1]
				if r.SrcPhone != w.src || r.DstPhone != w.dst || r.Disposition != w.d || r.Duration < w.seconds || r.Duration > w.seconds+2 || len(r.Details.Approximate) > 0 {
					t.Errorf("got %+v, want %+v", r, w)
				}
			}
			for id, facts := range journals(events) {
				for _, r := range records(record.Replay(officeRules(), slices.Values(facts))) {
					if r.CallID != id {
						t.Errorf("the facts of %s tell %+v", id, r)
						continue
					}
					for _, told := range got {
						if told.CallID == id {
							if diff := cmp.Diff(told, r); diff != "" {
								t.Errorf("its own facts tell %s otherwise: %s", id, diff)
							}
						}
					}
				}
			}
		})
	}
}

// journals are the facts of each call, as whoever keeps them does.
func journals(events []record.Event) map[string][]record.Event {
	m := record.New(officeRules())
	out := map[string][]record.Event{}
	for _, e := range events {
		for _, c := range m.Apply(nil, e) {
			if c.Kind == record.CallMerged {
				out[c.Other] = append(out[c.Other], out[c.CallID]...)
				slices.SortStableFunc(out[c.Other], func(a, b record.Event) int { return a.At.Compare(b.At) })
				delete(out, c.CallID)
			}
		}
		if id := m.Touched(); id != "" {
			out[id] = append(out[id], e)
		}
		for _, aside := range m.Asides() {
			if id := m.CallOf(aside.Channel.ID); id != "" {
				out[id] = append(out[id], aside)
			}
		}
	}
	return out
}
