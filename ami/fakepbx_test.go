package ami_test

import (
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
)

const secret = "correct horse"

// pbx is the far side of a test: a listener whose connections follow one script each; the last script is for all
// that come after it.
type pbx struct {
	t        *testing.T
	listener net.Listener
	running  sync.WaitGroup
}

// peer is one connection as the PBX sees it.
type peer struct {
	net.Conn
	t       *testing.T
	actions *ami.Reader
}

func startPBX(t *testing.T, config *tls.Config, scripts ...func(*peer)) *pbx {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	p := &pbx{t: t, listener: listener}
	p.running.Go(func() {
		for i := 0; ; i++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			script := scripts[min(i, len(scripts)-1)]
			p.running.Go(func() {
				defer conn.Close()
				script(&peer{Conn: conn, t: t, actions: ami.NewReader(conn, ami.Bounds{})})
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.running.Wait()
	})
	return p
}

func (p *peer) send(format string, args ...any) {
	_, _ = fmt.Fprintf(p, strings.ReplaceAll(format, "\n", "\r\n"), args...) // the other side may be gone: its test sees it
}

// expect reads the next action, which has to be this one. nil when the client has gone.
func (p *peer) expect(name string) *ami.Message {
	m, err := p.actions.Next()
	var netErr net.Error
	switch {
	case errors.Is(err, io.EOF) || errors.As(err, &netErr):
		return nil
	case err != nil:
		p.t.Errorf("expecting action %s: %v", name, err)
	case string(m.Get("Action")) != name:
		p.t.Errorf("got action\n%s, want %s", m, name)
	}
	return m
}

// answer is expect and a response.
func (p *peer) answer(name, response string) {
	if m := p.expect(name); m != nil {
		p.send("Response: %s\nActionID: %s\n\n", response, m.ActionID())
	}
}

// login plays Asterisk's part up to the snapshot, in which there are these channels.
func (p *peer) login(channels ...string) {
	p.send("Asterisk Call Manager/11.0.0\n")
	m := p.expect("Challenge")
	if m == nil {
		return
	}
	p.send("Response: Success\nActionID: %s\nChallenge: 123456\n\n", m.ActionID())
	if m = p.expect("Login"); m == nil {
		return
	}
	sum := md5.Sum([]byte("123456" + secret))
	if got, want := string(m.Get("Key")), hex.EncodeToString(sum[:]); got != want || m.Get("Secret") != nil {
		p.t.Errorf("login with key %q, want %q, and secret %q, want none", got, want, m.Get("Secret"))
	}
	p.send("Response: Success\nActionID: %s\nMessage: Authentication accepted\n\nEvent: FullyBooted\nPrivilege: system,all\nStatus: Fully Booted\n\n", m.ActionID())
	p.answer("Events", "Success\nEvents: On")
	p.snapshot(channels...)
}

func (p *peer) snapshot(channels ...string) {
	m := p.expect("CoreShowChannels")
	if m == nil {
		return
	}
	id := string(m.ActionID())
	p.send("Response: Success\nActionID: %s\nEventList: start\nMessage: Channels will follow\n\n", id)
	for _, c := range channels {
		p.send("Event: CoreShowChannel\nActionID: %s\nUniqueid: %s\n\n", id, c)
	}
	p.send("Event: CoreShowChannelsComplete\nActionID: %s\nEventList: Complete\nListItems: %d\n\n", id, len(channels))
}

// hang reads and never answers, until the client goes.
func (p *peer) hang() { _, _ = io.Copy(io.Discard, p) }

// pings answers pings until the client goes.
func (p *peer) pings() {
	for {
		m, err := p.actions.Next()
		if err != nil {
			return
		}
		if string(m.Get("Action")) == "Ping" {
			p.send("Response: Success\nActionID: %s\nPing: Pong\n\n", m.ActionID())
		}
	}
}

// watch is a running client and what it told.
type watch struct {
	*ami.Client
	t       *testing.T
	states  chan ami.Status
	handled chan string // name of the event or response, and its Uniqueid
	stop    func() error
}

func start(t *testing.T, p *pbx, change func(*ami.Options)) *watch {
	w := &watch{t: t, states: make(chan ami.Status, 1000), handled: make(chan string, 1000)}
	opts := ami.Options{
		Address: p.listener.Addr().String(), Username: "voipd", Secret: func() string { return secret },
		PingEvery: 50 * time.Millisecond, Deadline: 2 * time.Second,
		Backoff: link.Backoff{First: time.Millisecond, Max: 10 * time.Millisecond, Refused: time.Hour},
		OnState: func(s ami.Status) { w.states <- s },
		Handle: func(m *ami.Message, received time.Time) {
			if received.IsZero() {
				t.Error("a message without time of arrival")
			}
			w.handled <- strings.TrimSpace(fmt.Sprintf("%s%s %s", m.Event(), m.Response(), m.Get("Uniqueid")))
		},
	}
	if change != nil {
		change(&opts)
	}
	client, err := ami.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = client
	w.stop = running(t, client.Run)
	return w
}

// until waits for a state.
func (w *watch) until(want link.State) ami.Status {
	w.t.Helper()
	for {
		select {
		case s := <-w.states:
			if s.State == want {
				return s
			}
		case <-time.After(20 * time.Second):
			w.t.Fatalf("never %s: %+v", want, w.Status())
		}
	}
}

// hears waits for these messages, in this order and nothing between them.
func (w *watch) hears(want ...string) {
	w.t.Helper()
	for _, x := range want {
		select {
		case got := <-w.handled:
			if got != x {
				w.t.Fatalf("handled %q, want %q", got, x)
			}
		case <-time.After(20 * time.Second):
			w.t.Fatalf("never handled %q: %+v", x, w.Status())
		}
	}
}
