package daemon

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/store"
)

// Sources opens the configured places of CEL and CDR: CEL, which tells more,
// first. The caller closes them.
func Sources(c config.Config) ([]*backfill.Source, error) {
	var out []*backfill.Source
	for _, b := range c.Backfill {
		s, err := openSource(b)
		if err != nil {
			return nil, errors.Join(err, repair.CloseSources(out))
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b *backfill.Source) int { return rankKind(a) - rankKind(b) })
	return out, nil
}

// openSource opens one place of CEL or CDR; the loader has checked it.
func openSource(b config.Backfill) (*backfill.Source, error) {
	zone, err := b.Location()
	if err != nil {
		return nil, fmt.Errorf("read the zone of %s: %w", b.Name, err)
	}
	return backfill.Open(backfill.SourceOptions{Name: b.Name, Kind: b.Kind, Driver: b.Driver, Path: b.Path, DSN: b.DSN.Reveal(), Table: b.Table, Names: b.Columns,
		Layout: b.Layout, Zone: zone})
}

func rankKind(s *backfill.Source) int {
	if s.Kind() == backfill.CEL {
		return 0
	}
	return 1
}

// Find gives what finds recordings on the disk by their names.
func Find(c config.Config) repair.Find {
	library := Library(c)
	return func(ctx context.Context, calls []repair.Call) error {
		list := make([]recording.Call, len(calls))
		for i, c := range calls {
			list[i] = recording.Call{Record: c.Record, IDs: c.Channels}
		}
		return library.Find(ctx, list)
	}
}

// Library is the configuration's folders of recordings.
func Library(c config.Config) *recording.Library { return recording.New(directories(c)) }

// ClockLeaps tells when the PBX's clock was set, as far as an earlier run has
// seen and kept it.
func ClockLeaps(ctx context.Context, db *store.DB) (repair.Leapt, error) {
	c, err := pbx.ResumeClock(ctx, storedClock{db}, 0)
	if err != nil {
		return nil, err
	}
	return c.WasSet, nil
}

// storedClock keeps the comparison of the clocks in the database.
type storedClock struct{ db *store.DB }

func (s storedClock) Clock(ctx context.Context) (pbx.ClockMark, []pbx.ClockLeap, error) {
	m, stored, err := s.db.Clock(ctx)
	leaps := make([]pbx.ClockLeap, len(stored))
	for i, l := range stored {
		leaps[i] = pbx.ClockLeap(l)
	}
	return pbx.ClockMark(m), leaps, err
}

func (s storedClock) SetClock(ctx context.Context, m pbx.ClockMark, leaps []pbx.ClockLeap) error {
	var stored []store.ClockLeap
	for _, l := range leaps {
		stored = append(stored, store.ClockLeap(l))
	}
	return s.db.SetClock(ctx, store.ClockMark(m), stored)
}
