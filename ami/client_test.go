package ami_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
)

// running starts Run and sees to its end: the stop function, which the end of the test calls too, gives its error.
func running(t *testing.T, run func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	stop = func() error {
		cancel()
		err := <-ended
		ended <- err
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

var booted = []string{"FullyBooted", "Success", "CoreShowChannelsComplete"}

func TestClientLogsInAndTakesASnapshot(t *testing.T) {
	goodbye := make(chan *ami.Message, 1)
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login("1.1", "1.2")
		p.send("Event: Newchannel\nUniqueid: 1.3\n\n")
		goodbye <- p.expect("Logoff")
	}), func(o *ami.Options) { o.PingEvery = time.Hour })
	s := w.until(link.Up)
	if s.Version != "11.0.0" || !s.Booted || s.Snapshots != 1 || s.LastHeard.IsZero() || s.LastEvent.IsZero() || len(s.Warnings) > 0 {
		t.Errorf("%+v", s)
	}
	w.hears("FullyBooted", "Success", "CoreShowChannel 1.1", "CoreShowChannel 1.2", "CoreShowChannelsComplete", "Newchannel 1.3")
	if err := w.stop(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run returned %v", err)
	}
	if m := <-goodbye; m == nil {
		t.Error("left without a word")
	}
	if s := w.until(link.Down); s.Reason != "stopped" {
		t.Errorf("%+v", s)
	}
}

func TestClientPlainLogin(t *testing.T) {
	script := func(p *peer) {
		p.send("Asterisk Call Manager/2.10.0\n")
		p.answer("Challenge", "Error\nMessage: Invalid/unknown command: Challenge.")
		m := p.expect("Login")
		if m == nil {
			return
		}
		if got := string(m.Get("Secret")); got != secret {
			t.Errorf("secret %q", got)
		}
		p.send("Response: Success\nActionID: %s\n\n", m.ActionID())
		p.answer("Events", "Success")
		p.snapshot()
		p.pings()
	}
	t.Run("with a warning", func(t *testing.T) {
		s := start(t, startPBX(t, nil, script), nil).until(link.Up)
		if len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "in the clear") {
			t.Errorf("warnings: %q", s.Warnings)
		}
	})
	t.Run("forbidden", func(t *testing.T) {
		s := start(t, startPBX(t, nil, script), func(o *ami.Options) { o.NeverPlain = true }).until(link.Down)
		if !strings.Contains(s.Reason, "plain login is forbidden") {
			t.Errorf("%+v", s)
		}
	})
}

// TestClientReasons: each way in which a connection goes wrong, and the words an administrator gets for it.
func TestClientReasons(t *testing.T) {
	short := func(o *ami.Options) { o.PingEvery, o.Deadline = 20*time.Millisecond, 200*time.Millisecond }
	refuse := func(p *peer) {
		p.send("Asterisk Call Manager/11.0.0\n")
		p.answer("Challenge", "Success\nChallenge: 1")
		p.answer("Login", "Error\nMessage: Authentication failed")
	}
	tests := []struct {
		name   string
		script func(*peer)
		change func(*ami.Options)
		says   string
		slow   bool // waits Refused before the next try
	}{
		{"wrong secret", refuse, nil, `login as "voipd" refused: Authentication failed`, true},
		{"Asterisk 11", func(p *peer) { p.send("Asterisk Call Manager/1.3\n"); p.hang() }, nil, "voipd needs Asterisk 12 or newer", true},
		{"another protocol", func(p *peer) { p.send("SSH-2.0-OpenSSH_9.2\n"); p.hang() }, nil, "not an Asterisk manager port", false},
		{"no greeting", (*peer).hang, short, "read greeting: none within 200ms", false},
		{"closed at once", func(*peer) {}, nil, "read greeting: EOF", false},
		{"no answer to the challenge", func(p *peer) { p.send("Asterisk Call Manager/11.0.0\n"); p.hang() }, short, "action Challenge: no answer: none within 200ms", false},
		{"closed in the login", func(p *peer) { p.send("Asterisk Call Manager/11.0.0\n"); p.expect("Challenge") }, nil, "the PBX closed the connection", false},
		{"an empty challenge", func(p *peer) {
			p.send("Asterisk Call Manager/11.0.0\n")
			p.answer("Challenge", "Success\nChallenge:")
			p.hang()
		}, nil, "answered the MD5 challenge without one", true},
		{"no snapshot", func(p *peer) {
			p.send("Asterisk Call Manager/11.0.0\n")
			p.answer("Challenge", "Success\nChallenge: 1")
			p.answer("Login", "Success")
			p.answer("Events", "Success")
			p.hang()
		}, short, "snapshot of channels: AMI action CoreShowChannels: no answer", false},
		{"half-open", func(p *peer) { p.login(); p.hang() }, short, "nothing heard for 220ms", false},
		{"closed", func(p *peer) { p.login() }, nil, "the PBX closed the connection", false},
		{"shutdown", func(p *peer) {
			p.login()
			p.send("Event: Shutdown\nShutdown: Cleanly\nRestart: True\n\n")
		}, nil, "the PBX shut down (Event: Shutdown, Cleanly, Restart: True)", false},
		{"TLS spoken to a plain port", (*peer).hang, func(o *ami.Options) { short(o); o.TLS = someTLS(t).client }, "TLS handshake with 127.0.0.1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, startPBX(t, nil, tt.script), tt.change).until(link.Down)
			if !strings.Contains(s.Reason, tt.says) || strings.Contains(s.Reason, secret) {
				t.Errorf("reason %q, want %q in it", s.Reason, tt.says)
			}
			if wait := s.NextTry.Sub(s.Since); (wait > time.Minute) != tt.slow {
				t.Errorf("tries again in %v", wait)
			}
		})
	}
}

