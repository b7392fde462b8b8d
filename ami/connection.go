package ami

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// connection is one TCP connection to the PBX, from the greeting to its end.
type connection struct {
	client   *Client
	conn     net.Conn
	gathered *link.Gathered // what conn lies on
	reader   *Reader
	waiting  waiting

	greetBy  time.Time // until when the greeting has to be there; zero after it
	received time.Time // when the bytes at hand arrived; of the reading goroutine
	farewell string    // what the PBX said before it went; of the reading goroutine

	writing sync.Mutex
	asked   atomic.Bool   // a snapshot was asked for
	again   chan struct{} // another one is due
	ended   chan struct{} // closed when the reading goroutine has returned
	once    sync.Once
	cause   error // why it ended; set by once
}

func newConnection(c *Client, conn net.Conn, gathered *link.Gathered) *connection {
	l := &connection{client: c, conn: conn, gathered: gathered, again: make(chan struct{}, 1), ended: make(chan struct{})}
	l.waiting.by = map[string]*answer{}
	l.reader = NewReader(l, c.opts.Bounds)
	return l
}

// Read is the connection's, with the clock that notices a half-open link: a Ping goes out every PingEvery and its
// answer takes at most Deadline, so that a longer silence means that nobody is there.
func (l *connection) Read(p []byte) (int, error) {
	silence := l.client.opts.PingEvery + l.client.opts.Deadline
	deadline := l.greetBy
	if deadline.IsZero() {
		deadline = time.Now().Add(silence)
	}
	if err := l.conn.SetReadDeadline(deadline); err != nil {
		return 0, fmt.Errorf("set read deadline: %w", err)
	}
	n, err := l.conn.Read(p)
	if n > 0 {
		l.received = time.Now()
		l.client.heard.Store(l.received.UnixNano())
	}
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case !l.greetBy.IsZero():
		err = fmt.Errorf("none within %v", l.client.opts.Deadline)
	default:
		err = fmt.Errorf("nothing heard for %v, pings included: half-open link or hung PBX", silence)
	}
	return n, err
}

// fail ends the link; the first reason counts.
func (l *connection) fail(reason error) {
	l.once.Do(func() {
		l.cause = reason
		_ = l.conn.Close() // nothing more is to be had of it, whatever it says
		l.waiting.fail(reason)
	})
}

// read gives out messages until the link ends. It is the link's only reader.
func (l *connection) read() {
	defer close(l.ended)
	for {
		m, err := l.reader.Next()
		var bad *MalformedError
		switch {
		case err == nil:
			l.take(m)
		case errors.As(err, &bad):
			l.lose(bad.Error())
		case err == io.EOF && l.farewell != "":
			l.fail(errors.New(l.farewell))
			return
		case err == io.EOF:
			l.fail(errors.New("the PBX closed the connection"))
			return
		default:
			l.fail(err)
			return
		}
	}
}

func (l *connection) take(m *Message) {
	if n := m.BadLines(); n > 0 {
		l.client.badLines.Add(uint64(n))
		l.client.opts.Log.Debug("AMI: lines without a header left out", "message", string(m.Event()), "lines", n)
	}
	name := m.Event()
	switch {
	case name != nil && twoInOne(m):
		l.lose(fmt.Sprintf("malformed AMI message: more than one message in it, the first is %s", name))
		return
	case name != nil:
		l.client.event.Store(l.received.UnixNano())
		if len(m.Get("Timestamp")) > 0 { // events have their times, whenever they are read
			l.gathered.Gather()
		}
		l.notice(string(name), m)
	case m.Response() == nil:
		l.lose("malformed AMI message: neither an event nor a response")
		return
	}
	taken, handle := l.waiting.take(m)
	if name == nil && !taken {
		l.client.unmatched.Add(1)
		l.client.opts.Log.Debug("AMI: response that nobody waits for", "action_id", string(m.ActionID()))
	}
	if handle {
		l.client.opts.Handle(m, l.received)
	}
}

// lose leaves out what is no message. There may have been a fact in it, so the PBX is asked for its channels again.
func (l *connection) lose(why string) {
	l.client.malformed.Add(1)
	l.client.opts.Log.Debug("AMI: malformed message left out", "error", why)
	l.client.opts.OnLoss(why, l.received)
	l.askAgain()
}

// askAgain asks for one more snapshot, unless the first one is still to come.
func (l *connection) askAgain() {
	if !l.asked.Load() {
		return
	}
	select {
	case l.again <- struct{}{}:
	default: // one more is due already
	}
}

// twoInOne tells whether an event has swallowed the message behind it: Asterisk writes each event's classes, once, and
// no id of a channel has a header in it.
func twoInOne(m *Message) bool {
	n := 0
	for range m.All("Privilege") {
		n++
	}
	return n > 1 || bytes.Contains(m.Get("Uniqueid"), []byte(": ")) || bytes.Contains(m.Get("Linkedid"), []byte(": "))
}

// notice sees the events about the PBX itself.
func (l *connection) notice(name string, m *Message) {
	switch name {
	case "FullyBooted":
		l.client.booted()
		l.askAgain()
	case "Shutdown":
		l.farewell = fmt.Sprintf("the PBX shut down (Event: Shutdown, %s, Restart: %s)", m.Get("Shutdown"), m.Get("Restart"))
	}
}

// do sends an action and waits for what answers it: until ctx ends, or the link.
func (l *connection) do(ctx context.Context, a Action, ans *answer) error {
	id := a.id()
	if id == "" {
		id = l.client.newID()
		a = a.With("ActionID", id)
	}
	bytes, err := a.Encode()
	if err != nil {
		return err
	}
	ans.action = a.Name
	if err := l.waiting.add(id, ans); err != nil {
		return err
	}
	if err := l.write(bytes); err != nil {
		l.waiting.remove(id)
		return fmt.Errorf("AMI action %s: %w: %w", a.Name, ErrDown, err)
	}
	if ans.snapshot { // a large PBX may take long to list its channels, and is not silent meanwhile
		return l.await(ctx, id, ans, l.client.opts.Deadline)
	}
	return l.await(ctx, id, ans, 0)
}

// await waits for an answer, as long as it is not silent for longer than silence; 0
// bounds no silence.
func (l *connection) await(ctx context.Context, id string, ans *answer, silence time.Duration) error {
	var quiet <-chan time.Time
	for {
		if silence > 0 {
			quiet = time.After(silence)
		}
		var why error
		select {
		case <-ans.done:
			return ans.err
		case <-ans.heard:
			continue
		case <-quiet:
			why = fmt.Errorf("none within %v", silence)
		case <-ctx.Done():
			why = context.Cause(ctx)
		}
		l.waiting.remove(id) // what still comes for it counts as Unmatched
		return fmt.Errorf("AMI action %s: no answer: %w", ans.action, why)
	}
}

// step is do for one step of a session, bounded by Deadline.
func (l *connection) step(ctx context.Context, a Action) (*Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.client.opts.Deadline, fmt.Errorf("none within %v", l.client.opts.Deadline))
	defer cancel()
	var ans answer
	if err := l.do(ctx, a, &ans); err != nil {
		return nil, err
	}
	return ans.response, nil
}

// write sends the bytes whole or ends the link: half an action would spoil the next.
func (l *connection) write(b []byte) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.conn.SetWriteDeadline(time.Now().Add(l.client.opts.Deadline))
	if err == nil {
		_, err = l.conn.Write(b)
	}
	if err != nil {
		err = fmt.Errorf("write: %w", err)
		l.fail(err)
	}
	return err
}
