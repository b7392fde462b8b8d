package ami

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// Options say how a Client reaches its PBX. Address, Username and Handle are needed; every other zero value means the
// default told with it.
type Options struct {
	Address  string // host:port; the port of manager.conf is 5038, with TLS 5039
	Username string // the section of manager.conf
	// Secret gives the user's secret; it is asked at each login. Nil: the empty secret.
	Secret func() string

	// TLS, when not nil, wraps the connection. ServerName is taken from Address when it is empty.
	TLS *tls.Config
	// NeverPlain refuses to log in where the PBX has no challenge. By default the secret is then sent as it is, with
	// a warning where there is no TLS.
	NeverPlain bool

	// EventMask are the classes of events to ask for. Default DefaultEventMask. A class that manager.conf does not
	// give this user is silently missing: Asterisk does not say so.
	EventMask string
	// Filters are expressions for the Filter action (Operation: Add), sent before the first event of a call can
	// come. A PBX that refuses one sends more, never less, so that is a warning.
	Filters []string

	// PingEvery is how often a Ping goes out. Default 15 s. Nothing heard for PingEvery+Deadline is a half-open link.
	PingEvery time.Duration
	// Deadline bounds the connecting, each step of the login, each write, and the wait for a Ping's answer.
	// Default 5 s.
	Deadline time.Duration
	Backoff  link.Backoff
	Bounds   Bounds // of the messages read

	// Dialer connects. Default &net.Dialer{}.
	Dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}
	// Log gets each change of state once. Default: nothing is logged.
	Log *slog.Logger

	// Handle gets every event, and the response to each snapshot (its ActionID begins with SnapshotPrefix), in the
	// order of the stream, with the time at which its bytes arrived. The message is valid until Handle returns.
	// Handle is called on the reading goroutine and must not block: Asterisk throws a reader out that does not read.
	// The events of a List go to its caller alone.
	Handle func(m *Message, received time.Time)
	// OnLoss gets what could not be read as a message, in the order of the stream as Handle does: a fact may have been
	// in it. The client asks for a snapshot by itself. Default: nothing is done.
	OnLoss func(why string, received time.Time)
	// OnState gets every change of State, in order, one call at a time. It must not block. When it gets Down, the
	// last Handle of that session has returned.
	OnState func(Status)
}

// DefaultEventMask is what the record of a call needs: call and agent show every call, dialplan has the names of
// recordings and the path through an IVR, cdr is there only with cdr_manager, system has FullyBooted and Shutdown.
const DefaultEventMask = "call,agent,dialplan,cdr,system"

func (o Options) withDefaults() (Options, error) {
	host, _, err := net.SplitHostPort(o.Address)
	switch {
	case err != nil:
		return o, fmt.Errorf("AMI address %q: want host:port, such as 127.0.0.1:5038: %w", o.Address, err)
	case o.Username == "":
		return o, errors.New("AMI user name is empty: it is the section of manager.conf")
	case o.Handle == nil:
		return o, errors.New("AMI client without Handle: nobody would get the events")
	}
	if o.TLS != nil && o.TLS.ServerName == "" {
		o.TLS = o.TLS.Clone()
		o.TLS.ServerName = host
	}
	o.EventMask = cmp.Or(o.EventMask, DefaultEventMask)
	o.PingEvery = cmp.Or(o.PingEvery, 15*time.Second)
	o.Deadline = cmp.Or(o.Deadline, 5*time.Second)
	o.Backoff = o.Backoff.WithDefaults()
	if o.Dialer == nil {
		o.Dialer = &net.Dialer{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OnLoss == nil {
		o.OnLoss = func(string, time.Time) {}
	}
	if o.OnState == nil {
		o.OnState = func(Status) {}
	}
	// What would not go into an action is better refused now than at every login.
	for _, a := range append([]Action{o.login(), events(o.EventMask)}, o.filters()...) {
		if _, err := a.Encode(); err != nil {
			return o, fmt.Errorf("AMI options: %w", err)
		}
	}
	return o, nil
}

func (o Options) login() Action {
	return Action{Name: "Login"}.With("Username", o.Username).With("Secret", o.secret())
}

func (o Options) secret() string {
	if o.Secret == nil {
		return ""
	}
	return o.Secret()
}

func (o Options) filters() []Action {
	var all []Action
	for _, f := range o.Filters {
		all = append(all, Action{Name: "Filter"}.With("Operation", "Add").With("Filter", f))
	}
	return all
}

func events(mask string) Action { return Action{Name: "Events"}.With("EventMask", mask) }
