//go:build lab

package lab

import (
	"fmt"
	"net"
	"sync"
	"time"
)

// Wire leads connections to an address, and fails in the ways that a network
// does. Its methods may be called from any goroutine.
type Wire struct {
	to       string
	listener net.Listener

	mu    sync.Mutex
	ends  map[*wired]bool
	away  bool // connections are closed at once
	slow  bool
	close sync.Once
	work  sync.WaitGroup
}

// wired is one connection: ours with voipd, and the other with the PBX.
type wired struct {
	near, far net.Conn
	write     sync.Mutex // of near
	frozen    bool       // Wire.mu is held for it
}

// NewWire listens on a free port and leads whoever comes to an address.
func NewWire(to string) (*Wire, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("make a wire: %w", err)
	}
	w := &Wire{to: to, listener: l, ends: map[*wired]bool{}}
	w.work.Go(w.serve)
	return w, nil
}

// Addr is where it listens.
func (w *Wire) Addr() string { return w.listener.Addr().String() }

// Close cuts everything and listens no more.
func (w *Wire) Close() {
	w.close.Do(func() {
		w.Away(true)
		_ = w.listener.Close() // serve sees it
	})
	w.work.Wait()
}

func (w *Wire) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return // it was closed
		}
		w.lead(near)
	}
}

func (w *Wire) lead(near net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away {
		near.Close()
		return
	}
	far, err := net.Dial("tcp", w.to)
	if err != nil {
		near.Close()
		return
	}
	c := &wired{near: near, far: far}
	w.ends[c] = true
	w.work.Go(func() { w.copy(c, far, func(b []byte) error { return c.send(b) }) })
	w.work.Go(func() { w.copy(c, near, func(b []byte) error { _, err := far.Write(b); return err }) })
}

func (c *wired) send(b []byte) error {
	c.write.Lock()
	defer c.write.Unlock()
	_, err := c.near.Write(b)
	return err
}

// copy passes on what comes from one end until either is closed.
func (w *Wire) copy(c *wired, from net.Conn, to func([]byte) error) {
	defer w.end(c)
	buf := make([]byte, 4096)
	for {
		piece, pause := buf, time.Duration(0)
		w.mu.Lock()
		if w.slow {
			piece, pause = buf[:256], 5*time.Millisecond
		}
		w.mu.Unlock()
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		w.mu.Lock()
		frozen := c.frozen
		w.mu.Unlock()
		if frozen {
			continue // swallowed, and nothing is closed
		}
		if to(piece[:n]) != nil {
			return
		}
		if pause > 0 {
			<-time.After(pause)
		}
	}
}

func (w *Wire) end(c *wired) {
	c.near.Close()
	c.far.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.ends, c)
}

// each does something to every connection.
func (w *Wire) each(do func(*wired)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.ends {
		do(c)
	}
}

// Cut ends every connection, without a word.
func (w *Wire) Cut() { w.each(func(c *wired) { c.near.Close(); c.far.Close() }) }

// Freeze makes every present connection half-open: what comes is swallowed, in
// both directions, and nothing is closed. New connections are led.
func (w *Wire) Freeze() { w.each(func(c *wired) { c.frozen = true }) }

// Away cuts every connection and closes each new one at once, or ends that.
func (w *Wire) Away(away bool) {
	w.mu.Lock()
	w.away = away
	w.mu.Unlock()
	if away {
		w.Cut()
	}
}

// Slow makes the wire one of small pieces, or ends that.
func (w *Wire) Slow(slow bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slow = slow
}

// Garble sends these bytes to everyone as if the PBX had.
func (w *Wire) Garble(bytes string) {
	var all []*wired
	w.each(func(c *wired) { all = append(all, c) })
	for _, c := range all {
		_ = c.send([]byte(bytes)) // one that is closed needs none
	}
}
