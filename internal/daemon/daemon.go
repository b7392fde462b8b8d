// Package daemon puts voipd together: it turns the configuration into each
// package's options and wires the parts. It knows every package; nothing else
// is in it.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/internal/retention"
	"github.com/voipd/voipd/internal/systemd"
	"github.com/voipd/voipd/internal/web"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Options are what does not stand in the configuration.
type Options struct {
	Version  string
	Log      *slog.Logger
	OnChange func([]record.Change) // called with what was decided, once it is on the disk; must not block; may be nil
	// ClockApart is by how much the PBX's clock may differ before health warns,
	// and run ahead without having been set; 0 is five seconds. A fake PBX whose
	// time is faster than ours needs more.
	ClockApart  time.Duration
	RepairDelay time.Duration      // how long after a gap CEL and CDR are read; 0 is half a minute
	Refused     time.Duration      // how long after a refused login the next is tried; 0 is a minute
	ShipGather  time.Duration      // how long a change waits for others on its way to the centre, and the first wait after a failure; 0 is a second
	Bound       int                // how many facts may wait to be written; 0 is 100,000
	Tap         store.Tap          // called at each step of writing; may be nil
	Fault       func(record.Event) // for tests: called before each fact is applied, and may panic; may be nil
}

// Daemon is voipd. Make one with New, then Run it once.
type Daemon struct {
	opt      Options
	config   config.Config
	started  time.Time
	parts    lifecycle
	registry *prometheus.Registry // of the parts' metrics

	learn    sync.Mutex // held while the rules change
	rules    atomic.Pointer[record.Rules]
	known    pbx.Known // what the PBX shows; d.learn is held
	store    *store.DB
	server   *api.Server
	api      *api.API
	library  *recording.Library
	signer   recording.Signer
	signIn   []byte // the key of links that sign in
	clock    *pbx.Clock
	rebuild  *repair.Rebuild
	repair   *repair.Repair
	webhooks *webhook.Worker
	convert  *convert.Transcoder
	loop     *ingest.Loop
	pbx      *pbx.PBX
	notifier *systemd.Notifier
}

