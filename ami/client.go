package ami

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// Client keeps a session with one PBX open. Make it with [NewClient] and start it with Run; the other methods are safe
// for concurrent use.
type Client struct {
	opts       Options
	ids        atomic.Uint64
	lastReason string // of the last Down that was logged; of the goroutine of Run

	heard, event                   atomic.Int64 // Unix nanoseconds
	malformed, badLines, unmatched atomic.Uint64

	mu     sync.Mutex
	status Status
	conn   *connection // nil unless Up
}

// NewClient checks the options and makes a Client. It does not connect. The error names the option that is missing,
// wrong, or could not be sent in an action; it never holds the secret.
func NewClient(opts Options) (*Client, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	status := Status{Status: link.Status{State: link.Down, Since: time.Now().UTC(), Reason: "not started", Address: opts.Address}}
	return &Client{opts: opts, status: status}, nil
}

// Run connects, and connects again whenever the session ends, until ctx ends; then it logs off and returns ctx's error.
// Nothing that the PBX or the network does ends it. Call it once.
func (c *Client) Run(ctx context.Context) error {
	return c.opts.Backoff.Keep(ctx, c.enter, c.session)
}

// Response is the PBX's answer to an action. It owns its bytes and stays valid.
type Response struct{ *Message }

// Do sends an action and returns its response. An ActionID is added unless the action has one. The error wraps
// an [*ActionError] if the PBX refuses the action (the Response is returned too), [ErrDown] if there is no session or it
// ended before the answer came, or ctx's error if that ended first. After the last two the PBX may have carried the
// action out all the same. An action that cannot be encoded is an error, and nothing is sent.
func (c *Client) Do(ctx context.Context, a Action) (*Response, error) {
	var ans answer
	err := c.send(ctx, a, &ans)
	if ans.response == nil {
		return nil, err
	}
	return &Response{ans.response}, err
}

// List sends an action that answers with a list of events, such as QueueStatus, and returns them in order, without
// the one that only says that the list is complete. Errors are those of Do.
func (c *Client) List(ctx context.Context, a Action) ([]*Message, error) {
	ans := answer{list: true}
	if err := c.send(ctx, a, &ans); err != nil {
		return nil, err
	}
	return ans.items, nil
}

func (c *Client) send(ctx context.Context, a Action, ans *answer) error {
	c.mu.Lock()
	l, status := c.conn, c.status
	c.mu.Unlock()
	if l == nil {
		return fmt.Errorf("AMI action %s: %w (%s) %s", a.Name, ErrDown, status.State, status.Reason)
	}
	return l.do(ctx, a, ans)
}

func (c *Client) newID() string { return "voipd-" + strconv.FormatUint(c.ids.Add(1), 10) }

func (c *Client) attach(l *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = l
	if l != nil {
		c.status.Sessions++
	}
}

func (c *Client) attached(l *connection) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn == l
}

// connected begins what Status tells of one session.
func (c *Client) connected(version string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Version, c.status.Booted, c.status.Warnings = version, false, nil
}

func (c *Client) booted() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Booted = true
}

func (c *Client) snapshotTaken() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Snapshots++
}

// Resync asks the PBX for its channels again; Handle gets the answer like that of a connect. It never blocks. Without a
// session it does nothing: the next one begins with a snapshot anyway.
func (c *Client) Resync() {
	c.mu.Lock()
	l := c.conn
	c.mu.Unlock()
	if l == nil {
		return
	}
	select {
	case l.again <- struct{}{}:
	default: // one is on its way
	}
}
