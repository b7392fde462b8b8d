package link

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// first is how long what comes after a silence is waited for as a whole: a PBX
	// writes each event by itself, a dozen within some milliseconds whenever a call
	// gets on.
	first = 20 * time.Millisecond
	// apart is how long after a read the next one begins at the earliest.
	apart = 100 * time.Millisecond
	// gatherBuffer is how much one read takes. One that fills it is followed by the
	// next at once: who sends that much must not wait for its reader.
	gatherBuffer = 64 << 10
)

// Gathered is a connection whose reads can take together what comes in pieces. On a
// PBX with ten calls a second, waking for each piece costs as much processor time as
// all that is done about it. One goroutine may read it.
type Gathered struct {
	net.Conn
	raw   syscall.RawConn // nil: of another kind; it never gathers
	empty func()
	on    atomic.Bool
	next  time.Time // when there may be a read
	buf   []byte
	rest  []byte // of buf: what was read and not given out yet
}

// NewGathered makes a connection one that can gather. While it does, empty is called
// when everything that was read has been given out, before more is waited for.
func NewGathered(c net.Conn, empty func()) *Gathered {
	g := &Gathered{Conn: c, empty: empty, buf: make([]byte, gatherBuffer)}
	if s, ok := c.(syscall.Conn); ok {
		g.raw, _ = s.SyscallConn() // nil where there is none
	}
	return g
}

// Gather makes reads take together, from the next one on, what comes within 20 ms
// after a silence, and within 100 ms otherwise. The moment of a read is then not the
// one at which its bytes came. Any goroutine may call it.
func (g *Gathered) Gather() { g.on.Store(g.raw != nil) }

// Read is the connection's.
func (g *Gathered) Read(p []byte) (int, error) {
	if len(g.rest) == 0 {
		n, err := g.fill()
		if n == 0 {
			return 0, err
		}
		g.rest = g.buf[:n] // an error is met again by the next Read
	}
	n := copy(p, g.rest)
	g.rest = g.rest[n:]
	return n, nil
}

// fill reads into buf.
func (g *Gathered) fill() (n int, err error) {
	if !g.on.Load() {
		return g.Conn.Read(g.buf)
	}
	g.empty()
	g.pause(time.Until(g.next))
	if n = g.atHand(g.buf); n == 0 {
		if n, err = g.Conn.Read(g.buf); n == 0 {
			return 0, err
		}
		g.pause(first)
		n += g.atHand(g.buf[n:])
	}
	if n < len(g.buf) {
		g.next = time.Now().Add(apart)
	}
	return n, nil
}

// pause waits, without being woken by what comes meanwhile: the kernel tells of bytes
// only when they would fill the buffer.
func (g *Gathered) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	g.tellFrom(gatherBuffer)
	time.Sleep(d)
	g.tellFrom(1)
}

// tellFrom makes the kernel tell when so many bytes are there. Where it cannot, it
// goes on telling of each.
func (g *Gathered) tellFrom(bytes int) {
	_ = g.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVLOWAT, bytes)
	})
}

// atHand reads what has come already and waits for nothing. An error, or the end, is
// for a Read that waits.
func (g *Gathered) atHand(p []byte) (n int) {
	if len(p) == 0 {
		return 0
	}
	err := g.raw.Read(func(fd uintptr) bool {
		n, _ = syscall.Read(int(fd), p)
		return true
	})
	if err != nil || n < 0 {
		return 0
	}
	return n
}
