package repair

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// RebuildOptions of a Rebuild. All fields are needed.
type RebuildOptions struct {
	Store   *store.DB
	Rules   func() record.Rules                // those that hold now
	Sources func() ([]*backfill.Source, error) // opens CEL and CDR; Rebuild closes them
	Find    Find
	Leapt   Leapt
	Check   func(*record.Record) // states of the recordings of calls long over
	// MoreTime is called before a stop that takes longer than voipd's usual ones.
	MoreTime func(time.Duration)
	Log      *slog.Logger
}

// Rebuild notices while voipd runs that the database is damaged, begins a new
// one in its place, and takes the records of the past into it: from the damaged
// file, then from CEL and CDR. Make one with [NewRebuild], then Run it once.
type Rebuild struct {
	opt  RebuildOptions
	past sync.Mutex // held until the calls that the repair could tell again are there

	mu    sync.Mutex
	from  string // the damaged file; empty: nothing is rebuilt
	saved string // where the database was saved whose file was replaced; empty: it was not
}

// NewRebuild makes a Rebuild, and takes up one that an earlier run did not
// finish.
func NewRebuild(ctx context.Context, opt RebuildOptions) (*Rebuild, error) {
	r := &Rebuild{opt: opt}
	return r, r.begin(ctx)
}

// Wait waits until the calls of the last days are in the new database: what was
// told before the damage is not told again.
func (r *Rebuild) Wait() {
	r.past.Lock()
	defer r.past.Unlock()
}

func (r *Rebuild) set(from string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.from = from
}

// file is the damaged file that is read; empty: none.
func (r *Rebuild) file() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.from
}

// LogDamage logs what became of a damaged database.
func LogDamage(log *slog.Logger, d *store.Damage) {
	log.Error("the database is damaged: it was moved aside and a new one begun; records come back from it as far as it can be read, and from CEL and CDR",
		"moved_to", d.File, "damage", d.Why, "saved", d.Saved)
}

// begin makes Run rebuild, and Wait wait for it, where there is something to
// rebuild.
func (r *Rebuild) begin(ctx context.Context) error {
	until, err := r.opt.Store.Mark(ctx, store.RebuildMark)
	if err != nil || until.IsZero() || r.file() != "" {
		return err
	}
	if err := Lost(ctx, r.opt.Store, until); err != nil {
		return err
	}
	path := r.opt.Store.Path()
	if all := store.Aside(path); len(all) > 0 {
		path = all[len(all)-1]
	} // else the admin took the damaged file away: there is CEL still
	r.past.Lock()
	r.set(path)
	return nil
}

// damageEvery is how often Run asks whether SQLite met damage.
const damageEvery = time.Second

// Run replaces a database that turns out to be damaged, and rebuilds it, until
// ctx ends.
func (r *Rebuild) Run(ctx context.Context) {
	tick := time.NewTicker(damageEvery)
	defer tick.Stop()
	for {
		if file := r.file(); file != "" {
			r.refill(ctx, file)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			r.saveAtStop(ctx)
			return
		}
		r.saveReplaced(ctx)
		if r.opt.Store.Damage() == "" {
			continue
		}
		damage, err := r.opt.Store.Renew(ctx)
		if err == nil && damage != nil {
			LogDamage(r.opt.Log, damage)
			err = r.begin(ctx)
		}
		if err != nil && ctx.Err() == nil {
			r.opt.Log.Error("cannot begin a new database in the place of the damaged one, will try again", "error", err)
		}
	}
}

// Metrics are read when somebody asks for them.
func (r *Rebuild) Metrics() []prometheus.Collector {
	return []prometheus.Collector{
		contract.Gauge("store_bytes", "Size of the database's file.", func() float64 { n, _ := r.opt.Store.Sizes(); return float64(n) }),
		contract.Gauge("store_wal_bytes", "Size of the log beside the database.", func() float64 { _, n := r.opt.Store.Sizes(); return float64(n) }),
	}
}

// Health adds what is wrong with the database's file.
func (r *Rebuild) Health(ctx context.Context, h *contract.Health) {
	if err := r.opt.Store.Ping(ctx); err != nil && h.Store.OK {
		h.Store.OK, h.Store.Error = false, err.Error()
		h.Fail("the database cannot be read: " + err.Error())
	}
	if err := r.opt.Store.Replaced(); err != nil {
		h.Store.OK, h.Store.Error = false, err.Error()
		h.Fail(fmt.Sprintf("%v. What voipd has is saved in %s, and again when it stops: stop voipd, put the latest of these in the place of %s, and start it", err, r.savedIn(), r.opt.Store.Path()))
	}
	if why := r.opt.Store.Damage(); why != "" {
		if !h.Warned(string(store.Damaged)) {
			h.Warn(string(store.Damaged), "the database is damaged: "+store.Damaged.Do())
		}
		h.Fail("the database is damaged: " + why)
	}
	if r.file() != "" {
		h.Warn("store-rebuilding", "records of the past are being taken from the damaged database, CEL and CDR")
	}
	if all := store.Aside(r.opt.Store.Path()); len(all) > 0 {
		h.Warn("store-moved-aside", "the database was found damaged and moved aside: "+strings.Join(all, ", ")+
			"; check the disk, and delete these files once nothing in them is needed any more")
	}
}

