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

// Options configure a [Client]. Address, Username and Handle are required; for every other field the zero value is the
// default named with it.
type Options struct {
	// Address is host:port. Asterisk's default port is 5038, with TLS 5039.
	Address string
	// Username is the name of the user's section in manager.conf.
	Username string
	// Secret returns the user's secret. It is called at each login, and once by NewClient. Nil: the empty secret.
	Secret func() string

	// TLS, when not nil, wraps the connection. ServerName is taken from Address when it is empty.
	TLS *tls.Config
	// NeverPlain refuses to log in to a PBX that offers no MD5 challenge. By default the secret is then sent in the
	// clear, with a warning if there is no TLS.
	NeverPlain bool

	// EventMask lists the classes of events to ask for. Default DefaultEventMask. Asterisk does not report a class that
	// manager.conf denies this user: its events are just missing.
	EventMask string
	// Filters are expressions for the Filter action (Operation: Add), sent before the first event of a call can
	// come. A refused filter is only a warning: the PBX then sends more, never less.
	Filters []string

	// PingEvery is how often a Ping goes out. Default 15 s. Nothing heard for PingEvery+Deadline is a half-open link.
	PingEvery time.Duration
	// Deadline bounds the connecting, each step of the login, each write, and the wait for a Ping's answer.
	// Default 5 s.
	Deadline time.Duration
	// Backoff is how long to wait before connecting again.
	Backoff link.Backoff
	// Bounds are the sizes beyond which a message is malformed.
	Bounds Bounds

	// Dialer connects. Default &net.Dialer{}.
	Dialer interface {
		DialContext(ctx context.Context, network, address string) (net.Conn, error)
	}
	// Log gets each change of state once. Default: nothing is logged.
	Log *slog.Logger

	// Handle gets every event, and the response to each snapshot (its ActionID begins with SnapshotPrefix), in the
	// order of the stream, with the time at which its bytes arrived. The message is valid until Handle returns.
	// Handle is called on the reading goroutine and must not block: Asterisk disconnects a client that does not read.
	// The events of a List go to its caller only.
	Handle func(m *Message, received time.Time)
	// OnLoss is called for each message that could not be read, in the order of the stream: it may have held a fact.
	// why says what is wrong with it. The client then asks for a snapshot by itself. Default: nothing is called.
	OnLoss func(why string, received time.Time)
	// OnPause is called when Handle has had all that was read, before more is waited for: from the first event with
	// a Timestamp on, up to which each event is read as soon as it comes; after it what comes within 20 ms after a
	// silence is read together, and within 100 ms otherwise. It must not block. Default: nothing is called.
	OnPause func()
	// OnState gets every change of state, in order, on the goroutine of Run. It must not block. When it gets
	// link.Down, the last Handle of that session has returned. Default: nothing is called.
	OnState func(Status)
}

// DefaultEventMask lists the classes that a call's record is made from: call and agent show every call, dialplan has
// the names of recordings and the path through an IVR, cdr comes only with cdr_manager, system has FullyBooted and
// Shutdown.
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
	if o.OnPause == nil {
		o.OnPause = func() {}
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
