package sim

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Options of a PBX. The zero value is one that lets user "voipd" with secret "voipd" in and shows it everything.
type Options struct {
	Address  string // to listen on. Default 127.0.0.1:0, a free port
	Username string // default "voipd"
	Secret   string // default "voipd"
	Read     string // classes this user may see. Default "all"
	Write    string // classes of actions this user may use. Default "all"
	Version  string // of AMI, in the banner. Default "11.0.0"
	TLS      *tls.Config

	NoChallenge  bool // as a PBX of old: Challenge is an unknown command
	NoTimestamps bool // as without timestampevents = yes

	// Begin is the PBX's time when New is called; zero is now. Speed is how many of its seconds pass in one of ours;
	// zero is 1. With another Speed and no Begin its time runs ahead of ours.
	Begin time.Time
	Speed float64

	// Endpoints are what PJSIPShowEndpoints lists. Nil: the action is refused,
	// as to a user without write = system.
	Endpoints []Endpoint

	// Hints are what ExtensionStateList lists, by number; nil: it is refused.
	// Mailboxes are those of VoicemailUsersList, Database what DBGetTree gives by key
	// ("/DEVICE/101/user"); empty: each is refused.
	Hints     map[string]string
	Mailboxes []string
	Database  map[string]string

	// Originated is told of each call that is asked for, which is not played; it
	// must not call the PBX. Nil: the action is refused, as to a user without
	// write = originate.
	Originated func(Order)

	// Monitor is where the recordings of played calls are written, and what the events say of it. Empty: events
	// keep the captured paths, and nothing is written.
	Monitor string

	// CEL is the file to which CEL rows of played calls are appended, as
	// cel_custom would, where the captures have some. Empty: none are written.
	CEL string

	// Backlog is how many messages wait for a slow reader before it is thrown out,
	// as Asterisk's writetimeout does. Default 32,768.
	Backlog int

	Log *slog.Logger // default: nothing is logged
}

// PBX is a fake PBX. Its methods may be called from any goroutine.
type PBX struct {
	opts     Options
	listener net.Listener
	started  time.Time
	playing  sync.WaitGroup
	serving  sync.WaitGroup
	closed   chan struct{}
	close    sync.Once

	mu       sync.Mutex
	sessions map[*session]bool
	channels channels
	numbers  numbering
	refusing bool // logins
	away     bool // connections are closed at once
	slow     Slow
	life     chan struct{} // closed when Asterisk crashes: what is played then ends
	ahead    time.Duration // by how much the wall clock was set
	listed   int           // times that the endpoints were asked for
	cel      sync.Mutex
}

// New makes a PBX that listens. Connections are served from Run on.
func New(opts Options) (*PBX, error) {
	opts.Address = cmp.Or(opts.Address, "127.0.0.1:0")
	opts.Username = cmp.Or(opts.Username, "voipd")
	opts.Secret = cmp.Or(opts.Secret, "voipd")
	opts.Read = cmp.Or(opts.Read, "all")
	opts.Write = cmp.Or(opts.Write, "all")
	opts.Version = cmp.Or(opts.Version, "11.0.0")
	opts.Speed = cmp.Or(opts.Speed, 1)
	opts.Backlog = cmp.Or(opts.Backlog, 1<<15)
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	now := time.Now()
	if opts.Begin.IsZero() {
		opts.Begin = now
	}
	listener, err := net.Listen("tcp", opts.Address)
	if err != nil {
		return nil, fmt.Errorf("fake PBX: %w", err)
	}
	if opts.TLS != nil {
		listener = tls.NewListener(listener, opts.TLS)
	}
	return &PBX{
		opts: opts, listener: listener, started: now, closed: make(chan struct{}),
		sessions: map[*session]bool{}, channels: channels{}, life: make(chan struct{}),
	}, nil
}

// Addr is where it listens, host:port.
func (p *PBX) Addr() string { return p.listener.Addr().String() }

// Now is the PBX's time, in UTC, as it would be had nobody set its clock.
func (p *PBX) Now() time.Time {
	return p.opts.Begin.Add(time.Duration(float64(time.Since(p.started)) * p.opts.Speed)).UTC()
}

// Run serves connections until ctx ends or Close is called; it returns nil then, when everything it started is over.
func (p *PBX) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, p.Close)
	defer stop()
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			select {
			case <-p.closed:
				p.serving.Wait()
				p.playing.Wait()
				return nil
			default:
				p.Close()
				return fmt.Errorf("fake PBX: %w", err)
			}
		}
		if s := p.admit(conn); s != nil {
			p.serving.Go(s.serve)
		} else {
			_ = conn.Close() // it is away: that is all there is to say
		}
	}
}

// spawn starts what Run waits for in the end; false when that has begun.
func (p *PBX) spawn(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return false
	default:
		p.playing.Go(f)
		return true
	}
}

func (p *PBX) admit(conn net.Conn) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return nil
	default:
	}
	if p.away {
		return nil
	}
	s := newSession(p, conn)
	p.sessions[s] = true
	return s
}

func (p *PBX) dismiss(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s)
}

// Close ends everything: sessions, plays, recordings that are being written.
func (p *PBX) Close() {
	p.close.Do(func() {
		p.mu.Lock()
		close(p.closed)
		p.mu.Unlock()
		_ = p.listener.Close() // Accept says what there is to say
		p.Cut()
	})
}

// emit tells everyone an event, and remembers what it says about channels. It
// tells false when the life that the event belongs to is over.
func (p *PBX) emit(raw string, at time.Time, life <-chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-life:
		return false
	default:
	}
	if !p.opts.NoTimestamps {
		raw = stamp(raw, at.Add(p.ahead))
	}
	p.channels.learn(raw, at)
	for s := range p.sessions {
		s.event(raw)
	}
	return true
}

// Emit tells everyone who may see it an event of the test's own making: its headers, one a line, Event first. Line
// ends and the empty line are added, and the PBX's time.
func (p *PBX) Emit(lines ...string) {
	raw := ""
	for _, l := range lines {
		raw += l + "\r\n"
	}
	p.emit(raw+"\r\n", p.Now(), nil)
}

// Channels is how many channels are alive.
func (p *PBX) Channels() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.channels)
}
