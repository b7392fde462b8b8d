package sim

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
)

func run(t *testing.T, opts Options) *PBX {
	p, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

func morning(t testing.TB, name string) *Capture {
	c, err := Load(morningFiles, "morning/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// user is a plain AMI session of a test.
type user struct {
	net.Conn
	t      *testing.T
	reader *ami.Reader
}

func dial(t *testing.T, p *PBX) *user {
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	u := &user{conn, t, ami.NewReader(bufio.NewReader(conn), ami.Bounds{})}
	if v, err := u.reader.ReadGreeting(); err != nil || v != "11.0.0" {
		t.Fatalf("greeting %q, %v", v, err)
	}
	return u
}

func (u *user) ask(action string) *ami.Message {
	u.t.Helper()
	fmt.Fprint(u, strings.ReplaceAll(action, "\n", "\r\n")+"\r\n\r\n")
	for {
		if m := u.next(); m.Response() != nil {
			return m
		}
	}
}

func (u *user) next() *ami.Message {
	u.t.Helper()
	u.SetReadDeadline(time.Now().Add(20 * time.Second))
	m, err := u.reader.Next()
	if err != nil {
		u.t.Fatal(err)
	}
	return m
}

func login(t *testing.T, p *PBX, mask string) *user {
	u := dial(t, p)
	if m := u.ask("Action: Login\nUsername: voipd\nSecret: voipd\nEvents: " + mask); string(m.Response()) != "Success" {
		t.Fatal(m)
	}
	return u
}

func TestActions(t *testing.T) {
	tests := []struct{ name, action, says string }{
		{"ping", "Action: Ping\nActionID: 7", "Response: Success\r\nActionID: 7\r\nPing: Pong"},
		{"events off", "Action: Events\nEventMask: off", "Events: Off"},
		{"events", "Action: Events\nEventMask: call,agent", "Events: On"},
		{"bad filter", "Action: Filter\nOperation: Add\nFilter: (", "Filter format error"},
		{"unknown", "Action: Teleport", "Invalid/unknown command: Teleport"},
		{"none", "Foo: bar", "Missing action"},
		{"line too long", "Action: Ping\nX: " + strings.Repeat("x", 1100), "line too long"},
		{"logoff", "Action: Logoff", "Response: Goodbye"},
	}
	p := run(t, Options{})
	u := login(t, p, "off")
	for _, tt := range tests {
		if m := u.ask(tt.action); !strings.Contains(m.String(), tt.says) {
			t.Errorf("%s: got %s, want %q in it", tt.name, m, tt.says)
		}
	}
}

func TestLogins(t *testing.T) {
	refused := "Authentication failed"
	tests := []struct{ name, action, says string }{
		{"plain", "Action: Login\nUsername: voipd\nSecret: voipd", "Success"},
		{"wrong secret", "Action: Login\nUsername: voipd\nSecret: x", refused},
		{"wrong user", "Action: Login\nUsername: x\nSecret: voipd", refused},
		{"key without challenge", "Action: Login\nUsername: voipd\nAuthType: MD5\nKey: x", refused},
		{"not logged in", "Action: CoreShowChannels", "Permission denied"},
		{"other challenge", "Action: Challenge\nAuthType: SHA", "Must specify AuthType"},
	}
	p := run(t, Options{})
	for _, tt := range tests {
		if m := dial(t, p).ask(tt.action); !strings.Contains(m.String(), tt.says) {
			t.Errorf("%s: got %s, want %q in it", tt.name, m, tt.says)
		}
	}
	old := run(t, Options{NoChallenge: true})
	if m := dial(t, old).ask("Action: Challenge\nAuthType: MD5"); string(m.Response()) != "Error" {
		t.Errorf("an old PBX's challenge: %s", m)
	}
}

// TestPlaysAreCallsOfNow plays one capture three times at once, and checks that the stream is what a PBX with three
// such calls would say: everything of the capture, under names of its own, at its own pace.
func TestPlaysAreCallsOfNow(t *testing.T) {
	c := morning(t, "xfer-attended")
	p := run(t, Options{Speed: 100, Monitor: t.TempDir()})
	u := login(t, p, "on")
	begin := p.Now()
	var ids [][]string
	for range 3 {
		ids = append(ids, p.Play(c, time.Second).IDs())
	}
	seenBy := map[string]int{} // events by the play they belong to, by its first id
	linkedTo := map[string]string{}
	for i, play := range ids {
		for _, id := range play {
			if linkedTo[id] != "" {
				t.Fatalf("id %s used twice", id)
			}
			linkedTo[id] = strconv.Itoa(i)
		}
	}
	original := regexp.MustCompile(strings.NewReplacer(".", `\.`).Replace(strings.Join(append(c.ids, c.bridges...), "|")) + `|20261122-16|-pbx2/monitor`)
	channelOf, names := map[string]string{}, map[string]string{}
	for n := 0; n < 3*len(c.events); {
		m := u.next()
		if string(m.Event()) == "FullyBooted" {
			continue
		}
		n++
		if found := original.Find(m.Raw()); found != nil {
			t.Errorf("%q is left of the capture:\n%s", found, m)
		}
		at, err := strconv.ParseFloat(string(m.Get("Timestamp")), 64)
		if err != nil || at < float64(begin.Unix()) || at > float64(p.Now().Unix()+1) {
			t.Fatalf("timestamp: %v\n%s", err, m)
		}
		id := string(m.Get("Uniqueid"))
		if id == "" {
			continue
		}
		seenBy[linkedTo[id]]++
		if linkedTo[id] == "" || linkedTo[string(m.Get("Linkedid"))] != linkedTo[id] {
			t.Fatalf("ids of no play, or of two:\n%s", m)
		}
		name := string(m.Get("Channel"))
		if channelOf[id] == "" {
			if names[name] != "" {
				t.Fatalf("channel name %s used twice", name)
			}
			channelOf[id], names[name] = name, id
		} else if channelOf[id] != name {
			t.Fatalf("channel %s is now %s", channelOf[id], name)
		}
	}
	if len(seenBy) != 3 || seenBy["0"] != seenBy["1"] || seenBy["1"] != seenBy["2"] || seenBy["0"] == 0 {
		t.Errorf("events by play: %v", seenBy)
	}
	if n := p.Channels(); n != 0 {
		t.Errorf("%d channels are alive after the end", n)
	}
}

func TestTimestampsKeepTheCapturesPace(t *testing.T) {
	c := morning(t, "in-answered")
	p := run(t, Options{Speed: 1000, Begin: time.Unix(1_900_000_000, 0)})
	u := login(t, p, "on")
	p.Play(c, 0)
	var first float64
	for i := range c.events {
		m := u.next()
		if i == 0 && string(m.Event()) == "FullyBooted" {
			m = u.next()
		}
		at, err := strconv.ParseFloat(string(m.Get("Timestamp")), 64)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = at
		}
		if d := at - first - c.events[i].after.Seconds(); d < -0.001 || d > 0.001 {
			t.Fatalf("event %d is off by %v s", i, d)
		}
	}
}

func TestClassesMaskAndFilters(t *testing.T) {
	c := morning(t, "in-answered")
	tests := []struct {
		name   string
		opts   Options
		mask   string
		filter string
		want   func(raw string) bool
	}{
		{"mask", Options{}, "call", "", func(raw string) bool { return strings.Contains(raw, "Privilege: call,") }},
		{"read", Options{Read: "agent"}, "on", "", func(raw string) bool { return strings.Contains(raw, "Privilege: agent,") }},
		{"exclude", Options{}, "on", "!Event: VarSet", func(raw string) bool { return !strings.HasPrefix(raw, "Event: VarSet\r") }},
		{"include", Options{}, "on", "Event: (Hangup|End)\r", func(raw string) bool { return strings.HasPrefix(raw, "Event: Hangup\r") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Speed = 1000
			p := run(t, tt.opts)
			u := login(t, p, "off")
			if tt.filter != "" {
				u.ask("Action: Filter\nOperation: Add\nFilter: " + tt.filter)
			}
			u.ask("Action: Events\nEventMask: " + tt.mask)
			<-p.Play(c, 0).Done()
			want := 0
			for _, e := range c.events {
				if tt.want(e.raw) {
					want++
				}
			}
			p.Garble("Event: End\r\n\r\n")
			got := 0
			for m := u.next(); string(m.Event()) != "End"; m = u.next() {
				got++
				if !tt.want(string(m.Raw())) {
					t.Errorf("came all the same:\n%s", m)
				}
			}
			if got != want || want == 0 || want == len(c.events) {
				t.Errorf("%d events, want %d of %d", got, want, len(c.events))
			}
		})
	}
}

func TestSnapshotShowsWhoIsAlive(t *testing.T) {
	p := run(t, Options{})
	p.Emit("Event: Newchannel", "Privilege: call,all", "Channel: PJSIP/101-00000001", "Uniqueid: 1.1", "Linkedid: 1.1", "ChannelState: 0")
	p.Emit("Event: Newchannel", "Privilege: call,all", "Channel: PJSIP/102-00000002", "Uniqueid: 1.2", "Linkedid: 1.1", "ChannelState: 0")
	p.Emit("Event: Newchannel", "Privilege: call,all", "Channel: PJSIP/103-00000003", "Uniqueid: 1.3", "Linkedid: 1.3")
	p.Emit("Event: Newstate", "Privilege: call,all", "Uniqueid: 1.1", "ChannelState: 6")
	p.Emit("Event: Newexten", "Privilege: dialplan,all", "Uniqueid: 1.1", "Application: Dial", "AppData: PJSIP/102")
	p.Emit("Event: BridgeEnter", "Privilege: call,all", "Uniqueid: 1.2", "BridgeUniqueid: b1")
	p.Emit("Event: Hangup", "Privilege: call,all", "Uniqueid: 1.3")
	u := login(t, p, "off")
	if m := u.ask("Action: CoreShowChannels\nActionID: s"); string(m.Get("EventList")) != "start" {
		t.Fatal(m)
	}
	want := []string{"PJSIP/101-00000001 6 Dial PJSIP/102  1.1", "PJSIP/102-00000002 0   b1 1.1"}
	for _, w := range want {
		m := u.next()
		got := fmt.Sprintf("%s %s %s %s %s %s", m.Get("Channel"), m.Get("ChannelState"), m.Get("Application"), m.Get("ApplicationData"), m.Get("BridgeId"), m.Get("Linkedid"))
		if got != w || string(m.ActionID()) != "s" {
			t.Errorf("got %q, want %q", got, w)
		}
	}
	if m := u.next(); string(m.Event()) != "CoreShowChannelsComplete" || string(m.Get("ListItems")) != "2" {
		t.Error(m)
	}
	denied := run(t, Options{Write: "originate"})
	if m := login(t, denied, "off").ask("Action: CoreShowChannels"); string(m.Get("Message")) != "Permission denied" {
		t.Error(m)
	}
}

func TestRecordingsAreWritten(t *testing.T) {
	for name, size := range map[string]int64{"in-answered": 64044, "in-cancel": 44, "out-9-prefix": 4935} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := run(t, Options{Speed: 100, Monitor: dir})
			u := login(t, p, "dialplan")
			p.Play(morning(t, name), 0)
			var said string
			for said == "" {
				if m := u.next(); string(m.Get("Variable")) == "MIXMONITOR_FILENAME" {
					said = string(m.Get("Value"))
				}
			}
			if rel, err := filepath.Rel(dir, said); err != nil || !strings.HasPrefix(rel, p.Now().Format("2006/01/02/")) {
				t.Errorf("the event says %s", said)
			}
			p.playing.Wait()
			info, err := os.Stat(said)
			if err != nil || info.Size() != size {
				t.Errorf("%v, %v, want %d bytes", info, err, size)
			}
		})
	}
}

