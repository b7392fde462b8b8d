package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
)

// Place is what the configuration says of one place of CEL or CDR; the loader
// has checked it.
func Place(b config.Backfill) (backfill.Place, error) {
	zone, err := b.Location()
	if err != nil {
		return backfill.Place{}, fmt.Errorf("read the zone of %s: %w", b.Name, err)
	}
	return backfill.Place{Name: b.Name, Kind: b.Kind, Driver: b.Driver, Path: b.Path, DSN: b.DSN.Reveal(), Table: b.Table, Names: b.Columns,
		Layout: b.Layout, Zone: zone}, nil
}

// Sources opens the configured places of CEL and CDR: CEL, which tells more,
// first.
func Sources(c config.Config) ([]*backfill.Source, error) {
	var out []*backfill.Source
	for _, b := range c.Backfill {
		p, err := Place(b)
		if err != nil {
			return nil, errors.Join(err, closeSources(out))
		}
		s, err := backfill.Open(p)
		if err != nil {
			return nil, errors.Join(err, closeSources(out))
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b *backfill.Source) int { return rankKind(a) - rankKind(b) })
	return out, nil
}

func rankKind(s *backfill.Source) int {
	if s.Kind() == backfill.CEL {
		return 0
	}
	return 1
}

func closeSources(sources []*backfill.Source) error {
	var all []error
	for _, s := range sources {
		all = append(all, s.Close())
	}
	return errors.Join(all...)
}

// newRepair makes what reads CEL and CDR for what was missed.
func (d *Daemon) newRepair(rules record.Rules) (err error) {
	if d.sources, err = Sources(d.config); err != nil {
		return err
	}
	// A link that is dead is noticed so late; clocks may differ by the rest.
	margin := 2*time.Minute + d.config.Asterisk.PingEvery + d.config.Asterisk.Deadline
	opt := repair.Options{Rules: rules, Store: d.store, Settle: d.opt.Settle, Margin: margin, Off: d.clock.off, Leapt: d.clock.wasSet, Sets: d.clock.sets,
		Find: Find(d.config), Log: d.opt.Log,
		Improve: func(ctx context.Context, records []record.Record) (ingest.Improved, error) {
			d.rebuild.wait() // what was told before the damage is not told again
			return d.loop.Improve(ctx, records)
		}}
	for _, s := range d.sources {
		opt.Sources = append(opt.Sources, s)
	}
	d.repair = repair.New(opt)
	return nil
}

// publish tells what was decided.
func (d *Daemon) publish(changes []record.Change) {
	d.repair.Told(changes)
	if d.opt.OnChange != nil {
		d.opt.OnChange(changes)
	}
}

// repairHealth adds how the repair does.
func (d *Daemon) repairHealth(h *contract.Health) {
	if len(d.sources) == 0 {
		return
	}
	r := d.repair.Health()
	h.Repair = &contract.RepairHealth{Last: r.Last, OpenGaps: r.Open, Since: r.Since}
	for _, name := range slices.Sorted(maps.Keys(r.Failed)) {
		h.Warnings = append(h.Warnings, contract.Warning{Code: "backfill-unreadable",
			Text: fmt.Sprintf("[[backfill]] %s cannot be read, so what was missed stays missing or approximate: %s", name, r.Failed[name])})
	}
	if r.Unfound != "" {
		h.Warnings = append(h.Warnings, contract.Warning{Code: "recordings-unreadable",
			Text: "the recordings of calls that were missed cannot be looked for everywhere, so some may be without theirs: " + r.Unfound})
	}
}

// Find gives what finds recordings on the disk by their names.
func Find(c config.Config) repair.Find {
	library := recording.New(directories(c))
	return func(ctx context.Context, told []repair.Call) error {
		calls := make([]recording.Call, len(told))
		for i, t := range told {
			calls[i] = recording.Call{Record: t.Record, IDs: t.Channels}
		}
		return library.Find(ctx, calls)
	}
}

// long is how long after a call its recordings are what they will be.
const long = time.Hour

// Settle gives what says of the recordings of a call long over how they are,
// so that nobody waits for their files.
func Settle(c config.Config, now func() time.Time) func(*record.Record) {
	library := recording.New(directories(c))
	return func(r *record.Record) {
		if now().Sub(r.Details.EndedAt) < long {
			return
		}
		for _, rec := range slices.Clone(r.Details.Recordings) {
			if rec.State == record.Announced {
				r.SettleRecording(rec.ID, examine(library, rec.Path))
			}
		}
	}
}

func examine(library *recording.Library, path string) record.FileFact {
	gone := record.FileFact{State: record.Gone}
	f, err := library.Open(path)
	if err != nil {
		return gone
	}
	defer f.Close()
	audio, err := recording.Examine(f.Name, f, f.Info.Size())
	if err != nil {
		return gone
	}
	fact := record.FileFact{State: record.Ready, Bytes: f.Info.Size(), Audio: audio.Length.Round(time.Millisecond)}
	if audio.Empty {
		fact.State = record.Empty
	}
	return fact
}
