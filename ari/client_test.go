package ari_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// pbx is the other side: Asterisk's HTTP server as far as ARI goes.
type pbx struct {
	*httptest.Server
	mu       sync.Mutex
	channels string // answer to /channels
	bridges  string
	password string
	deaf     bool // answers no ping
	sockets  chan *websocket.Conn
}

func newPBX(t *testing.T) *pbx {
	p := &pbx{channels: "[]", bridges: "[]", password: "secret", sockets: make(chan *websocket.Conn, 10)}
	upgrader := websocket.Upgrader{}
	mux := http.NewServeMux()
	mux.HandleFunc("/ari/events", func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("app") != "voipd" || q.Get("subscribeAll") != "true" {
			t.Errorf("asks for %v", q)
		}
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		p.mu.Lock()
		if p.deaf {
			conn.SetPingHandler(func(string) error { return nil })
		}
		p.mu.Unlock()
		go func() { // answers pings
			for {
				if _, _, err := conn.ReadMessage(); err != nil {
					return
				}
			}
		}()
		p.sockets <- conn
	})
	list := func(text *string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			p.mu.Lock()
			defer p.mu.Unlock()
			_, _ = w.Write([]byte(*text))
		}
	}
	mux.HandleFunc("/ari/channels", list(&p.channels))
	mux.HandleFunc("/ari/bridges", list(&p.bridges))
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		want := p.password
		p.mu.Unlock()
		if user, password, _ := r.BasicAuth(); user != "voipd" || password != want || r.URL.Query().Has("api_key") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pbx) set(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// listener is a client at work.
type listener struct {
	*ari.Client
	facts   chan record.Event
	states  chan link.Status
	devices chan string
}

func listen(t *testing.T, p *pbx) *listener {
	t.Helper()
	l := &listener{facts: make(chan record.Event, 10_000), states: make(chan link.Status, 1000), devices: make(chan string, 100)}
	var err error
	l.Client, err = ari.NewClient(ari.Options{
		URL: p.URL + "/ari", Username: "voipd", Secret: func() string { return "secret" }, PingEvery: 100 * time.Millisecond, Deadline: 400 * time.Millisecond, Backoff: link.Backoff{First: time.Millisecond},
		Handle: func(e record.Event) { l.facts <- e }, OnState: func(s link.Status) { l.states <- s },
		OnDevice: func(device, state string, _ time.Time) { l.devices <- device + " " + state },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return l
}

func (l *listener) state(t *testing.T, want link.State) link.Status {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case s := <-l.states:
			if s.State == want {
				return s
			}
		case <-timeout:
			t.Fatalf("never %s", want)
		}
	}
}

func (l *listener) fact(t *testing.T, want record.Kind) record.Event {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		select {
		case e := <-l.facts:
			if e.Kind == want {
				return e
			}
		case <-timeout:
			t.Fatalf("no fact %v", want)
		}
	}
}

const present = `[{"id":"17.1","name":"PJSIP/101-01","state":"Up","caller":{"name":"","number":"101"},"dialplan":{"context":"from-internal","exten":"630"},"creationtime":"2026-11-22T16:50:02.633+0000"}]`

