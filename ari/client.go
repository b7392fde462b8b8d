package ari

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/record"
)

// Options configure a [Client]. URL, Username and Handle are required; for every
// other field the zero value is the default named with it.
type Options struct {
	// URL is the address of ARI, http or https, with the prefix of http.conf:
	// "http://127.0.0.1:8088/ari".
	URL string
	// Username is the name of the user's section in ari.conf.
	Username string
	// Secret returns the user's password. It is called for each request. Nil: the
	// empty password.
	Secret func() string
	// Application is the name under which the events are subscribed to. Default
	// "voipd". A second program with the same name would take the events over.
	Application string
	// TLS is used with https. Default: the system's certificates.
	TLS *tls.Config
	// Variables are the channel variables to pass on, besides those of
	// [record.Variables].
	Variables []string

	// PingEvery is how often a ping goes out. Default 10 s. A websocket on which
	// nothing was received for PingEvery+Deadline is closed as half-open.
	PingEvery time.Duration
	// Deadline bounds the opening of the websocket and the wait for the first byte
	// of an answer; a whole answer may take four times as long. Default 5 s.
	Deadline time.Duration
	// Backoff is how long to wait before connecting again. ARI does not use
	// Backoff.Refused.
	Backoff link.Backoff

	// Log gets each change of state once. Default: nothing is logged.
	Log *slog.Logger
	// Handle gets every fact in the order of the stream, those of the channel lists
	// among them, on one goroutine. It must not block: Asterisk queues nothing for
	// a slow reader.
	Handle func(record.Event)
	// OnDevice gets each change of a device's state ("PJSIP/101", "INUSE") and the
	// time at which it was received, on the goroutine of Handle. It must not block.
	// Default: device states are ignored.
	OnDevice func(device, state string, received time.Time)
	// OnState gets every change of state, in order, on the goroutine of Run. It
	// must not block. Default: nothing is called.
	OnState func(link.Status)
}

// Client keeps an event websocket to one PBX open. Make it with [NewClient] and
// start it with Run; the other methods are safe for concurrent use.
type Client struct {
	opt    Options
	base   *url.URL
	http   *http.Client
	again  chan struct{}
	mu     sync.Mutex
	status link.Status
	told   string // the last reason that was logged
}

// NewClient checks the options and makes a Client. It does not connect. The
// error names the option that is missing or wrong.
func NewClient(opt Options) (*Client, error) {
	base, err := url.Parse(opt.URL)
	switch {
	case err != nil, base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, fmt.Errorf("ARI address %q: want a URL such as http://127.0.0.1:8088/ari", opt.URL)
	case opt.Username == "":
		return nil, errors.New("ARI user name is empty: it is the section of ari.conf")
	case opt.Handle == nil:
		return nil, errors.New("ARI client without Handle: nobody would get the facts")
	}
	base.RawQuery, base.Fragment = "", ""
	opt.Application = cmp.Or(opt.Application, "voipd")
	opt.PingEvery = cmp.Or(opt.PingEvery, 10*time.Second)
	opt.Deadline = cmp.Or(opt.Deadline, 5*time.Second)
	opt.Backoff = opt.Backoff.WithDefaults()
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.OnState == nil {
		opt.OnState = func(link.Status) {}
	}
	transport := &http.Transport{TLSClientConfig: opt.TLS, ResponseHeaderTimeout: opt.Deadline}
	return &Client{
		opt: opt, base: base, http: &http.Client{Transport: transport, Timeout: 4 * opt.Deadline}, again: make(chan struct{}, 1),
		status: link.Status{State: link.Down, Since: time.Now().UTC(), Reason: "not started", Address: opt.URL},
	}, nil
}

// Run connects, and connects again whenever the websocket ends, until ctx ends;
// then it returns ctx's error. Nothing that the PBX or the network does ends it.
// Call it once.
func (c *Client) Run(ctx context.Context) error {
	return c.opt.Backoff.Keep(ctx, c.enter, c.session)
}

// Resync asks the PBX for its channels again; Handle gets them like those of a
// connect. It never blocks. While the websocket is down, the request is kept
// for the next session.
func (c *Client) Resync() {
	select {
	case c.again <- struct{}{}:
	default: // one is on its way
	}
}

// Status returns the state of the link now. It never waits for the network.
func (c *Client) Status() link.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status
	s.Warnings = append([]string(nil), s.Warnings...)
	return s
}

// enter changes the state and tells it; only the goroutine of Run calls it.
func (c *Client) enter(state link.State, reason string, next time.Time) {
	c.mu.Lock()
	c.status.State, c.status.Since, c.status.Reason, c.status.NextTry = state, time.Now().UTC(), reason, next
	switch state {
	case link.Connecting:
		c.status.Warnings = nil
	case link.Up:
		c.status.Sessions++
	}
	c.mu.Unlock()
	switch {
	case state == link.Up:
		c.told = ""
		c.opt.Log.Info("ARI link is up", "address", c.opt.URL)
	case state == link.Down && reason != c.told:
		c.told = reason
		c.opt.Log.Warn("ARI link is down", "address", c.opt.URL, "reason", reason)
	}
	c.opt.OnState(c.Status())
}

// warn notes, once a session, what the PBX does not tell and how it would.
func (c *Client) warn(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.status.Warnings {
		if w == text {
			return
		}
	}
	c.status.Warnings = append(c.status.Warnings, text)
	c.opt.Log.Warn("ARI: " + text)
}

func (c *Client) secret() string {
	if c.opt.Secret == nil {
		return ""
	}
	return c.opt.Secret()
}