func TestClientNobodyListens(t *testing.T) {
	p := startPBX(t, nil, (*peer).hang)
	p.listener.Close()
	if s := start(t, p, nil).until(link.Down); !strings.Contains(s.Reason, "refused") {
		t.Errorf("reason %q", s.Reason)
	}
}

func TestClientComesBack(t *testing.T) {
	w := start(t, startPBX(t, nil,
		func(p *peer) {
			p.login("1.1")
			p.send("Event: Newchannel\nUniqueid: 1.2\n\nEvent: Hangup\nUniqueid: 1.2\n")
		}, // and no end of it
		func(*peer) {},
		func(p *peer) { p.login("1.1"); p.pings() },
	), nil)
	w.until(link.Up)
	down := w.until(link.Down)
	if down.Malformed != 1 {
		t.Errorf("half a message is not counted: %+v", down)
	}
	if got := len(w.handled); got != 5 {
		t.Errorf("at Down %d messages were handled, want all 5 of that session", got)
	}
	w.until(link.Down)
	if s := w.until(link.Up); s.Sessions != 2 || s.Snapshots != 2 {
		t.Errorf("%+v", s)
	}
	w.hears("FullyBooted", "Success", "CoreShowChannel 1.1", "CoreShowChannelsComplete", "Newchannel 1.2", // and no Hangup
		"FullyBooted", "Success", "CoreShowChannel 1.1", "CoreShowChannelsComplete")
}

func TestClientGarbageCostsOnlyItself(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login()
		p.send("\x00\xff\xfe rubbish\n\n%s\n\nEvent: A\nno header\nUniqueid: 1\n\nFoo: bar\n\nResponse: Success\nActionID: nobody\n\nEvent: C\nUniqueid: Response: Success\nPing: Pong\n\n", strings.Repeat("x", 100_000))
		p.send("Event: B\nUniqueid: \xd0\n\n")
		p.pings()
	}), nil)
	w.hears(booted...)
	w.hears("A 1", "B \xd0")
	if s := w.Status(); s.State == link.Down || s.Malformed != 4 || s.BadLines != 1 || s.Unmatched != 1 {
		t.Errorf("%+v", s)
	}
}

func TestClientSlowServer(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login()
		for _, b := range []byte("Event: A\r\nUniqueid: 1\r\n\r\n") {
			_, _ = p.Write([]byte{b})
		}
		p.pings()
	}), nil)
	w.hears(booted...)
	w.hears("A 1")
}

func TestClientTLS(t *testing.T) {
	pair := someTLS(t)
	w := start(t, startPBX(t, pair.server, func(p *peer) { p.login(); p.pings() }), func(o *ami.Options) { o.TLS = pair.client })
	w.until(link.Up)
	stranger := start(t, startPBX(t, someTLS(t).server, func(p *peer) { p.login(); p.pings() }), func(o *ami.Options) { o.TLS = pair.client })
	if s := stranger.until(link.Down); !strings.Contains(s.Reason, "certificate") {
		t.Errorf("reason %q", s.Reason)
	}
}