// New opens the store and the API's port. It does not connect to the PBX yet. What fails here is one
// line for the admin.
func New(ctx context.Context, c config.Config, opt Options) (*Daemon, error) {
	d := &Daemon{opt: opt, config: c, started: time.Now().UTC(), library: recording.New(directories(c)), registry: prometheus.NewRegistry()}
	err := d.parts.open(ctx, []func(context.Context) error{
		d.openRules, d.openLock, d.openStore, d.openPort, d.openRepair, d.openWebhooks, d.openCentre, d.openRecordings, d.openLoop, d.openAPI, d.openPBX,
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Run keeps records until ctx ends, then stops the parts in reverse: the PBX
// first, so that nothing new comes, then the loop, which writes what still
// waits, then the API and the rest. It returns nil after an orderly stop.
func (d *Daemon) Run(ctx context.Context) error {
	d.opt.Log.Info("voipd runs", "version", d.opt.Version, "api", d.BaseURL(), "store", d.store.Path())
	return d.parts.run(ctx, func() {
		d.opt.Log.Info("stopping")
		d.notifier.Stopping()
	})
}

// Addr is the host:port at which the API listens.
func (d *Daemon) Addr() string { return d.server.Addr() }

// BaseURL is the address by which others reach the API.
func (d *Daemon) BaseURL() string {
	if d.config.HTTP.BaseURL != "" {
		return strings.TrimRight(d.config.HTTP.BaseURL, "/")
	}
	return d.server.URL()
}

// Link is a link to a recording, as the API gives it.
func (d *Daemon) Link(callID, id string) string {
	link, _ := d.signer.Link(callID, id, time.Now())
	return link
}

func (d *Daemon) openRules(context.Context) error {
	rules, err := numbers.Rules(d.config)
	d.rules.Store(&rules)
	return err
}

// openLock takes the database before anything is opened: a second voipd with
// the same configuration must not touch it.
func (d *Daemon) openLock(context.Context) error {
	lock, err := store.Own(d.config.Store.Path, "voipd serve")
	if err != nil {
		return err
	}
	d.parts.add(part{name: "lock", close: lock.Unlock})
	return nil
}

// openStore opens the database, or a new one where it is damaged.
func (d *Daemon) openStore(ctx context.Context) error {
	moved := progress{log: d.opt.Log}
	opened := systemd.Opening(moved.line, d.opt.Log)
	db, damage, err := store.OpenSound(ctx, d.config.Store.Path, store.Tapped(d.opt.Tap), store.Moving(moved.put))
	opened()
	if err != nil {
		return err
	}
	d.store = db
	d.parts.add(part{name: "store", close: db.Close})
	if damage != nil {
		repair.LogDamage(d.opt.Log, damage)
	}
	if d.known, err = kept(ctx, db); err != nil {
		return err
	}
	rules := with(*d.rules.Load(), d.known)
	d.rules.Store(&rules)
	d.rebuild, err = repair.NewRebuild(ctx, repair.RebuildOptions{Store: db, Rules: func() record.Rules { return *d.rules.Load() }, Find: Find(d.config), Log: d.opt.Log,
		Sources:  func() ([]*backfill.Source, error) { return Sources(d.config) },
		Leapt:    func(from, to time.Time) bool { return d.clock.WasSet(from, to) },
		Check:    func(r *record.Record) { d.library.CheckOld(r, time.Now()) },
		MoreTime: func(by time.Duration) { d.notifier.MoreTime(by) }})
	if err != nil {
		return err
	}
	d.parts.add(part{name: "rebuild", run: forever(d.rebuild.Run), health: d.rebuild.Health, metrics: d.rebuild.Metrics})
	d.clock, err = pbx.ResumeClock(ctx, storedClock{db}, d.opt.ClockApart)
	return err
}

func (d *Daemon) openPort(context.Context) (err error) {
	d.server, err = api.Listen(api.ServerOptions{Listen: d.config.HTTP.Listen, CertFile: d.config.HTTP.TLSCertFile, KeyFile: d.config.HTTP.TLSKeyFile, Log: d.opt.Log})
	if err == nil {
		d.parts.add(part{name: "port", close: d.server.Close})
	}
	return err
}

// openRepair makes what reads CEL and CDR for what was missed.
func (d *Daemon) openRepair(context.Context) error {
	sources, err := Sources(d.config)
	if err != nil {
		return err
	}
	d.parts.add(part{name: "CEL and CDR", close: func() error { return repair.CloseSources(sources) }})
	opt := repair.Options{Rules: *d.rules.Load(), Store: d.store, Delay: d.opt.RepairDelay, Margin: repairMargin(d.config),
		Off: d.clock.Off, Leapt: d.clock.WasSet, Sets: d.clock.Sets, Find: Find(d.config), Log: d.opt.Log,
		Improve: func(ctx context.Context, records []record.Record) (ingest.Improved, error) {
			d.rebuild.Wait()
			return d.loop.Improve(ctx, records)
		}}
	for _, s := range sources {
		opt.Sources = append(opt.Sources, s)
	}
	d.repair = repair.New(opt)
	d.parts.add(part{name: "repair", run: forever(d.repair.Run), health: d.repair.Health})
	return nil
}

// openWebhooks makes what delivers events, and lets the store write them for it.
func (d *Daemon) openWebhooks(ctx context.Context) error {
	endpoints, err := Endpoints(d.config)
	if err != nil {
		return err
	}
	d.webhooks, err = webhook.New(ctx, webhook.Options{Store: d.store, Endpoints: endpoints, Log: d.opt.Log})
	if err != nil {
		return err
	}
	d.parts.add(part{name: "webhooks", run: forever(d.webhooks.Run), health: d.webhooks.Health, metrics: d.webhooks.Metrics})
	return nil
}

// openRecordings makes what follows the audio files, and what drops what is too
// old, audio among it.
func (d *Daemon) openRecordings(ctx context.Context) error {
	key, err := d.store.Secret(ctx, "links")
	if err != nil {
		return err
	}
	d.signer = recording.Signer{Key: key, Base: d.BaseURL(), TTL: d.config.Recordings.LinkTTL}
	watch := &recording.Watch{Library: d.library, Store: d.store, GiveUp: d.config.Recordings.GiveUp, Now: time.Now, Log: d.opt.Log,
		Tell: func(e record.Event) { d.loop.Put(e) }}
	d.parts.add(part{name: "recordings", run: forever(watch.Run)})
	set := convert.Settings{Converter: d.config.Recordings.Converter, Dir: d.config.CacheDir, Keep: int64(d.config.Recordings.CacheMiB) << 20}
	d.convert = convert.Start(ctx, set, d.library, d.opt.Log)
	keep := d.config.Store
	pruner := retention.New(retention.Options{Store: d.store, Library: d.library, Sweep: d.convert.Sweep, Converted: set.Forget,
		KeepTraces: keep.KeepTraces, KeepChanges: keep.KeepChanges, KeepRecords: keep.KeepRecords, KeepAudio: d.config.Recordings.Keep, InDoubt: d.clock.Off, Log: d.opt.Log})
	d.parts.add(part{name: "retention", run: forever(pruner.Run), health: pruner.Health})
	return nil
}

// openLoop makes the loop.
func (d *Daemon) openLoop(context.Context) error {
	d.loop = ingest.New(ingest.Options{Rules: *d.rules.Load(), Store: d.store, Bound: d.opt.Bound, Plan: webhook.Plan, Fault: d.opt.Fault, Log: d.opt.Log,
		Resync: func() { d.pbx.Resync() },
		Saw:    d.repair.Saw,
		Publish: func(changes []record.Change) {
			d.repair.Told(changes)
			if d.opt.OnChange != nil {
				d.opt.OnChange(changes)
			}
		}})
	return nil
}

// openAPI makes the API and what tells systemd. The parts behind it stop first.
func (d *Daemon) openAPI(ctx context.Context) error {
	page, err := web.New()
	if err != nil {
		return err
	}
	if d.signIn, err = d.store.Secret(ctx, SignInSecret); err != nil {
		return err
	}
	halt := make(chan struct{})
	d.api = api.New(api.Options{
		Records: d.store, Library: d.library, Transcoder: d.convert, Tokens: tokens(d.config), Health: d.health, Metrics: d.registry, Now: time.Now, Log: d.opt.Log,
		Members: func(ctx context.Context) []contract.Member { return d.pbx.Members(ctx) },
		Originate: func(ctx context.Context, token, src, dst string) (string, error) {
			return d.pbx.Call(ctx, token, src, dst)
		},
		Hangup: func(ctx context.Context, token, callID string) error { return d.pbx.Hangup(ctx, token, callID) },
		Hosts:  hosts(d.config), Origins: d.config.HTTP.Origins, Version: d.opt.Version, Signer: d.signer, LinkKey: d.store.LinkKey, Changes: d.store, Answers: d.store, CallBacks: d.store, Figures: d.store, Facts: d.store, Webhooks: d.webhooks, Live: d.loop.Live, Halt: halt,
		Away: func() time.Time { return d.pbx.Away() }, FromHost: d.config.HTTP.BaseURL == "", Zone: zone(d.config),
		Page: page, SignInKey: d.signIn,
	})
	d.parts.add(part{name: "converter", run: forever(func(ctx context.Context) { d.convert.Prepare(); <-ctx.Done() })})
	d.parts.add(part{name: "API", run: func(ctx context.Context) error {
		return d.server.Run(ctx, d.api, func() { close(halt); d.convert.Close() })
	}, metrics: processMetrics})
	d.notifier = &systemd.Notifier{Status: d.statusLine, Alive: d.loop.Alive, Log: d.opt.Log,
		Starting: func() bool { return d.loop.Stats().Booting }}
	d.parts.add(part{name: "systemd", run: forever(d.notifier.Run)})
	return nil
}

// openPBX makes the PBX. The loop and the PBX are the last parts, so that they
// stop first.
func (d *Daemon) openPBX(ctx context.Context) error {
	d.parts.add(part{name: "loop", run: d.loop.Run, health: d.loop.Health, metrics: d.loop.Metrics})
	opt, err := PBXOptions(d.config, *d.rules.Load())
	if err != nil {
		return err
	}
	opt.Refused, opt.Clock, opt.ClockStore, opt.Handle, opt.OnUp, opt.Log = d.opt.Refused, d.clock, storedClock{d.store}, d.loop.Put, d.notifier.Ready, d.opt.Log
	opt.OnPause = d.loop.Flush
	opt.Known, opt.OnKnown = d.known, func(k pbx.Known) { d.learns(ctx, k) }
	opt.Live = func() []record.Live { open, _ := d.loop.Live(); return open }
	if d.pbx, err = pbx.New(opt); err != nil {
		return err
	}
	d.parts.add(part{name: "PBX", run: d.pbx.Run, health: d.pbx.Health, metrics: d.pbx.Metrics})
	d.parts.metrics(d.registry)
	return nil
}

// forever makes a part's run of a function that ends only with ctx.
func forever(run func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error { run(ctx); return nil }
}

func processMetrics() []prometheus.Collector {
	return []prometheus.Collector{collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})}
}

// health joins what the parts say.
func (d *Daemon) health(ctx context.Context) contract.Health {
	h := contract.Health{Status: contract.OK, Version: d.opt.Version, StartedAt: d.started}
	d.parts.health(ctx, &h)
	return h
}

func (d *Daemon) statusLine() string {
	state, reason := d.pbx.State()
	stats := d.loop.Stats()
	line := fmt.Sprintf("PBX %s, %d calls open, %d records written", state, stats.OpenCalls, stats.Records)
	if reason != "" {
		line += " (" + reason + ")"
	}
	return line
}
