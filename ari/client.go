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

// Options say how a Client reaches its PBX. URL, Username and Handle are
// needed; every other zero value means the default told with it.
type Options struct {
	URL         string        // "http://127.0.0.1:8088/ari"
	Username    string        // the section of ari.conf
	Secret      func() string // gives its password; asked at each request. Nil: the empty password
	Application string        // name of the Stasis application that listens. Default "voipd"
	TLS         *tls.Config   // for https. Default: the system's certificates
	Variables   []string      // channel variables to pass on besides the usual ones

	PingEvery time.Duration // default 10 s
	Deadline  time.Duration // how long each answer may take; default 5 s
	Backoff   link.Backoff  // between two sessions

	Log *slog.Logger // default: nothing is logged
	// Handle gets every fact, snapshots included, in order, from one goroutine.
	// It must not block: nothing is queued by Asterisk for a slow listener.
	Handle func(record.Event)
	// OnDevice is told of each state of a device ("PJSIP/101", "INUSE") when it
	// changes, and when that was heard. It must not block. Nil: nobody is told.
	OnDevice func(device, state string, heard time.Time)
	// OnState gets every change of State. It must not block.
	OnState func(link.Status)
}

// Client keeps an event websocket to one PBX alive. Make it with NewClient and
// start it with Run.
type Client struct {
	opt    Options
	base   *url.URL
	http   *http.Client
	again  chan struct{}
	mu     sync.Mutex
	status link.Status
	told   string // the last reason that was logged
}

// NewClient checks the options. It does not connect.
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

// Run connects, and connects again, until ctx ends, and returns ctx's error.
func (c *Client) Run(ctx context.Context) error {
	return c.opt.Backoff.Keep(ctx, c.enter, c.session)
}

// Resync asks the PBX for its channels again. It never blocks.
func (c *Client) Resync() {
	select {
	case c.again <- struct{}{}:
	default: // one is on its way
	}
}

// Status returns how the link stands now. Safe for concurrent use.
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