func TestClientBootsLate(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login()
		p.send("Event: FullyBooted\n\n")
		p.snapshot("1.1")
		p.hang()
	}), func(o *ami.Options) { o.PingEvery = time.Hour })
	w.hears(booted...)
	w.hears("FullyBooted", "Success", "CoreShowChannel 1.1", "CoreShowChannelsComplete")
}

// TestClientLongList: a list of channels may take longer than the deadline, as long
// as it is not silent for so long.
func TestClientLongList(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.send("Asterisk Call Manager/11.0.0\n")
		p.answer("Challenge", "Success\nChallenge: 1")
		p.answer("Login", "Success")
		p.answer("Events", "Success")
		m := p.expect("CoreShowChannels")
		id := string(m.ActionID())
		p.send("Response: Success\nActionID: %s\nEventList: start\n\n", id)
		for i := range 8 {
			<-time.After(100 * time.Millisecond)
			p.send("Event: CoreShowChannel\nActionID: %s\nUniqueid: 1.%d\n\n", id, i)
		}
		p.send("Event: CoreShowChannelsComplete\nActionID: %s\nEventList: Complete\nListItems: 8\n\n", id)
		p.pings()
	}), func(o *ami.Options) { o.Deadline, o.PingEvery = 400*time.Millisecond, time.Hour })
	w.until(link.Up)
}

func TestClientGoesOnWithoutWhatItMayNot(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.send("Asterisk Call Manager/11.0.0\n")
		p.answer("Challenge", "Success\nChallenge: 1")
		p.answer("Login", "Success")
		p.answer("Filter", "Error\nMessage: Permission denied")
		p.answer("Events", "Success")
		p.answer("CoreShowChannels", "Error\nMessage: Permission denied")
		p.pings()
	}), func(o *ami.Options) { o.Filters = []string{"!Event: VarSet"} })
	s := w.until(link.Up)
	if len(s.Warnings) != 2 || !strings.Contains(s.Warnings[0], "filter") || !strings.Contains(s.Warnings[1], "snapshot") || s.Snapshots != 0 {
		t.Errorf("%+v", s)
	}
}

func TestDoAndList(t *testing.T) {
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login()
		m := p.expect("QueueStatus")
		id := string(m.ActionID())
		p.send("Event: QueueParams\nActionID: %s\nQueue: a\n\nEvent: Hangup\nUniqueid: 1\n\n", id) // before the response
		p.send("Response: Success\nActionID: %s\nEventList: start\n\nEvent: Hangup\nUniqueid: 2\n\n", id)
		p.send("Event: QueueParams\nActionID: %s\nQueue: b\n\nEvent: QueueStatusComplete\nActionID: %s\nEventList: Complete\n\n", id, id)
		m = p.expect("Originate")
		p.send("Event: OriginateResponse\nActionID: %s\nResponse: Failure\nUniqueid: 3\n\nResponse: Success\nActionID: %s\nMessage: queued\n\n", m.ActionID(), m.ActionID())
		p.answer("Command", "Error\nMessage: Permission denied")
		p.expect("Hangup")
	}), func(o *ami.Options) { o.PingEvery = time.Hour })
	w.until(link.Up)
	ctx := t.Context()
	items, err := w.List(ctx, ami.Action{Name: "QueueStatus"})
	if err != nil || len(items) != 2 || string(items[0].Get("Queue")) != "a" || string(items[1].Get("Queue")) != "b" {
		t.Errorf("list: %v, %v", items, err)
	}
	r, err := w.Do(ctx, ami.Action{Name: "Originate"}.With("ActionID", "mine"))
	if err != nil || string(r.Get("Message")) != "queued" || string(r.ActionID()) != "mine" {
		t.Errorf("do: %v, %v", r, err)
	}
	r, err = w.Do(ctx, ami.Action{Name: "Command"}.With("Command", "core show version"))
	var refused *ami.ActionError
	if !errors.As(err, &refused) || refused.Message != "Permission denied" || r == nil {
		t.Errorf("refused: %v, %v", r, err)
	}
	if _, err = w.Do(ctx, ami.Action{Name: "Hangup"}.With("Channel", "a\r\nAction: Logoff")); err == nil || errors.Is(err, ami.ErrDown) {
		t.Errorf("line break in a value: %v", err)
	}
	if _, err = w.Do(ctx, ami.Action{Name: "Hangup"}); !errors.Is(err, ami.ErrDown) || !strings.Contains(err.Error(), "closed the connection") {
		t.Errorf("link lost while waiting: %v", err)
	}
	w.hears(booted...)
	w.hears("Hangup 1", "Hangup 2", "OriginateResponse 3")
}