// saveReplaced saves the database, once, when its file was deleted or replaced.
func (r *Rebuild) saveReplaced(ctx context.Context) {
	if r.opt.Store.Replaced() == nil || r.savedIn() != "" {
		return
	}
	r.save(ctx)
}

// saveAtStop saves what came since then.
func (r *Rebuild) saveAtStop(ctx context.Context) {
	if r.opt.Store.Replaced() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
	defer cancel()
	r.opt.MoreTime(saveWithin)
	r.save(ctx)
}

// saveWithin is how long saving may take when voipd stops.
// A gigabyte takes some ten seconds.
const saveWithin = time.Minute

func (r *Rebuild) save(ctx context.Context) {
	file := r.opt.Store.Path() + ".saved-" + time.Now().UTC().Format("20060102T150405.000")
	err := r.opt.Store.Save(ctx, file)
	if err != nil {
		r.opt.Log.Error("the database's file was deleted or replaced, and what voipd has cannot be saved", "error", err)
		return
	}
	r.opt.Log.Error("the database's file was deleted or replaced; what voipd has is saved", "into", file)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved = file
}

// savedIn is where the database was saved last; empty: it was not.
func (r *Rebuild) savedIn() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.saved
}

// recent is which part of the past is rebuilt first: what the repair reads.
const recent = 72 * time.Hour

// refill takes the past from the damaged database, then from CEL and CDR. It
// tells nobody: it was told.
func (r *Rebuild) refill(ctx context.Context, file string) {
	free := sync.OnceFunc(r.past.Unlock)
	defer free()
	saved, err := r.opt.Store.Rescue(ctx, damaged(r.opt.Store.Path(), file)...)
	if err != nil && ctx.Err() == nil {
		r.opt.Log.Error("calls that were forgotten may have come back from a damaged database; voipd forget erases them again", "error", err)
	}
	until, err := r.opt.Store.Mark(ctx, store.RebuildMark)
	if err == nil {
		err = r.fromSources(ctx, until, backfill.Span{From: until.Add(-recent), To: until})
	}
	free()
	if err == nil {
		err = r.fromSources(ctx, until, backfill.Span{To: until.Add(-recent)})
	}
	if ctx.Err() != nil {
		return // the mark is there: the next start goes on
	}
	r.set("")
	if err != nil {
		r.opt.Log.Error("the past was not all taken from CEL and CDR; voipd import does it again", "error", err)
	}
	r.opt.Log.Info("rebuilt what was kept before the damage", "from", file, "saved", saved)
	if err := r.opt.Store.ClearMark(ctx, store.RebuildMark); err != nil {
		r.opt.Log.Error("cannot note that the database is rebuilt; the next start does it again, which changes nothing more", "error", err)
	}
}

// damaged are the files to take the past from, first the one that was moved aside
// last: an earlier one has calls whose rebuilding was cut, or that the later file
// has lost.
func damaged(path, latest string) []string {
	out := []string{latest}
	all := store.Aside(path)
	slices.Reverse(all)
	for _, file := range all {
		if file != latest {
			out = append(out, file)
		}
	}
	return out
}

// fromSources imports the calls of a span that ended before a moment.
func (r *Rebuild) fromSources(ctx context.Context, until time.Time, span backfill.Span) error {
	sources, err := r.opt.Sources()
	if err != nil {
		return err
	}
	defer func() { _ = CloseSources(sources) }() // they were only read
	for _, s := range sources {
		n, err := Import(ctx, ImportOptions{Source: endedBefore{s, until}, Rules: r.opt.Rules(), Store: r.opt.Store, Span: span,
			Find: r.opt.Find, Leapt: r.opt.Leapt, Check: r.opt.Check})
		if err != nil {
			return fmt.Errorf("rebuild from %s: %w", s.Name(), err)
		}
		r.opt.Log.Info("took calls of the past", "source", s.Name(), "new", n.New, "replaced", n.Replaced)
		if n.Unfound != "" {
			r.opt.Log.Warn("not every recording of calls of the past could be looked for", "error", n.Unfound)
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
	Source
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

// CloseSources closes what was opened.
func CloseSources(sources []*backfill.Source) error {
	var all []error
	for _, s := range sources {
		all = append(all, s.Close())
	}
	return errors.Join(all...)
}
