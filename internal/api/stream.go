package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// sse tells events as text/event-stream.
func (s *server) sse(w http.ResponseWriter, r *http.Request, f *follower) {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Time{}) // the request's own does not end the stream
	write := func(text []byte) error {
		if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		return conn.Flush()
	}
	f.alive = func() error { return write([]byte(": alive\n\n")) }
	f.tell = func(list []store.Change) error {
		var b bytes.Buffer
		for i := range list {
			fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n\n", list[i].Seq, list[i].Kind, f.envelope(&list[i]))
		}
		return write(b.Bytes())
	}
	if err := write([]byte("retry: 2000\n\n")); err != nil {
		return // he left at once
	}
	reason := f.run(r.Context())
	s.ended(r, reason, f.after)
	if reason != "" && reason != endSlow {
		_ = write(fmt.Appendf(nil, "event: end\ndata: {\"reason\":%q}\n\n", reason)) // he may be gone by now
	}
}

// socket tells events as text messages of a WebSocket.
func (s *server) socket(w http.ResponseWriter, r *http.Request, f *follower) {
	// Pages of foreign origins are kept off before (access.go).
	up := websocket.Upgrader{HandshakeTimeout: patience, CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	defer cancel()
	go listen(conn, cancel)
	f.alive = func() error { return conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience)) }
	f.tell = func(list []store.Change) error {
		for i := range list {
			if err := conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
				return err
			}
			if err := conn.WriteMessage(websocket.TextMessage, f.envelope(&list[i])); err != nil {
				return err
			}
		}
		return nil
	}
	reason := f.run(ctx)
	s.ended(r, reason, f.after)
	code := websocket.CloseNormalClosure
	switch reason {
	case endHalt:
		code = websocket.CloseGoingAway
	case endPass:
		code = websocket.ClosePolicyViolation
	case endGone, endRead, endSlow:
		code = websocket.CloseTryAgainLater
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second)) // he may be gone by now
}

// listen takes what a reader sends, which is nothing but signs of life, and
// tells when he is gone.
func listen(conn *websocket.Conn, gone func()) {
	defer gone()
	conn.SetReadLimit(4 << 10)
	extend := func() error { return conn.SetReadDeadline(time.Now().Add(3 * beat)) }
	conn.SetPongHandler(func(string) error { return extend() })
	err := extend()
	for err == nil {
		_, _, err = conn.NextReader()
	}
}

// ended logs why a stream was ended by voipd.
func (s *server) ended(r *http.Request, reason string, after int64) {
	if reason == "" || reason == endHalt {
		return
	}
	if reason == endPass {
		s.opt.Log.Info("a live stream ended with its token", "reader", r.RemoteAddr, "token", tokenOf(r.Context()))
		return
	}
	s.opt.Log.Warn("a reader of the live stream was cut; it can resume", "reader", r.RemoteAddr, "after", after, "error", errors.New(reason))
}

// envelope is an event as the reader may see it.
func (f *follower) envelope(c *store.Change) []byte {
	text := contract.Envelope(f.instance, c.Seq, c.Kind, c.At, c.Body)
	if f.masked {
		return contract.Mask(text)
	}
	return text
}
