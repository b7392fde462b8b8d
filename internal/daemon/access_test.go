package daemon_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestBadClients: hundreds of clients that say nothing, some that speak a
// letter at a time, and one with huge headers hold nobody up, and are let go.
func TestBadClients(t *testing.T) {
	o := newOffice(t)
	o.start()
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", o.daemon.Addr())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	for range 300 {
		dial()
	}
	slow := dial()
	if _, err := io.WriteString(slow, "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "); err != nil {
		t.Fatal(err)
	}
	if status, body := o.get("GET", "/v1/health", ""); status != 200 {
		t.Errorf("health: %d %s", status, body)
	}
	huge := dial()
	if _, err := io.WriteString(huge, "GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX-Huge: "+strings.Repeat("x", 64<<10)+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(huge, answer); err != nil || string(answer) != "HTTP/1.1 431" {
		t.Errorf("huge headers: %q, %v", answer, err)
	}
	if err := slow.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(slow); err != nil || strings.Contains(string(rest), http.StatusText(http.StatusOK)) {
		t.Errorf("a client that never ends its headers: %q, %v", rest, err)
	}
}