func TestRecordingGrows(t *testing.T) {
	r := recording{seconds: 4}
	whole, before := headerSize+4*bytesPerSecond, 0
	for _, tt := range []struct {
		toGo time.Duration
		want int
	}{{time.Minute, headerSize}, {4 * time.Second, headerSize}, {3 * time.Second, headerSize + bytesPerSecond}, {time.Second, headerSize + 3*bytesPerSecond}, {0, whole}, {-1, whole}} {
		got := r.grown(whole, tt.toGo)
		if got != tt.want || got < before {
			t.Errorf("%v before the end: %d bytes, want %d", tt.toGo, got, tt.want)
		}
		before = got
	}
}

func TestMorning(t *testing.T) {
	all, err := Morning()
	if err != nil {
		t.Fatal(err)
	}
	audible := 0
	for _, s := range all {
		if len(s.Capture.events) == 0 || len(s.Capture.ids) == 0 {
			t.Errorf("%s is empty", s.Capture.Name)
		}
		for _, r := range s.Capture.audio {
			if r.audible {
				audible++
			}
			if r.to.Seconds()-r.from.Seconds() < r.seconds-0.1 {
				t.Errorf("%s: %.1f s of sound from %v to %v", s.Capture.Name, r.seconds, r.from, r.to)
			}
		}
	}
	if len(all) < 12 || audible < 10 {
		t.Errorf("%d calls, %d with sound", len(all), audible)
	}
	p := run(t, Options{Speed: 200, Monitor: t.TempDir()})
	<-p.PlayAll(all)
	if n := p.Channels(); n != 0 {
		t.Errorf("%d channels are left", n)
	}
}

func TestCloseEndsPlays(t *testing.T) {
	p := run(t, Options{})
	done := p.Play(morning(t, "in-answered"), time.Hour).Done()
	p.Close()
	<-done
	<-p.Play(morning(t, "in-answered"), 0).Done()
}
