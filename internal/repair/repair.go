package repair

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Store is what a Repair needs of a database: a [store.GapList], and from the
// records which of them is as good as what CEL and CDR say.
type Store interface {
	Marks
	Ranks
	Quarantine
	AddGap(context.Context, store.Gap) error
	CloseGaps(ctx context.Context, at time.Time) error
	Gaps(context.Context) ([]store.Gap, error)
	GapRepaired(ctx context.Context, id int64, at time.Time) error
}

// Marks keeps moments to go on from.
type Marks interface {
	Mark(ctx context.Context, name string) (time.Time, error)
	SetMark(ctx context.Context, name string, at time.Time) error
}

// Quarantine keeps facts that could not be applied.
type Quarantine interface {
	SetFactAside(ctx context.Context, q store.Quarantine, now time.Time) error
}

// Ranks compares a record that CEL or CDR tells with the kept one.
type Ranks interface {
	Outranked(ctx context.Context, r *record.Record) (outranked, whole bool, err error)
}

// Options of a Repair. Zero durations are the defaults.
type Options struct {
	Sources []Source // those that tell more first: CEL before CDR
	Rules   record.Rules
	Store   Store
	// Improve takes records that were read; it is the loop's.
	Improve func(context.Context, []record.Record) (ingest.Improved, error)
	// Find looks for recordings that CEL and CDR do not know; nil: none are
	// looked for.
	Find Find
	// Delay is how long after a gap, or after a call of which too little was
	// seen, its rows are waited for. Default 30 s.
	Delay time.Duration
	// Late is when they are read once more: cdr.conf may write in batches, of
	// five minutes by default. Default 10 min.
	Late time.Duration
	// Margin is how much is read before and behind each stretch: how long it
	// takes to notice that a link is dead, and by how much clocks may differ.
	// Default 2 min.
	Margin time.Duration
	// Off is by how much the PBX's clock differed from ours, at the most; nil:
	// it does not. So much more is read, as what is written tells its clock.
	Off func() time.Duration
	// Leapt knows when the PBX's clock was set: calls in which it was are
	// approximate.
	Leapt Leapt
	// Sets is how often the PBX's clock was set so far; nil: never.
	Sets func() int
	Now  func() time.Time
	Log  *slog.Logger
}

const (
	// daily is how often the last two days are read whether there was a gap or
	// not.
	daily, lookBack = 24 * time.Hour, 48 * time.Hour
	// together is how near two stretches are read as one.
	together = 10 * time.Minute
	// retryLast bounds the wait after a source that could not be read.
	retryLast = 10 * time.Minute
)

// Repair reads CEL and CDR for what was missed. Make one with New, then Run it.
type Repair struct {
	opt Options

	begun   time.Time      // when this run began; zero: it did not
	unbegun string         // why that is not on the disk
	first   time.Time      // when voipd ran for the first time
	written time.Time      // when it was last written that voipd runs
	daily   time.Time      // when the last two days were last asked for
	asked   map[int64]bool // gaps whose reading is asked for
	listed  time.Time      // when the PBX last listed its channels, by its clock; zero: there was a gap since
	sets    int            // how often its clock had been set then

	rules atomic.Pointer[record.Rules]

	mu     sync.Mutex
	wanted []wanted
	news   []record.Event // gaps that are not on the disk yet
	wake   chan struct{}
	health health
}

// wanted is a stretch of time that is to be read.
type wanted struct {
	span backfill.Span
	due  time.Time
	by   time.Time // it is not put off beyond
	late bool      // it was read before, or is not read twice
	gaps []int64   // the gaps that are repaired by it
	bad  int       // how often a source could not be read for it
}

