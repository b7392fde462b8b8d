package repair

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Source is where CEL or CDR is read.
type Source interface {
	Name() string
	Records(context.Context, record.Rules, backfill.Span, func(backfill.Part) error) (backfill.Stats, error)
}

// ImportStore is what an Import needs of a database.
type ImportStore interface {
	Marks
	Ranks
	Quarantine
	Judge(context.Context, record.Record) (v record.Verdict, better record.Record, doubles []string, err error)
	Commit(context.Context, *store.Batch) error
}

// ImportOptions are those of one Import.
type ImportOptions struct {
	Source Source
	Rules  record.Rules
	Store  ImportStore
	Span   backfill.Span
	// Resume goes on from where the last import of the source with Resume came
	// to. Span is then not bounded.
	Resume bool
	DryRun bool // nothing is written
	// Progress is told after each step how far the import is; may be nil.
	Progress func(Imported)
	// Find looks for recordings that CEL and CDR do not know; may be nil.
	Find Find
	// Leapt knows when the PBX's clock was set: calls in which it was are
	// approximate.
	Leapt Leapt
	// Check looks at the recordings of a record before it is written, so that
	// those of old calls are no news later; may be nil.
	Check func(*record.Record)
}

// Imported is what an import did so far.
type Imported struct {
	backfill.Stats
	Calls               int            // records that were told
	Approximate         map[string]int // of the new and the replaced, how many are approximate, by why; one may have several reasons
	New, Replaced, Kept int            // what became of them
	From, At            time.Time      // where it began, zero: at the first row; up to where everything is told
	Unfound             string         // why recordings could not be looked for, the first time; empty: they could
	Share               float64        // how much of the source is read, roughly: 0 to 1
}

// Import reads a source into the store. It may be stopped at any moment; done
// again or twice, it changes nothing more. The daemon may run meanwhile: each
// step is one short transaction.
func Import(ctx context.Context, o ImportOptions) (Imported, error) {
	var n Imported
	mark := "import " + o.Source.Name()
	if o.Resume {
		at, err := o.Store.Mark(ctx, mark)
		if err != nil {
			return n, err
		}
		o.Span, n.At = backfill.Span{From: at}, at
	}
	n.From = o.Span.From
	stats, err := o.Source.Records(ctx, o.Rules, o.Span, func(p backfill.Part) error {
		n.Stats, n.Share = p.Stats, p.Share
		if err := o.keep(ctx, &n, p); err != nil {
			return err
		}
		if p.Before.After(n.At) {
			n.At = p.Before
			if o.Resume && !o.DryRun {
				if err := o.Store.SetMark(ctx, mark, n.At); err != nil {
					return err
				}
			}
		}
		if o.Progress != nil {
			o.Progress(n)
		}
		return ctx.Err()
	})
	n.Stats = stats
	return n, err
}

// doubts counts why a record is approximate.
func (n *Imported) doubts(why []string) {
	for _, w := range why {
		if n.Approximate == nil {
			n.Approximate = map[string]int{}
		}
		n.Approximate[w]++
	}
}

// keep judges records and writes the better ones in one transaction.
func (o *ImportOptions) keep(ctx context.Context, n *Imported, p backfill.Part) error {
	b := &store.Batch{}
	if !o.DryRun {
		if err := setAside(ctx, o.Store, o.Source, p, time.Now()); err != nil {
			return err
		}
	}
	o.Leapt.doubt(p.Records)
	var searched search
	if err := o.Find.in(ctx, o.Store, p, &searched); err != nil {
		return fmt.Errorf("import calls: %w", err)
	}
	n.Unfound = cmp.Or(n.Unfound, searched.failed)
	for _, r := range p.Records {
		n.Calls++
		verdict, better, _, err := o.Store.Judge(ctx, r)
		if err != nil {
			return fmt.Errorf("import call %s: %w", r.CallID, err)
		}
		switch verdict {
		case record.Add:
			n.New++
		case record.Replace:
			n.Replaced++
		default:
			n.Kept++
			continue
		}
		n.doubts(better.Details.Approximate)
		if o.Check != nil {
			o.Check(&better)
		}
		b.Put(better)
	}
	if o.DryRun || b.Empty() {
		return nil
	}
	return o.Store.Commit(ctx, b)
}