// TestSnapshotThenEvents: what there is comes first, with its bridge, then
// what happens; the warning says what ari.conf lacks.
func TestSnapshotThenEvents(t *testing.T) {
	p := newPBX(t)
	p.channels, p.bridges = present, `[{"id":"b","technology":"softmix","creator":"ConfBridge","name":"630","channels":["17.1"]}]`
	l := listen(t, p)
	l.state(t, link.Up)
	l.fact(t, record.SnapshotBegan)
	if e := l.fact(t, record.ChannelPresent); e.Channel.ID != "17.1" || e.Bridge != "b" || e.BridgeKind != record.Conference || e.State != record.Up || e.Age <= 0 {
		t.Errorf("got %+v", e)
	}
	l.fact(t, record.SnapshotEnded)
	conn := <-p.sockets
	for _, text := range []string{"not JSON", `{"no":"type"}`, `{"type":"Unheard"}`, `{"type":"ChannelVarset","value":"\"DeviceStateChanged\""}`,
		`{"type":"DeviceStateChanged","device_state":{"name":"PJSIP/101","state":"INUSE"}}`,
		`{"type":"ChannelCreated","timestamp":"2026-11-22T16:50:02.634+0000","channel":{"id":"17.2","name":"PJSIP/102-02","state":"Ring"}}`} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if e := l.fact(t, record.Created); e.Channel.ID != "17.2" || !e.At.Equal(time.Date(2026, 11, 22, 16, 50, 2, 634e6, time.UTC)) {
		t.Errorf("got %+v", e)
	}
	if device := <-l.devices; device != "PJSIP/101 INUSE" || len(l.devices) > 0 {
		t.Errorf("told of the device %q and %d more", device, len(l.devices))
	}
	if s := l.Status(); s.Malformed != 2 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "channelvars = CHANNEL(linkedid)") {
		t.Errorf("got %+v", s)
	}
}

// TestLinks: a cut, a half-open and a refused link are noticed, told with the
// reason, and made anew with a fresh list.
func TestLinks(t *testing.T) {
	p := newPBX(t)
	l := listen(t, p)
	l.state(t, link.Up)
	(<-p.sockets).Close()
	if s := l.state(t, link.Down); s.Reason == "" || s.NextTry.IsZero() {
		t.Errorf("cut: %+v", s)
	}
	l.state(t, link.Up)
	conn := <-p.sockets
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ApplicationReplaced","application":"voipd"}`)); err != nil {
		t.Fatal(err)
	}
	if s := l.state(t, link.Down); !strings.Contains(s.Reason, "another program listens") {
		t.Errorf("replaced: %+v", s)
	}
	l.state(t, link.Up)
	conn = <-p.sockets
	p.set(func() { p.deaf = true })
	conn.Close()
	l.state(t, link.Down)
	if s := l.state(t, link.Up); s.Sessions < 2 { // logged in to a PBX that hears nothing
		t.Errorf("got %+v", s)
	}
	if s := l.state(t, link.Down); !strings.Contains(s.Reason, "timeout") {
		t.Errorf("half-open: %+v", s)
	}
	p.set(func() { p.deaf, p.password = false, "changed" })
	for s := l.state(t, link.Down); !strings.Contains(s.Reason, "401"); {
		s = l.state(t, link.Down)
	}
	p.set(func() { p.password = "secret" })
	l.state(t, link.Up)
}

// TestCaptureOverTheWire: a real call's events give its record.
func TestCaptureOverTheWire(t *testing.T) {
	p := newPBX(t)
	l := listen(t, p)
	l.state(t, link.Up)
	conn := <-p.sockets
	file, err := os.Open("../record/testdata/captures/22/xfer-refer-replaces/ari.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := conn.WriteMessage(websocket.TextMessage, lines.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	m := record.New(numbers.Default())
	for {
		for _, c := range m.Apply(nil, l.any(t)) {
			if c.Kind == record.CallEnded {
				if r := c.Record; r.SrcPhone != "79031000058" || r.DstPhone != "109" || r.Duration != 8 {
					t.Errorf("got %+v", r)
				}
				return
			}
		}
	}
}

// any is the next fact, whatever it is.
func (l *listener) any(t *testing.T) record.Event {
	t.Helper()
	select {
	case e := <-l.facts:
		return e
	case <-time.After(20 * time.Second):
		t.Fatal("no fact came")
		return record.Event{}
	}
}

func TestBadOptions(t *testing.T) {
	handle := func(record.Event) {}
	for name, opt := range map[string]ari.Options{
		"want a URL":         {URL: "127.0.0.1:8088", Username: "x", Handle: handle},
		"user name is empty": {URL: "http://127.0.0.1:8088/ari", Handle: handle},
		"without Handle":     {URL: "http://127.0.0.1:8088/ari", Username: "x"},
	} {
		if _, err := ari.NewClient(opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want %q", err, name)
		}
	}
}
