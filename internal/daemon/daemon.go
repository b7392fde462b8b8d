// Package daemon puts voipd together: it turns the configuration into each
// package's options and wires them. It is the only one that knows everybody.
package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/originate"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Options are what does not stand in the configuration.
type Options struct {
	Version  string
	Log      *slog.Logger
	OnChange func([]record.Change) // told what was decided, once it is on the disk; must not block; may be nil
	// ClockApart is by how much the PBX's clock may differ before health warns,
	// 0 is five seconds; so far it also runs ahead without having been set, as
	// that of a fake PBX does whose time is faster than ours.
	ClockApart time.Duration
	Settle     time.Duration // how long after a gap CEL and CDR are read; 0 is half a minute
	Refused    time.Duration // how long after a refused login the next is tried; 0 is a minute
	Bound      int           // how many facts may wait to be written; 0 is 100,000
	Tap        store.Tap     // told of each step of writing; may be nil
}

// Daemon is voipd. Make one with New, then Run it once.
type Daemon struct {
	opt      Options
	config   config.Config
	started  time.Time
	store    *store.DB
	link     link
	loop     *ingest.Loop
	lag      prometheus.Histogram // from a fact's arrival to the disk
	sources  []*backfill.Source
	repair   *repair.Repair
	webhooks *webhook.Worker
	halt     chan struct{} // closed when voipd stops: live streams end
	watch    *recording.Watch
	listener net.Listener
	server   *http.Server
	signer   recording.Signer
	convert  *convert.Transcoder
	ready    sync.Once

	rules   record.Rules
	roster  *roster
	rebuild rebuild
	desk    *originate.Desk
	clock   pbxClock
}

// New opens the store and the API's port, and takes up the calls that were
// open at the last stop. It does not connect to the PBX yet. What fails here is
// told in one line.
func New(ctx context.Context, c config.Config, opt Options) (*Daemon, error) {
	d := &Daemon{opt: opt, config: c, started: time.Now().UTC(), halt: make(chan struct{}), lag: newLag()}
	closeAll := func(err error) (*Daemon, error) {
		if d.listener != nil {
			err = errors.Join(err, d.listener.Close())
		}
		if d.store != nil {
			err = errors.Join(err, closeSources(d.sources), d.store.Close())
		}
		return nil, err
	}
	rules, err := Rules(c)
	if err != nil {
		return closeAll(err)
	}
	d.rules, d.roster = rules, newRoster(opt.Log)
	if err := d.openStore(ctx); err != nil {
		return closeAll(err)
	}
	if err := d.listen(); err != nil {
		return closeAll(err)
	}
	d.clock.apart = opt.ClockApart
	if err := errors.Join(d.clock.resume(ctx, d.store), d.newRepair(rules), d.newWebhooks(ctx)); err != nil {
		return closeAll(err)
	}
	d.loop = ingest.New(ingest.Options{Rules: rules, Store: d.store, Bound: opt.Bound, Resync: d.resync, Plan: webhook.Plan, Publish: d.publish,
		Saw: d.repair.Saw, Lag: func(late time.Duration) { d.lag.Observe(late.Seconds()) }, Log: opt.Log})
	if err := d.loop.Boot(ctx); err != nil {
		return closeAll(err)
	}
	if d.link, err = d.newLink(rules); err != nil {
		return closeAll(err)
	}
	d.desk = d.newDesk()
	key, err := d.store.Secret(ctx, "links")
	if err != nil {
		return closeAll(err)
	}
	d.signer = recording.Signer{Key: key, Base: d.BaseURL(), TTL: c.Recordings.LinkTTL}
	library := recording.New(directories(c))
	d.watch = &recording.Watch{Library: library, Store: d.store, GiveUp: c.Recordings.GiveUp, Tell: d.loop.Put, Now: time.Now, Log: opt.Log}
	d.convert = newTranscoder(ctx, c, library, opt.Log)
	d.server = newServer(opt.Log, api.New(api.Options{
		Records: d.store, Library: library, Transcoder: d.convert, Tokens: tokens(c), Health: d.health, Metrics: d.metrics(), Now: time.Now, Log: opt.Log,
		Members: d.members, Place: d.desk.Call, End: d.endCall, Hosts: hosts(c), Origins: c.HTTP.Origins, Version: opt.Version, Signer: d.signer, Changes: d.store, Live: d.loop.Live, Halt: d.halt,
	}))
	return d, nil
}

