package repair_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// clock is a clock that is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// workshop is a Repair with a real loop, a real store and a CEL file.
type workshop struct {
	t      *testing.T
	db     *store.DB
	file   string
	clock  *clock
	log    *slog.Logger
	find   repair.Find
	repair *repair.Repair
	stop   func()
}

// began is when the call of the capture began.
func began() time.Time { return time.Date(2026, 11, 22, 16, 49, 0, 0, time.UTC) }

func newWorkshop(t *testing.T, now time.Time) *workshop {
	return &workshop{t: t, db: newStore(t), file: filepath.Join(t.TempDir(), "cel.csv"), clock: &clock{at: now}, log: slog.New(slog.DiscardHandler)}
}

func (w *workshop) start() {
	w.t.Helper()
	loop := ingest.New(ingest.Options{Rules: rules(), Store: w.db, Log: w.log})
	s := open(w.t, backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.CSV, Path: w.file})
	w.repair = repair.New(repair.Options{Sources: []repair.Source{s}, Rules: rules(), Store: w.db, Improve: loop.Improve, Find: w.find, Now: w.clock.now, Log: w.log,
		Delay: time.Millisecond, Late: time.Hour})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := loop.Run(ctx); err != nil {
			w.t.Error(err)
		}
	})
	running.Go(func() { w.repair.Run(ctx) })
	w.stop = func() { cancel(); running.Wait() }
	w.t.Cleanup(w.stop)
}