// New makes a Repair.
func New(o Options) *Repair {
	o.Delay, o.Late, o.Margin = cmp.Or(o.Delay, 30*time.Second), cmp.Or(o.Late, 10*time.Minute), cmp.Or(o.Margin, 2*time.Minute)
	if o.Off == nil {
		o.Off = func() time.Duration { return 0 }
	}
	if o.Sets == nil {
		o.Sets = func() int { return 0 }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	r := &Repair{opt: o, wake: make(chan struct{}, 1), health: health{failed: map[string]string{}}}
	r.SetRules(o.Rules)
	return r
}

// SetRules makes these the rules of what is read from now on. Any goroutine may
// call it.
func (r *Repair) SetRules(rules record.Rules) { r.rules.Store(&rules) }

// Saw takes in a gap, or the end of a list of channels, which ends gaps. It
// never blocks.
func (r *Repair) Saw(e record.Event) {
	r.mu.Lock()
	r.news = append(r.news, e)
	r.mu.Unlock()
	r.stir()
}

// Told takes in what was decided: a call of which too little was seen is read
// once it is over. It never blocks.
func (r *Repair) Told(changes []record.Change) {
	if len(r.opt.Sources) == 0 {
		return
	}
	for _, c := range changes {
		if c.Kind == record.RecordRevised || c.Record == nil || len(c.Record.Details.Approximate) == 0 {
			continue
		}
		d := c.Record.Details
		r.want(wanted{span: backfill.Span{From: d.StartedAt, To: d.EndedAt}, due: r.opt.Now().Add(r.opt.Delay)})
	}
}

// want adds a stretch, or widens one that is near and puts it off a little, up
// to together, so that many calls, or many gaps, cost one reading.
func (r *Repair) want(w wanted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.wanted {
		have := &r.wanted[i]
		if have.late != w.late || (len(have.gaps) > 0) != (len(w.gaps) > 0) || w.due.After(have.by) ||
			!have.span.Wide(together).Touches(w.span.From, w.span.To) {
			continue
		}
		if w.span.From.Before(have.span.From) {
			have.span.From = w.span.From
		}
		if w.span.To.After(have.span.To) {
			have.span.To = w.span.To
		}
		have.due, have.bad, have.gaps = w.due, max(have.bad, w.bad), append(have.gaps, w.gaps...)
		return
	}
	w.by = w.due.Add(together)
	r.wanted = append(r.wanted, w)
}

func (r *Repair) stir() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// tick is how often it is checked whether something is due.
const tick = time.Second

// Run reads what is due until ctx ends.
func (r *Repair) Run(ctx context.Context) {
	t := time.NewTicker(min(tick, r.opt.Delay))
	defer t.Stop()
	for begun := false; ; {
		if begun = begun || r.begin(ctx); begun {
			r.step(ctx)
		}
		select {
		case <-t.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
	}
}

func (r *Repair) step(ctx context.Context) {
	r.gaps(ctx)
	r.alive(ctx)
	if len(r.opt.Sources) == 0 {
		return
	}
	for _, w := range r.due() {
		r.read(ctx, w)
	}
}

// due takes out what is due now.
func (r *Repair) due() []wanted {
	now := r.opt.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []wanted
	r.wanted = slices.DeleteFunc(r.wanted, func(w wanted) bool {
		if w.due.After(now) {
			return false
		}
		out = append(out, w)
		return true
	})
	return out
}

// read reads one stretch from every source.
func (r *Repair) read(ctx context.Context, w wanted) {
	span, whole := w.span.Wide(r.opt.Margin+r.opt.Off()), true
	if r.opt.Sets() == r.sets {
		span.Listed = r.listed
	}
	var searched search
	for _, s := range r.opt.Sources {
		n, err := r.from(ctx, s, span, &searched)
		if ctx.Err() != nil {
			return // the gap is on the disk, and the next start reads two days
		}
		r.note(s.Name(), err)
		if err != nil {
			whole = false
			continue
		}
		if n.New+n.Better > 0 {
			r.opt.Log.Info("told what was missed", "source", s.Name(), "from", span.From, "to", span.To, "new", n.New, "corrected", n.Better)
		}
	}
	r.noteFound(searched)
	now := r.opt.Now()
	if !whole {
		w.due = now.Add(min(r.opt.Delay<<min(w.bad, 10), retryLast))
		w.bad++
		r.want(w)
		return
	}
	r.mu.Lock()
	r.health.last = now
	r.mu.Unlock()
	for _, id := range w.gaps {
		if err := r.opt.Store.GapRepaired(ctx, id, now); err != nil {
			r.opt.Log.Error("cannot note that a gap is repaired; it will be read again at the next start", "error", err)
		}
	}
	if !w.late {
		r.want(wanted{span: w.span, due: now.Add(r.opt.Late), late: true})
	}
}

func (r *Repair) from(ctx context.Context, s Source, span backfill.Span, searched *search) (sum ingest.Improved, err error) {
	_, err = s.Records(ctx, *r.rules.Load(), span, func(p backfill.Part) error {
		if err := setAside(ctx, r.opt.Store, s, p, r.opt.Now()); err != nil || len(p.Records) == 0 {
			return err
		}
		r.opt.Leapt.doubt(p.Records)
		if err := r.opt.Find.in(ctx, r.opt.Store, p, searched); err != nil {
			return fmt.Errorf("keep what %s tells: %w", s.Name(), err)
		}
		n, err := r.opt.Improve(ctx, p.Records)
		sum.New, sum.Better, sum.Kept = sum.New+n.New, sum.Better+n.Better, sum.Kept+n.Kept
		if err != nil {
			return fmt.Errorf("keep what %s tells: %w", s.Name(), err)
		}
		return nil
	})
	return sum, err
}

// setAside puts the facts that could not be applied into the quarantine.
func setAside(ctx context.Context, db Quarantine, s Source, p backfill.Part, now time.Time) error {
	for i := range p.Bad {
		bad := &p.Bad[i]
		q := store.Quarantine{CallID: cmp.Or(bad.Fact.Channel.Linked, bad.Fact.Channel.ID, bad.Fact.Peer.Linked, s.Name()), Fact: &bad.Fact,
			Reason: "read from " + s.Name() + ": " + bad.Panic.Error(), Stack: string(bad.Panic.Stack)}
		if err := db.SetFactAside(ctx, q, now); err != nil {
			return err
		}
	}
	return nil
}

// note keeps whether a source could be read, and logs when that changes.
func (r *Repair) note(source string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, failed := r.health.failed[source]
	switch {
	case err == nil && failed:
		delete(r.health.failed, source)
		r.opt.Log.Info("a source of CEL or CDR can be read again", "source", source)
	case err != nil:
		r.health.failed[source] = err.Error()
		if before != err.Error() {
			r.opt.Log.Warn("a source of CEL or CDR cannot be read; what was missed waits for it", "source", source, "error", err)
		}
	}
}

// noteFound keeps whether recordings could be looked for, and logs when that
// changes.
func (r *Repair) noteFound(s search) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !s.searched {
		return
	}
	if s.failed != "" && s.failed != r.health.unfound {
		r.opt.Log.Warn("not every recording of calls that were missed could be looked for", "error", s.failed)
	}
	r.health.unfound = s.failed
}