func TestDoWithoutLink(t *testing.T) {
	client, err := ami.NewClient(ami.Options{Address: "127.0.0.1:1", Username: "x", Handle: func(*ami.Message, time.Time) {}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Do(t.Context(), ami.Action{Name: "Ping"}); !errors.Is(err, ami.ErrDown) {
		t.Errorf("got %v", err)
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	got := make(chan string, 1)
	w := start(t, startPBX(t, nil, func(p *peer) {
		p.login()
		m := p.expect("QueueStatus")
		got <- string(m.ActionID())
		m = p.expect("Ping")
		p.send("Response: Success\nActionID: %s\n\nResponse: Success\nActionID: %s\n\n", <-got, m.ActionID())
		p.hang()
	}), func(o *ami.Options) { o.PingEvery = time.Hour })
	w.until(link.Up)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { id := <-got; cancel(); got <- id }()
	if _, err := w.Do(ctx, ami.Action{Name: "QueueStatus"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := w.Do(t.Context(), ami.Action{Name: "Ping"}); err != nil {
		t.Errorf("the session suffered: %v", err)
	}
	if s := w.Status(); s.Unmatched != 1 {
		t.Errorf("the late answer is not counted: %+v", s)
	}
}

func TestOptionsRefused(t *testing.T) {
	good := ami.Options{Address: "127.0.0.1:5038", Username: "voipd", Handle: func(*ami.Message, time.Time) {}}
	tests := map[string]func(*ami.Options){
		"no port":               func(o *ami.Options) { o.Address = "127.0.0.1" },
		"no user":               func(o *ami.Options) { o.Username = "" },
		"no handle":             func(o *ami.Options) { o.Handle = nil },
		"line break in user":    func(o *ami.Options) { o.Username = "a\r\nb" },
		"line break in secret":  func(o *ami.Options) { o.Secret = func() string { return "hunter2\n" } },
		"line break in mask":    func(o *ami.Options) { o.EventMask = "call\r\n" },
		"line break in filter":  func(o *ami.Options) { o.Filters = []string{"a\nb"} },
		"over-long filter":      func(o *ami.Options) { o.Filters = []string{strings.Repeat("x", 2000)} },
		"secret not in message": func(o *ami.Options) { o.Secret = func() string { return "hunter2\x00" } },
	}
	for name, change := range tests {
		o := good
		change(&o)
		if _, err := ami.NewClient(o); err == nil || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ami.NewClient(good); err != nil {
		t.Error(err)
	}
}

// noRoute is a network on which nothing can be reached; it notes when that was tried.
type noRoute struct{ tries []time.Time }

func (d *noRoute) DialContext(context.Context, string, string) (net.Conn, error) {
	d.tries = append(d.tries, time.Now())
	return nil, errors.New("no route")
}

func TestClientBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network noRoute
		var log strings.Builder
		client, err := ami.NewClient(ami.Options{
			Address: "192.0.2.1:5038", Username: "x", Dialer: &network, Handle: func(*ami.Message, time.Time) {},
			Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := client.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run returned %v", err)
		}
		first, last := network.tries[1].Sub(network.tries[0]), time.Duration(0)
		for i, at := range network.tries[1:] {
			last = at.Sub(network.tries[i])
			if last > 45*time.Second {
				t.Errorf("waited %v", last)
			}
		}
		if first > 750*time.Millisecond || last < 15*time.Second || len(network.tries) < 80 {
			t.Errorf("%d tries in an hour, the first after %v, the last after %v", len(network.tries), first, last)
		}
		if n := strings.Count(log.String(), "no route"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, log.String())
		}
	})
}
