package api

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// crowd serves an API that knows one token, to few clients.
func crowd(t *testing.T, b bounds) (address string, l *connections) {
	t.Helper()
	under, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = newConnections(under, b, slog.New(slog.DiscardHandler))
	server := &http.Server{ConnState: l.state, ConnContext: withConnection, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			trust(r.Context())
		}
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-done })
	return under.Addr().String(), l
}

// visitor is one connection that is kept.
type visitor struct {
	net.Conn
	answers *bufio.Reader
}

func visit(t *testing.T, address string) *visitor {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &visitor{conn, bufio.NewReader(conn)}
}

// ask sends a request and tells whether it is answered.
func (v *visitor) ask(token string) bool {
	if err := v.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return false
	}
	if _, err := fmt.Fprintf(v, "GET / HTTP/1.1\r\nHost: voipd\r\n%s\r\n", token); err != nil {
		return false
	}
	answer, err := http.ReadResponse(v.answers, nil)
	return err == nil && answer.StatusCode == http.StatusOK && answer.Body.Close() == nil
}

const withToken = "Authorization: Bearer token\r\n"

// TestStrangersMakeRoom: clients that show no token and stay connected keep
// nobody out, and take no connection from one that has shown a token.
func TestStrangersMakeRoom(t *testing.T) {
	for name, b := range map[string]bounds{
		"from one address": {all: 1000, reserved: 2, strangers: 8, idle: time.Hour},
		"from everywhere":  {all: 12, reserved: 2, strangers: 1000, idle: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			address, l := crowd(t, b)
			app := visit(t, address)
			if !app.ask(withToken) {
				t.Fatal("the app is not answered")
			}
			for i := range 100 {
				if !visit(t, address).ask("") {
					t.Fatalf("stranger %d is not answered", i)
				}
			}
			if !app.ask(withToken) || !visit(t, address).ask(withToken) {
				t.Error("the app is locked out")
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			if len(l.all) > b.all || l.strangers["127.0.0.1"] > b.strangers {
				t.Errorf("%d connected, %v of them strangers", len(l.all), l.strangers)
			}
		})
	}
}

// TestSilentStrangers: clients that say nothing at all keep nobody out either.
func TestSilentStrangers(t *testing.T) {
	address, _ := crowd(t, bounds{all: 1000, strangers: 8, idle: time.Hour})
	for range 100 {
		visit(t, address)
	}
	if !visit(t, address).ask("") {
		t.Error("one who asks is locked out")
	}
}

// TestStrangersMayNotStay: a connection without a token is closed when it is
// idle for a moment; one that has shown a token stays.
func TestStrangersMayNotStay(t *testing.T) {
	address, _ := crowd(t, bounds{all: 100, strangers: 100, idle: time.Millisecond})
	app, stranger := visit(t, address), visit(t, address)
	if !app.ask(withToken) || !stranger.ask("") {
		t.Fatal("they are not answered")
	}
	if _, err := stranger.answers.ReadByte(); err == nil {
		t.Error("the stranger got something that was not asked for")
	} // else the connection is closed, which ends the read
	if !app.ask(withToken) {
		t.Error("the app's connection is closed")
	}
}

// TestAllAreBusy: where every connection is in use, a further client is closed at
// once, and finds room as soon as one leaves.
func TestAllAreBusy(t *testing.T) {
	address, l := crowd(t, bounds{all: 4, strangers: 100, idle: time.Hour})
	var all []*visitor
	for range 4 {
		v := visit(t, address)
		if !v.ask(withToken) {
			t.Fatal("not answered")
		}
		all = append(all, v)
	}
	if visit(t, address).ask("") {
		t.Error("a fifth client found room")
	}
	all[0].Close()
	for deadline := time.Now().Add(10 * time.Second); ; {
		l.mu.Lock()
		n := len(l.all)
		l.mu.Unlock()
		if n < 4 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("one that left is still counted")
		}
	}
	if !visit(t, address).ask("") {
		t.Error("no room after one left")
	}
}
