// Package pbx is the PBX as the rest of voipd sees it: one link, by AMI or by
// ARI, its endpoints and their states, its clock, and the calls that are placed
// through it. No other package of the daemon needs to know which interface it is.
//
// DESIGN.md says how a link that is lost becomes a gap, and how the PBX's clock
// is followed.
package pbx

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/record"
)

// Options of a PBX. AMI or ARI, Clock, ClockStore, Handle, Live and Log are needed.
type Options struct {
	AMI     *ami.Options  // how to reach it by AMI; nil: by ARI
	ARI     *ari.Options  // how to reach it by ARI; nil: by AMI
	Refused time.Duration // how long after a refused login the next is tried; 0: the client's default
	Rules   record.Rules
	Names   map[string]string // of operators by extension, where the PBX has none
	Calls   Calls             // which calls may be placed
	Known   Known             // what the PBX showed in an earlier run
	// OnKnown gets what the PBX shows, where that has changed; one goroutine calls it.
	// nil: nobody.
	OnKnown func(Known)

	Clock      *Clock
	ClockStore ClockStore
	// Handle gets every fact, in order, gaps and settings of the clock among
	// them. It must not block; it may be called by several goroutines.
	Handle func(record.Event)
	// OnPause is called when Handle has had all that was read from the PBX, where
	// reads are put together (AMI, [ami.Options]); nil: nothing.
	OnPause func()
	// Live are the calls going on.
	Live func() []record.Live
	OnUp func() // called each time the link is up and the first list of channels is taken; nil: nothing
	Log  *slog.Logger
}

// Access is how to reach Asterisk and log in.
type Access struct {
	Address             string // AMI: host:port; ARI: its URL
	Username            string
	Secret              func() string
	TLS                 *tls.Config   // nil: AMI without TLS, ARI with the system's certificates
	NeverPlain          bool          // AMI: do not log in where the secret would cross the network as it is
	PingEvery, Deadline time.Duration // 0: the client's defaults
}

// AMI are the options of an AMI client.
func AMI(a Access) *ami.Options {
	return &ami.Options{Address: a.Address, Username: a.Username, Secret: a.Secret, TLS: a.TLS, NeverPlain: a.NeverPlain, PingEvery: a.PingEvery, Deadline: a.Deadline}
}

// ARI are the options of an ARI client that listens as the Stasis application of
// that name.
func ARI(a Access, application string) *ari.Options {
	return &ari.Options{URL: a.Address, Username: a.Username, Secret: a.Secret, Application: application, TLS: a.TLS, PingEvery: a.PingEvery, Deadline: a.Deadline}
}

// PBX is one Asterisk. Make one with [New], then Run it once; the other methods
// may be called by any goroutine.
type PBX struct {
	opt        Options
	link       connection
	table      Endpoints
	watch      *watch
	originator *originator
	rules      atomic.Pointer[record.Rules]
	names      atomic.Pointer[map[string]string] // of operators, by extension
	placed     chan struct{}                     // a call was placed
}

// New makes a PBX. It does not connect. The error says which option is wrong.
func New(opt Options) (*PBX, error) {
	if opt.OnUp == nil {
		opt.OnUp = func() {}
	}
	p := &PBX{opt: opt, placed: make(chan struct{}, 1)}
	p.SetNames(opt.Names)
	p.SetRules(opt.Rules)
	p.table.seed(opt.Known)
	p.watch = newWatch(&p.table, p.tellKnown, opt.Log)
	var err error
	if p.link, err = newLink(opt, p.handlers()); err != nil {
		return nil, err
	}
	p.originator = newOriginator(opt.Calls, p.link, p.memberState, p.ordered, p.orderFailed, time.Now, opt.Log)
	return p, nil
}

// Run keeps the link, the endpoints and the clock until ctx ends. It always
// returns nil: a PBX that is away is told by health.
func (p *PBX) Run(ctx context.Context) error {
	var all sync.WaitGroup
	all.Go(func() { _ = p.link.Run(ctx) }) // it ends only with ctx
	all.Go(func() { p.watch.run(ctx, p.link) })
	all.Go(func() { p.stateTime(ctx) })
	// A list of channels by the old clock cannot be compared with rows of the new.
	all.Go(func() { p.opt.Clock.run(ctx, p.opt.ClockStore, p.Resync, p.opt.Log) })
	all.Wait()
	return nil
}

// Resync asks the PBX for its channels again, because facts were lost. It never
// blocks.
func (p *PBX) Resync() { p.link.Resync() }

// State is "up", "connecting" or "down", and why it is not up.
func (p *PBX) State() (state, reason string) {
	s := p.link.status()
	return s.State, s.Reason
}

// Away is since when the PBX is not there; zero: it is.
func (p *PBX) Away() time.Time {
	s := p.link.status()
	if s.State == string(link.Up) {
		return time.Time{}
	}
	return s.Since
}

// Health adds the state of the link and of the clock.
func (p *PBX) Health(_ context.Context, h *contract.Health) {
	s := p.link.status()
	if p.opt.ARI != nil {
		h.ARI = &s.LinkHealth
	} else {
		h.AMI = &s.LinkHealth
	}
	if s.State != string(link.Up) {
		h.Fail(fmt.Sprintf("the link to the PBX at %s is %s since %s: %s", s.address, s.State, s.Since.Format(time.RFC3339), s.Reason))
	}
	p.opt.Clock.health(h)
}

// Metrics are read when somebody asks for them.
func (p *PBX) Metrics() []prometheus.Collector {
	return []prometheus.Collector{
		contract.Gauge("pbx_up", "1 while the link to the PBX is up.", func() float64 {
			if p.link.status().State == string(link.Up) {
				return 1
			}
			return 0
		}),
		contract.Counter("pbx_sessions_total", "Logins to the PBX.", func() float64 { return float64(p.link.status().sessions) }),
		contract.Counter("pbx_malformed_total", "Messages of the PBX that could not be read.", func() float64 { return float64(p.link.status().malformed) }),
	}
}
