package daemon

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// rebuild is the making good of a damaged database in the background.
type rebuild struct {
	mu    sync.Mutex // held until the calls that the repair could tell again are there
	state sync.Mutex
	from  string // the damaged file; empty: nothing is rebuilt
}

// wait waits until what was told before is there again.
func (r *rebuild) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
}

func (r *rebuild) set(from string) {
	r.state.Lock()
	defer r.state.Unlock()
	r.from = from
}

func (r *rebuild) get() string {
	r.state.Lock()
	defer r.state.Unlock()
	return r.from
}

// openStore opens the database, or a new one where it is damaged.
func (d *Daemon) openStore(ctx context.Context) error {
	db, damage, err := store.OpenSound(ctx, d.config.Store.Path, store.Tapped(d.opt.Tap))
	if err != nil {
		return err
	}
	d.store = db
	if damage != nil {
		d.damaged(damage)
	}
	return d.startRebuild(ctx)
}

func (d *Daemon) damaged(damage *store.Damage) {
	d.opt.Log.Error("the database is damaged: it was moved aside and a new one begun; records come back from it as far as it can be read, and from CEL and CDR",
		"moved_to", damage.File, "damage", damage.Why, "saved", damage.Saved)
}

// startRebuild makes guard rebuild, and the repair wait for it, where there is
// something to rebuild.
func (d *Daemon) startRebuild(ctx context.Context) error {
	until, err := d.store.Mark(ctx, store.RebuildMark)
	if err != nil || until.IsZero() || d.rebuild.get() != "" {
		return err
	}
	if err := repair.Lost(ctx, d.store, until); err != nil {
		return err
	}
	all := store.Aside(d.config.Store.Path)
	if len(all) == 0 {
		all = []string{d.config.Store.Path} // the admin took it away: there is CEL still
	}
	d.rebuild.mu.Lock()
	d.rebuild.set(all[len(all)-1])
	return nil
}

// guardEvery is how often it is looked whether SQLite met damage.
const guardEvery = time.Second

// guard puts a new database in the place of one that turns out to be damaged,
// and rebuilds it.
func (d *Daemon) guard(ctx context.Context) {
	tick := time.NewTicker(guardEvery)
	defer tick.Stop()
	for {
		if file := d.rebuild.get(); file != "" {
			d.refill(ctx, file)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if d.store.Damage() == "" {
			continue
		}
		damage, err := d.store.Renew(ctx)
		if err == nil && damage != nil {
			d.damaged(damage)
			err = d.startRebuild(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.opt.Log.Error("cannot begin a new database in the place of the damaged one, will try again", "error", err)
		}
	}
}

// recent is which part of the past is rebuilt first: what the repair reads.
const recent = 72 * time.Hour

// refill takes the past from the damaged database, then from CEL and CDR. It
// tells nobody: it was told.
func (d *Daemon) refill(ctx context.Context, file string) {
	free := sync.OnceFunc(d.rebuild.mu.Unlock)
	defer free()
	saved := d.store.Rescue(ctx, file)
	until, err := d.store.Mark(ctx, store.RebuildMark)
	if err == nil {
		err = d.fromSources(ctx, until, backfill.Span{From: until.Add(-recent), To: until})
	}
	free()
	if err == nil {
		err = d.fromSources(ctx, until, backfill.Span{To: until.Add(-recent)})
	}
	if ctx.Err() != nil {
		return // the mark is there: the next start goes on
	}
	d.rebuild.set("")
	if err != nil {
		d.opt.Log.Error("the past was not all taken from CEL and CDR; voipd import does it again", "error", err)
	}
	d.opt.Log.Info("rebuilt what was kept before the damage", "from", file, "saved", saved)
	if err := d.store.ClearMark(ctx, store.RebuildMark); err != nil {
		d.opt.Log.Error("cannot note that the database is rebuilt; the next start does it again, which changes nothing more", "error", err)
	}
}

// fromSources imports the calls of a span that ended before a moment.
func (d *Daemon) fromSources(ctx context.Context, until time.Time, span backfill.Span) error {
	sources, err := Sources(d.config)
	if err != nil {
		return err
	}
	defer func() { _ = closeSources(sources) }() // they were only read
	for _, s := range sources {
		n, err := repair.Import(ctx, repair.ImportOptions{Source: endedBefore{s, until}, Rules: d.rules, Store: d.store, Span: span,
			Find: Find(d.config), Leapt: d.clock.wasSet, Settle: Settle(d.config, time.Now)})
		if err != nil {
			return fmt.Errorf("rebuild from %s: %w", s.Name(), err)
		}
		d.opt.Log.Info("took calls of the past", "source", s.Name(), "new", n.New, "replaced", n.Replaced)
		if n.Unfound != "" {
			d.opt.Log.Warn("not every recording of calls of the past could be looked for", "error", n.Unfound)
		}
	}
	return nil
}

// sameEnd is how much later than AMI CEL may have the end of a call: some
// milliseconds in the captures.
const sameEnd = 50 * time.Millisecond

// endedBefore is a source without the calls that ended later: the repair tells
// those, and with them the outside.
type endedBefore struct {
	repair.Source
	until time.Time
}

func (s endedBefore) Records(ctx context.Context, rules record.Rules, span backfill.Span, each func(backfill.Part) error) (backfill.Stats, error) {
	return s.Source.Records(ctx, rules, span, func(p backfill.Part) error {
		early := make([]record.Record, 0, len(p.Records))
		for _, r := range p.Records {
			if !r.Details.EndedAt.After(s.until.Add(sameEnd)) {
				early = append(early, r)
			}
		}
		p.Records = early
		return each(p)
	})
}

// slowAfter is how long a write may take before health tells of it.
const slowAfter = 2 * time.Second

// storeHealth adds what is wrong with the disk.
func (d *Daemon) storeHealth(h *contract.Health, stats ingest.Stats) {
	warn := func(code, text string) { h.Warnings = append(h.Warnings, contract.Warning{Code: code, Text: text}) }
	if t := stats.Trouble; t != "" {
		warn(string(t), fmt.Sprintf("records cannot be written: %s. Up to %d facts wait in memory; then further ones are refused and a gap is marked", t.Do(), stats.Bound))
	}
	if !stats.Writing.IsZero() && time.Since(stats.Writing) > slowAfter && stats.Trouble == "" || stats.CommitTook > slowAfter {
		warn("store-slow", fmt.Sprintf("writing takes long (the last time %s); look what else uses the disk", stats.CommitTook.Round(time.Millisecond)))
	}
	if why := d.store.Damage(); why != "" && stats.Trouble != store.Damaged {
		warn(string(store.Damaged), "the database is damaged: "+store.Damaged.Do())
		h.Problems = append(h.Problems, "the database is damaged: "+why)
	}
	if d.rebuild.get() != "" {
		warn("store-rebuilding", "records of the past are being taken from the damaged database, CEL and CDR")
	}
	if all := store.Aside(d.store.Path()); len(all) > 0 {
		warn("store-moved-aside", "the database was found damaged and moved aside: "+strings.Join(all, ", ")+
			"; look after the disk, and delete these files once nothing in them is needed any more")
	}
}
