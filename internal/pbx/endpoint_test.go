package pbx_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
)

// connected gives a client that is logged in to a fake PBX.
func connected(t *testing.T, opt sim.Options) *ami.Client {
	t.Helper()
	fake, err := sim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	up := make(chan struct{}, 8)
	client, err := ami.NewClient(ami.Options{Address: fake.Addr(), Username: "voipd", Secret: func() string { return "voipd" },
		Handle: func(*ami.Message, time.Time) {},
		OnState: func(s ami.Status) {
			if s.State == link.Up {
				up <- struct{}{}
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	served, ran := make(chan struct{}), make(chan struct{})
	go func() { defer close(served); _ = fake.Run(ctx) }()
	go func() { defer close(ran); _ = client.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ran; fake.Close(); <-served })
	select {
	case <-up:
	case <-time.After(20 * time.Second):
		t.Fatal("no link")
	}
	return client
}

// TestList: how an endpoint logs in tells what it is, its caller ID which
// extension it has.
func TestList(t *testing.T) {
	got, err := pbx.ListEndpoints(t.Context(), connected(t, sim.Options{Endpoints: []sim.Endpoint{
		{Name: "alice", Auths: "alice", Context: "from-internal", CallerID: `"Alice" <105>`},
		{Name: "101", Auths: "101", Context: "from-internal"},
		{Name: "1000", OutboundAuth: "1000", Context: "from-trunk"},
		{Name: "gate", Context: "from-trunk", Address: "192.0.2.7/32"},
		{Name: "door", Context: "from-internal", State: "Unavailable"},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].Why = ""
	}
	want := []pbx.Endpoint{
		{Name: "PJSIP/alice", State: "Not in use", Context: "from-internal", Caller: "Alice", Number: "105", Class: "extension 105"},
		{Name: "PJSIP/101", State: "Not in use", Context: "from-internal", Class: record.ClassExtension},
		{Name: "PJSIP/1000", State: "Not in use", Context: "from-trunk", Class: record.ClassTrunk},
		{Name: "PJSIP/gate", State: "Not in use", Context: "from-trunk", Class: record.ClassTrunk},
		{Name: "PJSIP/door", State: "Unavailable", Context: "from-internal"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNotAllowed(t *testing.T) {
	got, err := pbx.ListEndpoints(t.Context(), connected(t, sim.Options{Write: "call", Endpoints: []sim.Endpoint{{Name: "101"}}}))
	if len(got) > 0 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestMark: a fact says by itself what the PBX shows; an empty list of a PBX
// that starts up takes nothing away.
func TestMark(t *testing.T) {
	var table pbx.Endpoints
	table.Set([]pbx.Endpoint{{Name: "PJSIP/alice", Class: "extension 105"}, {Name: "PJSIP/1000", Class: "trunk"}, {Name: "PJSIP/door"}}, time.Now())
	table.Set(nil, time.Now())
	e := record.Event{Channel: record.Channel{Name: "PJSIP/alice-0000000f"}, Peer: record.Channel{Name: "PJSIP/1000-00000010"}}
	if table.Mark(&e); e.Channel.Class != "extension 105" || e.Peer.Class != "trunk" {
		t.Errorf("got %+v", e)
	}
	for _, name := range []string{"PJSIP/door-00000011", "PJSIP/alicea-00000012", "", "-", "Local/alice@x-00000001;1"} {
		e := record.Event{Channel: record.Channel{Name: name}}
		if table.Mark(&e); e.Channel.Class != "" {
			t.Errorf("%q is marked %q", name, e.Channel.Class)
		}
	}
}

// TestStates: what the PBX tells by itself goes before a list that was asked for
// earlier, and not before a later one; an empty list takes nothing away.
func TestStates(t *testing.T) {
	var table pbx.Endpoints
	at := func(s int) time.Time { return time.Unix(1_795_400_000+int64(s), 0) }
	want := func(when string, states ...string) {
		t.Helper()
		var got []string
		for _, e := range table.All() {
			got = append(got, e.Name+" "+e.Caller+" "+e.State)
		}
		if diff := cmp.Diff(states, got); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
	}
	table.SetState("PJSIP/101", "INUSE", at(0))
	want("before any list")
	table.Set([]pbx.Endpoint{{Name: "PJSIP/101", Caller: "Irina", State: "Not in use"}, {Name: "PJSIP/102", State: "Unavailable"}}, at(1))
	table.SetState("PJSIP/101", "RINGING", at(5))
	table.SetState("Queue:sales", "INUSE", at(5))
	want("told", "PJSIP/101 Irina RINGING", "PJSIP/102  Unavailable")
	list := []pbx.Endpoint{{Name: "PJSIP/102", State: "Not in use"}, {Name: "PJSIP/101", State: "Not in use"}, {Name: "PJSIP/103", State: "In use"}}
	table.Update(list, at(4))
	want("a list that was asked for before", "PJSIP/101 Irina RINGING", "PJSIP/102  Not in use", "PJSIP/103  In use")
	table.Update(nil, at(6))
	want("an empty list", "PJSIP/101 Irina RINGING", "PJSIP/102  Not in use", "PJSIP/103  In use")
	table.Update(list, at(6))
	want("a later list", "PJSIP/101 Irina Not in use", "PJSIP/102  Not in use", "PJSIP/103  In use")
	table.Set([]pbx.Endpoint{{Name: "PJSIP/101", State: "Not in use"}}, at(2))
	want("a list that took long", "PJSIP/101  RINGING")
}

// TestPartOfTheList: an update that leaves endpoints out takes nothing of theirs
// away; a list does, but of a technology that is left out as a whole, as when it
// is being reloaded.
func TestPartOfTheList(t *testing.T) {
	var table pbx.Endpoints
	at := func(s int) time.Time { return time.Unix(1_795_400_000+int64(s), 0) }
	alice := pbx.Endpoint{Name: "PJSIP/alice", Caller: "Alice", Class: "extension 105", State: "Not in use"}
	desk := pbx.Endpoint{Name: "SIP/200", Class: record.ClassExtension, State: "OK (3 ms)"}
	lobby := pbx.Endpoint{Name: "SIP/201", Class: record.ClassExtension, State: "UNKNOWN"}
	want := func(when, class string, all ...pbx.Endpoint) {
		t.Helper()
		if diff := cmp.Diff(all, table.All()); diff != "" {
			t.Errorf("%s: %s", when, diff)
		}
		e := record.Event{Channel: record.Channel{Name: "PJSIP/alice-0000000f"}, Peer: record.Channel{Name: "SIP/201-00000010"}}
		if table.Mark(&e); e.Channel.Class != class || e.Peer.Class != record.ClassExtension {
			t.Errorf("%s: %+v", when, e)
		}
	}
	table.Set([]pbx.Endpoint{alice, desk}, at(0))
	table.SetState("PJSIP/alice", "RINGING", at(1))
	table.Update([]pbx.Endpoint{{Name: "SIP/200", State: "UNREACHABLE"}, lobby}, at(2))
	alice.State, desk.State = "RINGING", "UNREACHABLE"
	want("a part", "extension 105", alice, desk, lobby)
	table.SetState("PJSIP/alice", "INUSE", at(3))
	alice.State = "INUSE"
	want("told afterwards", "extension 105", alice, desk, lobby)
	table.Set([]pbx.Endpoint{lobby}, at(4))
	want("a list without PJSIP", "extension 105", lobby, alice)
	bob := pbx.Endpoint{Name: "PJSIP/bob", State: "Not in use"}
	table.Set([]pbx.Endpoint{bob, lobby}, at(5))
	want("a list", "", bob, lobby)
}
