package api

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxConnections is how many clients may be connected. Beyond, an idle one
	// that has shown no token is closed for a new one.
	maxConnections = 4096
	// reserved of them are for clients on this machine, such as a monitor that
	// asks for health.
	reserved = 32
	// maxStrangers is how many connections one address may have on which no token
	// was shown. Beyond, the one that is idle longest is closed.
	maxStrangers = 64
	// strangerIdle is how long a connection without a token may be idle.
	strangerIdle = 5 * time.Second
)

// bounds of a [connections].
type bounds struct {
	all, reserved, strangers int
	idle                     time.Duration
}

// connections are the clients that are connected. It keeps clients that show no
// token from taking the room of those that do.
type connections struct {
	net.Listener
	bounds bounds
	log    *slog.Logger

	mu        sync.Mutex
	all       map[*connection]struct{}
	strangers map[string]int // by address
	warned    time.Time      // when a refusal was last logged
}

// connection is one of them.
type connection struct {
	net.Conn
	of      *connections
	address string
	trusted bool        // a token was shown on it
	idle    time.Time   // since when nothing is asked on it; zero: something is
	timer   *time.Timer // closes it
	closed  bool
}

func newConnections(l net.Listener, b bounds, log *slog.Logger) *connections {
	return &connections{Listener: l, bounds: b, log: log, all: map[*connection]struct{}{}, strangers: map[string]int{}}
}

// Accept waits for a client that there is room for.
func (l *connections) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close() // there is no room, and nobody is told more
	}
}

// admit takes a client in; nil: there is no room for it.
func (l *connections) admit(conn net.Conn) *connection {
	address, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	c := &connection{Conn: conn, of: l, address: address, idle: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	room := l.bounds.all
	if ip := net.ParseIP(address); ip == nil || !ip.IsLoopback() {
		room -= l.bounds.reserved
	}
	if l.strangers[address] >= l.bounds.strangers && !l.evict(address) || len(l.all) >= room && !l.evict("") {
		if now := time.Now(); now.Sub(l.warned) > time.Minute {
			l.warned = now
			l.log.Warn("a client of the API was refused: too many are connected", "address", address, "connected", len(l.all), "from_there_without_token", l.strangers[address])
		}
		return nil
	}
	l.all[c] = struct{}{}
	l.strangers[address]++
	return c
}

// evict closes the connection without a token that is idle longest, of an
// address or of any; false: none is idle.
func (l *connections) evict(address string) bool {
	var oldest *connection
	for c := range l.all {
		if !c.trusted && !c.idle.IsZero() && (address == "" || c.address == address) && (oldest == nil || c.idle.Before(oldest.idle)) {
			oldest = c
		}
	}
	if oldest == nil {
		return false
	}
	l.drop(oldest)
	_ = oldest.Conn.Close() // its client finds out
	return true
}

// drop forgets a connection.
func (l *connections) drop(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	delete(l.all, c)
	if !c.trusted {
		l.leave(c.address)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
}

// leave counts one stranger less at an address.
func (l *connections) leave(address string) {
	if l.strangers[address]--; l.strangers[address] == 0 {
		delete(l.strangers, address)
	}
}

// Close closes the connection.
func (c *connection) Close() error {
	c.of.mu.Lock()
	c.of.drop(c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}

// state follows what the server does with a connection.
func (l *connections) state(conn net.Conn, s http.ConnState) {
	c := trackedOf(conn)
	if c == nil || s == http.StateNew {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
	if s != http.StateIdle {
		c.idle = time.Time{}
		return
	}
	c.idle = time.Now()
	if !c.trusted && !c.closed {
		c.timer = time.AfterFunc(l.bounds.idle, func() { _ = c.Close() }) // an error would be that it is closed
	}
}

// trackedOf is what is known of a connection that the server has.
func trackedOf(conn net.Conn) *connection {
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	c, _ := conn.(*connection)
	return c
}

// connKey is where a request's context has its connection.
type connKey struct{}

func withConnection(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, trackedOf(conn))
}

// Trust notes that a token was shown on a request's connection, for handlers beside the
// API's.
func Trust(r *http.Request) { trust(r.Context()) }

// trust notes that a token was shown on a request's connection.
func trust(ctx context.Context) {
	c, _ := ctx.Value(connKey{}).(*connection)
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	if !c.trusted && !c.closed {
		c.trusted = true
		c.of.leave(c.address)
	}
}