func (w *workshop) writes(n int) {
	w.t.Helper()
	if err := os.WriteFile(w.file, []byte(calls(w.t, "in-answered", backfill.CEL, n)), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// health is how the repair does.
func (w *workshop) health() contract.Health {
	var h contract.Health
	w.repair.Health(w.t.Context(), &h)
	return h
}

func (w *workshop) warned(code string) bool {
	h := w.health()
	return h.Warned(code)
}

// until moves the clock on, a bit at a time, until something is so.
func (w *workshop) until(what string, is func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !is(); <-tick.C {
		if time.Now().After(deadline) {
			w.t.Fatalf("never: %s; %+v", what, w.health())
		}
		w.clock.set(w.clock.now().Add(10 * time.Millisecond))
	}
}

func (w *workshop) records() int {
	w.t.Helper()
	all, more, err := w.db.Records(w.t.Context(), store.Query{Limit: 1000})
	if err != nil || more {
		w.t.Fatalf("count the records: more than %d (%v)", len(all), err)
	}
	return len(all)
}

func (w *workshop) count(n int) func() bool {
	return func() bool {
		return w.records() == n
	}
}

// runs tells whether the repair has begun, as it notes on the disk.
func (w *workshop) runs() bool {
	at, err := w.db.Mark(w.t.Context(), "alive")
	return err == nil && !at.IsZero()
}

// heard is a log that knows whether something was said.
type heard struct {
	of  string
	yet atomic.Bool
}

func (h *heard) Write(line []byte) (int, error) {
	if strings.Contains(string(line), h.of) {
		h.yet.Store(true)
	}
	return len(line), nil
}

// TestDaily: without any gap, the last two days are read once a day; and what
// was before voipd's first start is left to import.
func TestDaily(t *testing.T) {
	first := began().Add(10 * time.Minute)
	w := newWorkshop(t, first)
	w.writes(20) // a call a minute
	w.start()
	w.until("it runs", w.runs)
	w.clock.set(w.clock.now().Add(24 * time.Hour))
	w.until("calls are told", func() bool { return w.records() > 0 })
	list := all(t, w.db)
	if oldest := list[len(list)-1].Details.EndedAt; len(list) >= 20 || oldest.Before(first.Add(-2*time.Minute)) {
		t.Errorf("%d calls are told, the oldest ended at %v", len(list), oldest)
	}
}

// TestNotRunning: the time in which voipd did not run is a gap of its own.
func TestNotRunning(t *testing.T) {
	w := newWorkshop(t, began().Add(-time.Hour))
	w.start()
	w.until("it runs", w.runs)
	w.stop()
	w.writes(1)
	w.clock.set(began().Add(100 * 24 * time.Hour))
	w.start()
	w.until("the gap is open", func() bool { return w.health().Repair.OpenGaps == 1 })
	w.repair.Saw(record.Event{At: w.clock.now(), Kind: record.SnapshotEnded})
	w.until("the call is told", w.count(1))
	w.until("the gap is repaired", func() bool { return w.health().Repair.OpenGaps == 0 })
}

// TestStoppedAtOnce: a voipd that is stopped while it starts for the first time
// has run: what comes before it is started again was missed.
func TestStoppedAtOnce(t *testing.T) {
	w := newWorkshop(t, began().Add(-time.Minute))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	repair.New(repair.Options{Store: w.db, Now: w.clock.now, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
	w.writes(1)
	w.clock.set(began().Add(time.Hour))
	w.start()
	w.until("the call is told", w.count(1))
}

// TestDiskFailsAtStart: how long voipd did not run is noted as soon as it can
// be.
func TestDiskFailsAtStart(t *testing.T) {
	w := newWorkshop(t, began().Add(-time.Hour))
	w.start()
	w.until("it runs", w.runs)
	w.stop()
	w.writes(1)
	w.clock.set(began().Add(100 * 24 * time.Hour))
	raw, err := sql.Open("sqlite3", w.db.Path())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.Exec(`CREATE TRIGGER failing BEFORE INSERT ON gaps BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`); err != nil {
		t.Fatal(err)
	}
	log := &heard{of: "cannot note how long voipd did not run, will try again"}
	w.log = slog.New(slog.NewTextHandler(log, nil))
	w.start()
	w.until("it is told", log.yet.Load)
	if _, err := raw.Exec(`DROP TRIGGER failing`); err != nil {
		t.Fatal(err)
	}
	w.until("the gap is open", func() bool { return w.health().Repair.OpenGaps == 1 })
	w.repair.Saw(record.Event{At: w.clock.now(), Kind: record.SnapshotEnded})
	w.until("the call is told", w.count(1))
}

// TestSourceFails: what cannot be read is told, kept over a restart, and made
// good once it can be read.
func TestSourceFails(t *testing.T) {
	w := newWorkshop(t, began().Add(-time.Hour))
	w.start()
	w.repair.Saw(record.Event{At: began(), Kind: record.Gapped, Value: "the link to the PBX was down"})
	w.repair.Saw(record.Event{At: began().Add(time.Minute), Kind: record.SnapshotEnded})
	w.until("the source is told to fail", func() bool { return w.warned("backfill-unreadable") })
	w.stop()
	w.start()
	w.until("the gap is open", func() bool { return w.health().Repair.OpenGaps >= 1 })
	w.writes(1)
	w.until("the call is told", w.count(1))
	w.until("the source is well", func() bool { return !w.warned("backfill-unreadable") && !w.health().Repair.Last.IsZero() })
}

// TestRecordingsAreLookedFor: with the ids of all channels of a call, but not
// for a call that is kept as who watched it told it; where they cannot be looked
// for, that is told, and the calls are told all the same.
func TestRecordingsAreLookedFor(t *testing.T) {
	w := newWorkshop(t, began().Add(-time.Hour))
	w.writes(2)
	whole := live(t, "whole") // the first of the two
	if err := w.db.Commit(t.Context(), batch(whole)); err != nil {
		t.Fatal(err)
	}
	var broken atomic.Bool
	broken.Store(true)
	w.find = func(_ context.Context, calls []repair.Call) error {
		for _, c := range calls {
			if c.Record.CallID == whole.CallID || len(c.Channels) != 2 || c.Channels[0] != c.Record.CallID {
				t.Errorf("looked for the recordings of %s by %q", c.Record.CallID, c.Channels)
			}
			if !broken.Load() {
				c.Record.Details.Recordings = append(c.Record.Details.Recordings, record.Recording{ID: "x", Path: "/m/x.wav", At: c.Record.Details.EndedAt, State: record.Announced, Found: true})
			}
		}
		if broken.Load() {
			return errors.New("the folder is not there")
		}
		return nil
	}
	w.start()
	look := func() {
		w.repair.Saw(record.Event{At: began(), Kind: record.Gapped, Value: "the link to the PBX was down"})
		w.repair.Saw(record.Event{At: began().Add(3 * time.Minute), Kind: record.SnapshotEnded})
	}
	look()
	w.until("the call is told", w.count(2))
	w.until("that it cannot be looked for is told", func() bool { return w.warned("recordings-unreadable") })
	w.until("the gap is repaired", func() bool { return w.health().Repair.OpenGaps == 0 })
	broken.Store(false)
	look()
	w.until("it is found later", func() bool {
		n := 0
		for _, r := range all(t, w.db) {
			for _, rec := range r.Details.Recordings {
				if rec.Found && r.CallID != whole.CallID {
					n++
				}
			}
		}
		return n == 1
	})
	w.until("it is told that it can be looked for", func() bool { return !w.warned("recordings-unreadable") })
}

// TestImportBesideADaemon: another writer of the same database only waits; what
// does not get its turn in time is tried again, as the loop does.
func TestImportBesideADaemon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voipd.db")
	daemon, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer daemon.Close()
	importer, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer importer.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		pace := time.NewTicker(2 * time.Millisecond)
		defer pace.Stop()
		for ; ctx.Err() == nil; <-pace.C {
			e := record.Event{At: began(), Kind: record.Created, Channel: record.Channel{ID: "live"}}
			err := daemon.Commit(t.Context(), &store.Batch{Journal: []store.Entry{{CallID: "live", Event: e}}})
			if err != nil && store.TroubleOf(err) != store.Locked {
				t.Error(err)
			}
		}
	})
	n := imported(t, repair.ImportOptions{Source: source(t, backfill.CEL, calls(t, "in-answered", backfill.CEL, many)), Rules: rules(), Store: importer})
	cancel()
	writing.Wait()
	if n.New != many || len(all(t, daemon)) != many {
		t.Errorf("imported %+v, kept %d", n, len(all(t, daemon)))
	}
}

// counted is a source without calls that counts how often it is read.
type counted struct{ read atomic.Int64 }

func (c *counted) Name() string { return "cel" }

func (c *counted) Records(context.Context, record.Rules, backfill.Span, func(backfill.Part) error) (backfill.Stats, error) {
	c.read.Add(1)
	return backfill.Stats{}, nil
}

// TestManyGaps: a link that breaks 500 times in an hour costs a few readings.
func TestManyGaps(t *testing.T) {
	w, source := newWorkshop(t, began()), &counted{}
	w.repair = repair.New(repair.Options{Sources: []repair.Source{source}, Rules: rules(), Store: w.db, Now: w.clock.now, Log: w.log, Delay: time.Millisecond, Late: 24 * time.Hour})
	for i := range 500 {
		at := began().Add(time.Duration(i) * 7 * time.Second)
		w.repair.Saw(record.Event{At: at, Kind: record.Gapped, Value: "the link was down"})
		w.repair.Saw(record.Event{At: at.Add(time.Second), Kind: record.SnapshotEnded})
	}
	w.clock.set(began().Add(time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.repair.Run(ctx) })
	defer running.Wait()
	defer cancel()
	w.until("it runs", w.runs)
	w.until("all gaps are repaired", func() bool {
		gaps, err := w.db.Gaps(ctx)
		return err == nil && len(gaps) == 0 && source.read.Load() > 0
	})
	if n := source.read.Load(); n > 10 {
		t.Errorf("500 gaps were read in %d readings", n)
	}
}
