package link_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// pair is a connection that can gather, and its other end.
func pair(t *testing.T, empty func()) (*link.Gathered, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(); other.Close() })
	return link.NewGathered(c, empty), other
}

func read(t *testing.T, g *link.Gathered) string {
	t.Helper()
	text := make([]byte, 100)
	n, err := g.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

func write(t *testing.T, c net.Conn, texts ...string) {
	t.Helper()
	for _, text := range texts {
		<-time.After(time.Millisecond)
		if _, err := c.Write([]byte(text)); err != nil {
			t.Error(err)
		}
	}
}

// TestGathered: what comes in pieces while a Read goes on is read together; before
// Gather each piece is read by itself.
func TestGathered(t *testing.T) {
	waits := make(chan struct{}, 10)
	g, other := pair(t, func() { waits <- struct{}{} })
	write(t, other, "one")
	if got := read(t, g); got != "one" {
		t.Fatalf("before Gather: %q", got)
	}
	if len(waits) > 0 {
		t.Error("empty was called before Gather")
	}
	g.Gather()
	for range 2 { // after a silence, and right after a read
		go func() {
			<-waits
			write(t, other, "two", "three", "four")
		}()
		if got := read(t, g); got != "twothreefour" {
			t.Errorf("read %q, want all that was written", got)
		}
	}
}

// TestGatheredSmallReads: who reads in small pieces gets all of it, and empty is called
// only when that is done.
func TestGatheredSmallReads(t *testing.T) {
	waits := 0
	g, other := pair(t, func() { waits++ })
	g.Gather()
	want := strings.Repeat("0123456789", 20_000) // more than one read takes
	go write(t, other, want)
	var got strings.Builder
	text := make([]byte, 7)
	for got.Len() < len(want) {
		n, err := g.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(text[:n])
	}
	if got.String() != want {
		t.Error("something else was read than written")
	}
	if waits == 0 || waits > got.Len()/1000 {
		t.Errorf("empty was called %d times", waits)
	}
}

// TestGatheredEnds: an end and a deadline are told as by any connection, behind what
// came before.
func TestGatheredEnds(t *testing.T) {
	g, other := pair(t, func() {})
	g.Gather()
	if err := g.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	if err := g.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	write(t, other, "last")
	other.Close()
	if got := read(t, g); got != "last" {
		t.Errorf("read %q", got)
	}
	if n, err := g.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("behind the end: %d, %v", n, err)
	}
}
