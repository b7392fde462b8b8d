package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// oneConn is a listener with one connection, in memory.
type oneConn struct {
	conn chan net.Conn
	over chan struct{}
	once sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

func (l *oneConn) Close() error { l.once.Do(func() { close(l.over) }); return nil }

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// TestSlowReaderIsCut: a reader who stops reading is cut after ten seconds, the
// log says why, and nobody waits for him.
func TestSlowReaderIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "voipd.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var log bytes.Buffer
		server := &http.Server{Handler: api.New(api.Options{
			Records: db, Changes: db, Live: func() ([]record.Live, int64) { return nil, 0 }, Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
			Tokens: []api.Token{{Name: "crm", Hash: sha256.Sum256([]byte(token))}}, Health: func(context.Context) contract.Health { return contract.Health{} },
		})}
		l := &oneConn{conn: make(chan net.Conn, 1), over: make(chan struct{})}
		done := make(chan struct{})
		go func() { defer close(done); _ = server.Serve(l) }() // it ends because it is closed
		ours, theirs := net.Pipe()
		l.conn <- theirs
		if _, err := io.WriteString(ours, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		for head := ""; !strings.Contains(head, "retry: 2000\n\n"); {
			b := make([]byte, 4096)
			n, err := ours.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			head += string(b[:n])
		}
		began := time.Now()
		for range 3 {
			b := &store.Batch{Changes: []store.Change{{At: time.Now(), Kind: "call.started", CallID: "1.1", Body: []byte(`{}`)}}}
			if err := db.Commit(context.Background(), b); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("writing waited %v for a reader", took)
		}
		wait := time.NewTimer(11 * time.Second)
		<-wait.C
		synctest.Wait()
		if !strings.Contains(log.String(), "the reader is too slow") {
			t.Errorf("the log says %q", log.String())
		}
		ours.Close()
		server.Close()
		<-done
	})
}