// maxConnections is how many clients may be connected; one more waits until
// another leaves, at the latest after the minute that an idle one may stay.
const maxConnections = 4096

// newServer bounds what a client may take: time for its headers, their size,
// and idle connections. An answer may take as long as a long recording over a
// slow line.
func newServer(log *slog.Logger, h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Hour,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// listen opens the API's port, with TLS where there is a certificate.
func (d *Daemon) listen() error {
	l, err := net.Listen("tcp", d.config.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("listen for the API (http.listen): %w", err)
	}
	d.listener = netutil.LimitListener(l, maxConnections)
	if d.config.HTTP.TLSCertFile == "" {
		return nil
	}
	c, err := newCertificate(d.config.HTTP.TLSCertFile, d.config.HTTP.TLSKeyFile, d.opt.Log)
	if err != nil {
		return err
	}
	d.listener = tls.NewListener(d.listener, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get})
	return nil
}

// Addr is where the API listens.
func (d *Daemon) Addr() string { return d.listener.Addr().String() }

// BaseURL is how others reach the API.
func (d *Daemon) BaseURL() string {
	if d.config.HTTP.BaseURL != "" {
		return trimSlash(d.config.HTTP.BaseURL)
	}
	if d.config.HTTP.TLSCertFile != "" {
		return "https://" + d.Addr()
	}
	return "http://" + d.Addr()
}

func trimSlash(s string) string {
	for len(s) > 0 && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}

// stopWithin bounds an orderly stop; systemd kills what takes longer.
const stopWithin = 4 * time.Second

// Run keeps records until ctx ends, then stops in order: the PBX first, so that
// nothing new comes, then the loop, which writes what still waits, then the
// API. It returns nil after an orderly stop.
func (d *Daemon) Run(ctx context.Context) error {
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	loopCtx, stopLoop := context.WithCancel(work)
	failed := make(chan error, 2)
	var loop, others sync.WaitGroup
	loop.Go(func() { failed <- d.loop.Run(loopCtx) })
	linkCtx, stopLink := context.WithCancel(work)
	var pbx sync.WaitGroup
	pbx.Go(func() { _ = d.link.Run(linkCtx) }) // it ends only because it was told to
	pbx.Go(func() { d.roster.run(linkCtx, d.link) })
	others.Go(func() { d.watch.Run(work) })
	others.Go(func() { d.notify(work) })
	others.Go(func() { d.repair.Run(work) })
	others.Go(func() { d.prune(work) })
	others.Go(d.convert.Prepare)
	others.Go(func() { d.guard(work) })
	others.Go(func() { d.keepClock(work) })
	others.Go(func() { d.webhooks.Run(work) })
	others.Go(func() {
		if err := d.server.Serve(d.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve the API: %w", err)
		}
	})
	d.opt.Log.Info("voipd runs", "version", d.opt.Version, "api", d.BaseURL(), "store", d.store.Path())

	var err error
	select {
	case <-ctx.Done():
		d.opt.Log.Info("stopping")
	case err = <-failed:
	}
	d.stopping()
	stopLink()
	pbx.Wait()
	stopLoop()
	loop.Wait()
	close(d.halt)
	d.convert.Close()
	shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if shutErr := d.server.Shutdown(shut); shutErr != nil {
		_ = d.server.Close() // a download that goes on is cut
	}
	stopWork()
	others.Wait()
	return errors.Join(err, drained(failed), closeSources(d.sources), d.store.Close())
}

// drained is the error, if any, with which the loop stopped.
func drained(failed chan error) error {
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// resync: facts were lost inside voipd, so the PBX is asked for its channels.
func (d *Daemon) resync() { d.link.Resync() }

// Link is a link to a recording, as the API gives it.
func (d *Daemon) Link(callID, id string) string {
	link, _ := d.signer.Link(callID, id, time.Now())
	return link
}
