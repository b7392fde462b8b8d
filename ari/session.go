package ari

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/record"
)

// waiting bounds the events that come while a list of channels is fetched.
// Beyond it the session ends and begins anew with a fresh list.
const waiting = 100_000

// session lives one websocket, from dialling to its end, and says since when it
// was up and why it ended.
//
// The websocket comes first, then the list: what happens in between waits and
// is applied behind the list, so that nothing is missed and what is older than
// the list cannot stay.
func (c *Client) session(ctx context.Context) (upSince time.Time, err error) {
	conn, err := c.dial(ctx)
	if err != nil {
		return upSince, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	messages := make(chan incoming, 256)
	go c.read(ctx, conn, messages, cancel)
	go c.ping(ctx, conn)
	s := &listening{client: c, translate: NewTranslator(c.opt.Variables...), messages: messages}
	if err := s.snapshot(ctx); err != nil {
		return upSince, err
	}
	c.enter(link.Up, "", time.Time{})
	upSince = time.Now()
	for {
		select {
		case m := <-messages:
			s.handle(m)
		case <-c.again:
			if err := s.snapshot(ctx); err != nil {
				return upSince, err
			}
		case <-ctx.Done():
			return upSince, context.Cause(ctx)
		}
	}
}

type incoming struct {
	text []byte
	at   time.Time
}

// dial opens the event websocket. The password goes in a header, never in the
// URL, which logs would keep.
func (c *Client) dial(ctx context.Context) (*websocket.Conn, error) {
	u := *c.base
	u.Scheme = strings.Replace(u.Scheme, "http", "ws", 1)
	u.Path = strings.TrimSuffix(u.Path, "/") + "/events"
	u.RawQuery = url.Values{"app": {c.opt.Application}, "subscribeAll": {"true"}}.Encode()
	d := websocket.Dialer{HandshakeTimeout: c.opt.Deadline, TLSClientConfig: c.opt.TLS}
	request := &http.Request{Header: http.Header{}}
	request.SetBasicAuth(c.opt.Username, c.secret())
	conn, answer, err := d.DialContext(ctx, u.String(), request.Header)
	if err != nil && answer != nil {
		return nil, &refusal{method: http.MethodGet, path: "/events", status: answer.Status, code: answer.StatusCode, user: c.opt.Username}
	}
	if err != nil {
		return nil, fmt.Errorf("open ARI events: %w", err)
	}
	return conn, nil
}

// read reads until the link ends; silence ends it as well.
func (c *Client) read(ctx context.Context, conn *websocket.Conn, to chan<- incoming, end context.CancelCauseFunc) {
	alive := func() error { return conn.SetReadDeadline(time.Now().Add(c.opt.PingEvery + c.opt.Deadline)) }
	conn.SetPongHandler(func(string) error { return alive() })
	for {
		err := alive()
		var text []byte
		if err == nil {
			_, text, err = conn.ReadMessage()
		}
		if err != nil {
			end(fmt.Errorf("read ARI events: %w", err))
			return
		}
		if typeOf(text) == "ApplicationReplaced" { // this websocket stays open and hears no more
			end(fmt.Errorf("read ARI events: another program listens as the application %q now: give each its own (asterisk.ari_application)", c.opt.Application))
			return
		}
		select {
		case to <- incoming{text, time.Now()}:
		case <-ctx.Done():
			return
		}
	}
}

// deviceState reads the event that tells a device's new state; false: the
// event is another one, or no event.
func deviceState(text []byte) (device, state string, ok bool) {
	if typeOf(text) != "DeviceStateChanged" {
		return "", "", false
	}
	event, err := ari.DecodeEvent(text)
	if err != nil {
		return "", "", false
	}
	d := event.(*ari.DeviceStateChanged).DeviceState
	return d.Name, d.State, true
}

func (c *Client) ping(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(c.opt.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(c.opt.Deadline)) // a dead link is noticed by silence
		case <-ctx.Done():
			_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), time.Now().Add(time.Second))
			_ = conn.Close() // ends read
			return
		}
	}
}

// listening is what one session knows.
type listening struct {
	client    *Client
	translate *Translator
	messages  <-chan incoming
	events    []record.Event
}

// handle gives the facts of one message on.
func (s *listening) handle(m incoming) {
	if tell := s.client.opt.OnDevice; tell != nil {
		if device, state, ok := deviceState(m.text); ok {
			tell(device, state, m.at)
			return
		}
	}
	var err error
	if s.events, err = s.translate.Events(s.events[:0], m.text, m.at); err != nil {
		s.client.mu.Lock()
		s.client.status.Malformed++
		s.client.mu.Unlock()
		return
	}
	for _, e := range s.events {
		if e.Kind == record.Created && e.Channel.Linked == "" {
			s.client.warn("channels carry no linkedid: put channelvars = CHANNEL(linkedid) into [general] of ari.conf")
		}
		s.client.opt.Handle(e)
	}
}

// snapshot fetches the channels and bridges that there are, gives them on, and
// then what came meanwhile.
func (s *listening) snapshot(ctx context.Context) error {
	type answer struct {
		channels []ari.ChannelData
		bridges  []ari.BridgeData
		err      error
	}
	done := make(chan answer, 1)
	go func() {
		var a answer
		if a.err = s.client.do(ctx, http.MethodGet, "/channels", nil, &a.channels); a.err == nil {
			a.err = s.client.do(ctx, http.MethodGet, "/bridges", nil, &a.bridges)
		}
		done <- a
	}()
	var held []incoming
	for {
		select {
		case m := <-s.messages:
			if held = append(held, m); len(held) > waiting {
				return fmt.Errorf("list channels: %d events came before the list", len(held))
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		case a := <-done:
			if a.err != nil {
				return a.err
			}
			s.present(a.channels, a.bridges)
			for _, m := range held {
				s.handle(m)
			}
			return nil
		}
	}
}

// present states the list as facts.
func (s *listening) present(channels []ari.ChannelData, bridges []ari.BridgeData) {
	now := time.Now().UTC()
	handle := s.client.opt.Handle
	where := map[string]*ari.BridgeData{}
	for i := range bridges {
		for _, id := range bridges[i].ChannelIDs {
			where[id] = &bridges[i]
		}
	}
	handle(record.Event{At: now, Kind: record.SnapshotBegan, Source: record.SourceARI})
	for i := range channels {
		c := &channels[i]
		e := about(record.Event{At: now, Source: record.SourceARI}, c, record.ChannelPresent)
		e.Age, e.Key, e.Value = max(0, now.Sub(created(c, now))), c.GetDialplan().GetAppName(), c.GetDialplan().GetAppData()
		if b := where[c.ID]; b != nil {
			e.Bridge, e.BridgeKind = b.ID, bridgeKind(b)
		}
		handle(e)
	}
	handle(record.Event{At: now, Kind: record.SnapshotEnded, Source: record.SourceARI})
}

// created is when a channel began; now where the list does not say.
func created(c *ari.ChannelData, now time.Time) time.Time {
	t := c.Creationtime // of a channel without one: the year 1
	if t == nil || t.Seconds <= 0 {
		return now
	}
	return time.Unix(t.Seconds, int64(t.Nanos))
}
