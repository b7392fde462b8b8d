package daemon_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
)

// members waits until the members are these, "101 Irina idle, 102  offline".
func (o *office) members(want string) {
	o.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		_, body := o.get("GET", "/v1/members", "")
		var page struct {
			Members []struct{ ID, Name, State string }
		}
		if err := json.Unmarshal(body, &page); err != nil {
			o.t.Fatalf("%s: %v", body, err)
		}
		var got []string
		for _, m := range page.Members {
			got = append(got, m.ID+" "+m.Name+" "+m.State)
		}
		have := strings.Join(got, ", ")
		if have == want {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("members are %q, want %q", have, want)
		}
	}
}

// TestMembersFollowThePBX: what the PBX tells of its phones, and the calls that
// go on, change the members at once, and nobody asks for that; the last list
// survives an empty one and a PBX that is away.
func TestMembersFollowThePBX(t *testing.T) {
	o := newOfficeOf(t, sim.Options{Speed: 10, Endpoints: []sim.Endpoint{
		{Name: "101", Auths: "101", CallerID: `"Irina" <101>`},
		{Name: "102", Auths: "102", State: "Unavailable"},
		{Name: "102-mobile", Auths: "102", CallerID: `"Oleg" <102>`, State: "Unavailable"},
		{Name: "trunk-a", OutboundAuth: "trunk-a"}}})
	o.config.Calls.Sources = []string{`1\d\d`}
	o.config.Members = []config.Member{{Extension: "109", Name: "Night desk"}}
	o.start()
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	const (
		others = ", 109 Night desk unknown"
		away   = "102 Oleg offline" + others
	)
	o.members("101 Irina idle, " + away)
	listed := o.pbx.Listed()
	state := func(device, state string) {
		o.pbx.Emit("Event: DeviceStateChange", "Privilege: call,all", "Device: PJSIP/"+device, "State: "+state)
	}
	state("101", "INUSE")
	o.members("101 Irina busy, " + away)
	state("102-mobile", "NOT_INUSE")
	o.members("101 Irina busy, 102 Oleg idle" + others)
	state("101", "UNAVAILABLE")
	o.members("101 Irina offline, 102 Oleg idle" + others)
	if status, body := o.get("POST", "/v1/calls", `{"srcPhone":"101","dstPhone":"79031234567"}`); status != 409 || !strings.Contains(string(body), "not registered") {
		t.Errorf("a call for a phone that is not there: %d %s", status, body)
	}
	state("102-mobile", "UNAVAILABLE")
	o.members("101 Irina offline, " + away)

	playing := o.play("in-answered") // it ends with: Device: PJSIP/101, State: NOT_INUSE
	o.members("101 Irina ringing, " + away)
	o.members("101 Irina busy, " + away)
	o.until(record.CallEnded)
	<-playing.Done()
	o.members("101 Irina idle, " + away)
	if now := o.pbx.Listed(); now != listed {
		t.Errorf("the PBX was asked %d times more for its endpoints", now-listed)
	}

	o.pbx.SetEndpoints([]sim.Endpoint{})
	o.pbx.Away(true)
	o.health("down")
	o.members("101 Irina idle, " + away)
	o.pbx.Away(false)
	for o.health("up"); o.pbx.Listed() == listed; { // at each connect
		o.health("up")
	}
	state("101", "ONHOLD") // behind the empty list
	o.members("101 Irina busy, " + away)
}
