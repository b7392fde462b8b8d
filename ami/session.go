package ami

import (
	"context"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// LoginError says that the PBX was reached and refused the login. It is a [link.ErrRefused].
type LoginError struct {
	Username string
	Message  string // in the PBX's words, or why the client did not send the secret
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("login as %q refused: %s (look at this user's secret, permit and deny in manager.conf)", e.Username, e.Message)
}

// Is reports whether target is [link.ErrRefused], after which the next try waits longer.
func (e *LoginError) Is(target error) bool { return target == link.ErrRefused }

// session lives one connection, from dialling to its end, and says why it ended. upSince is zero if it never was up.
//
// The order matters. The login asks for class system alone, so that FullyBooted comes and nothing of calls; then the
// filters; then the event mask; then the snapshot. From the mask on every event goes to Handle, so that the snapshot
// stands in a stream of events without a hole. A PBX that is still booting has no channels to show and may come up
// with some: FullyBooted after the snapshot makes another one. (A restart of Asterisk ends the connection.)
func (c *Client) session(ctx context.Context) (upSince time.Time, err error) {
	conn, gathered, err := c.dial(ctx)
	if err != nil {
		return time.Time{}, err
	}
	l := newConnection(c, conn, gathered)
	stop := context.AfterFunc(ctx, func() { l.leave(ctx) })
	defer stop()
	reading := false
	defer func() {
		l.fail(err)
		if reading {
			<-l.ended
		}
		c.attach(nil)
		if errors.Is(err, ErrDown) {
			err = l.cause // a step failed because the link did; a refused login counts more than the hang-up after it
		}
	}()

	if err := l.greet(); err != nil {
		return time.Time{}, err
	}
	reading = true
	go l.read()
	if err := l.login(ctx); err != nil {
		return time.Time{}, err
	}
	if err := l.prepare(ctx); err != nil {
		return time.Time{}, err
	}
	c.attach(l)
	c.enter(link.Up, "", time.Time{})
	upSince = time.Now()
	return upSince, l.keep(ctx)
}

// dial gives the connection and what it lies on: without TLS the same.
func (c *Client) dial(ctx context.Context) (net.Conn, *link.Gathered, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Deadline)
	defer cancel()
	conn, err := c.opts.Dialer.DialContext(ctx, "tcp", c.opts.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	gathered := link.NewGathered(conn, c.opts.OnPause)
	if c.opts.TLS == nil {
		return gathered, gathered, nil
	}
	secure := tls.Client(gathered, c.opts.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, nil, fmt.Errorf("TLS handshake with %s: %w", c.opts.Address, err)
	}
	return secure, gathered, nil
}

func (l *connection) greet() error {
	l.greetBy = time.Now().Add(l.client.opts.Deadline)
	version, err := l.reader.ReadGreeting()
	l.greetBy = time.Time{}
	if err != nil {
		return err
	}
	l.client.connected(version)
	return Supported(version)
}

// login proves the secret by MD5 challenge, so that it does not cross the wire, or plainly where the PBX has none.
func (l *connection) login(ctx context.Context) error {
	o := l.client.opts
	login := Action{Name: "Login"}.With("Username", o.Username)
	challenge, err := l.step(ctx, Action{Name: "Challenge"}.With("AuthType", "MD5"))
	var refused *ActionError
	switch {
	case errors.As(err, &refused) && o.NeverPlain:
		return &LoginError{o.Username, "the PBX has no MD5 challenge (" + refused.Message + ") and plain login is forbidden here"}
	case errors.As(err, &refused):
		if o.TLS == nil {
			l.client.warn("the PBX has no MD5 challenge (" + refused.Message + "): the secret crosses the network in the clear; use TLS")
		}
		login = login.With("Secret", o.secret())
	case err != nil:
		return err
	case len(challenge.Get("Challenge")) == 0:
		return &LoginError{o.Username, "the PBX answered the MD5 challenge without one: it would be no secret"}
	default:
		sum := md5.Sum(append([]byte(challenge.Get("Challenge")), o.secret()...))
		login = login.With("AuthType", "MD5").With("Key", hex.EncodeToString(sum[:]))
	}
	_, err = l.step(ctx, login.With("Events", "system"))
	if errors.As(err, &refused) {
		return &LoginError{o.Username, refused.Message}
	}
	return err
}

// prepare asks for the events and takes the first snapshot.
func (l *connection) prepare(ctx context.Context) error {
	var refused *ActionError
	for _, f := range l.client.opts.filters() {
		if _, err := l.step(ctx, f); errors.As(err, &refused) {
			l.client.warn("event filter refused: " + refused.Message + "; the Filter action needs write = system in manager.conf")
		} else if err != nil {
			return err
		}
	}
	if _, err := l.step(ctx, events(l.client.opts.EventMask)); err != nil {
		return fmt.Errorf("ask for events: %w", err)
	}
	return l.snapshot(ctx)
}

// snapshot asks which channels there are. The answer goes to Handle as it comes.
func (l *connection) snapshot(ctx context.Context) error {
	l.asked.Store(true)
	id := SnapshotPrefix + strconv.FormatUint(l.client.ids.Add(1), 10)
	err := l.do(ctx, Action{Name: "CoreShowChannels"}.With("ActionID", id), &answer{list: true, snapshot: true})
	var refused *ActionError
	switch {
	case err == nil:
		l.client.snapshotTaken()
	case errors.As(err, &refused):
		l.client.warn("snapshot of channels refused: " + refused.Message + "; CoreShowChannels needs write = system or reporting in manager.conf")
	default:
		return fmt.Errorf("snapshot of channels: %w", err)
	}
	return nil
}

// keep pings until the link ends.
func (l *connection) keep(ctx context.Context) error {
	tick := time.NewTicker(l.client.opts.PingEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.ended:
			return l.cause
		case <-l.again:
			if err := l.snapshot(ctx); err != nil {
				return err
			}
		case <-tick.C:
			// A missing answer is no failure by itself: silence is, and Read notices it. A busy PBX whose events
			// come is alive.
			if _, err := l.step(ctx, Action{Name: "Ping"}); err != nil {
				l.client.opts.Log.Debug("AMI: ping", "error", err)
			}
		}
	}
}

// leave says goodbye, when the program stops. The PBX would log an unexpected end otherwise.
func (l *connection) leave(ctx context.Context) {
	if bytes, err := (Action{Name: "Logoff"}).Encode(); err == nil && l.client.attached(l) {
		_ = l.write(bytes) // the link ends either way
	}
	l.fail(context.Cause(ctx))
}
