// Package retention drops what is older than the configuration wants to keep:
// traces, changes, records, and the audio of recordings.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Store is what a Pruner needs of a database: a [store.Retention].
type Store interface {
	PruneTraces(ctx context.Context, before time.Time) (int64, error)
	PruneQuarantine(ctx context.Context, before time.Time) (int64, error)
	PruneChanges(ctx context.Context, before, parkedBefore time.Time) (int64, error)
	CountOld(ctx context.Context, before time.Time) (int64, error)
	CountAll(context.Context) (int64, error)
	PruneRecords(ctx context.Context, before time.Time) (int, error)
	OldRecordings(ctx context.Context, before time.Time, after store.RecordingFile, limit int) ([]store.RecordingFile, error)
	RecordingsErased(ctx context.Context, list []store.RecordingFile, files int) error
}

// Options of a Pruner. Store, Library, Converted and Log are needed; a zero
// duration keeps for ever.
type Options struct {
	Store       Store
	Library     *recording.Library
	Converted   func(path string) error // deletes what was converted of a recording
	Sweep       func() error            // drops converted recordings that nobody asks for
	KeepTraces  time.Duration
	KeepChanges time.Duration
	KeepRecords time.Duration
	KeepAudio   time.Duration
	// InDoubt tells by how much the PBX's clock differs from ours, and 0 where that
	// is little: nothing of calls is dropped while a clock is in doubt. Nil: never.
	InDoubt func() time.Duration
	Log     *slog.Logger
}

// Pruner drops what is too old. Make one with [New], then Run it once.
type Pruner struct {
	opt Options

	mu   sync.Mutex
	held string // why records or audio are not dropped; empty: they are
}

// New makes a Pruner.
func New(opt Options) *Pruner { return &Pruner{opt: opt} }

// pruneEvery is how often what is too old is dropped.
const pruneEvery = time.Hour

// keepParked is how long events that an app refused can still be sent again.
const keepParked = 90 * 24 * time.Hour

// Run drops what is older than the configuration wants: at once, then every
// hour until ctx ends.
func (p *Pruner) Run(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		p.Prune(ctx, time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Prune drops what is too old at that time. Run calls it.
func (p *Pruner) Prune(ctx context.Context, now time.Time) {
	if err := p.opt.Sweep(); err != nil {
		p.opt.Log.Error("cannot drop what is too old", "what", "converted recordings", "error", err)
	}
	n, err := p.opt.Store.PruneTraces(ctx, now.Add(-p.opt.KeepTraces))
	p.pruned(ctx, "traces", n, err)
	n, err = p.opt.Store.PruneQuarantine(ctx, now.Add(-p.opt.KeepTraces))
	p.pruned(ctx, "facts set aside", n, err)
	n, err = p.opt.Store.PruneChanges(ctx, now.Add(-p.opt.KeepChanges), now.Add(-max(p.opt.KeepChanges, keepParked)))
	p.pruned(ctx, "changes", n, err)
	if !p.may(ctx, now) {
		return
	}
	if keep := p.opt.KeepAudio; keep > 0 {
		if p.opt.KeepRecords > 0 {
			keep = min(keep, p.opt.KeepRecords) // nobody would know of audio whose record is gone
		}
		p.pruneAudio(ctx, now.Add(-keep))
	}
	if p.opt.KeepRecords > 0 {
		n, err := p.opt.Store.PruneRecords(ctx, now.Add(-p.opt.KeepRecords))
		p.pruned(ctx, "records", int64(n), err)
	}
}

const (
	// clockDoubt is by how much the PBX's clock may differ from ours for calls to be
	// dropped by their times.
	clockDoubt = time.Hour
	// mostShare is the share of all records that may be dropped at once, and fewRecords
	// how many may be in any case. More looks like a wrong clock or a slip of the pen.
	mostShare, fewRecords = 0.25, 10_000
)

// may tells whether records and audio may be dropped now; health says why not.
func (p *Pruner) may(ctx context.Context, now time.Time) bool {
	why := ""
	if p.opt.KeepRecords > 0 || p.opt.KeepAudio > 0 {
		why = p.doubt(ctx, now)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if why != "" && why != p.held {
		p.opt.Log.Error("old records and audio are kept", "reason", why)
	}
	p.held = why
	return why == ""
}

// doubt is why nothing of calls should be dropped; empty: nothing is.
func (p *Pruner) doubt(ctx context.Context, now time.Time) string {
	if p.opt.InDoubt != nil {
		if by := p.opt.InDoubt(); by > clockDoubt {
			return fmt.Sprintf("the PBX's clock and this machine's differ by %s: set them right", by.Round(time.Minute))
		}
	}
	if p.opt.KeepRecords == 0 {
		return ""
	}
	old, err := p.opt.Store.CountOld(ctx, now.Add(-p.opt.KeepRecords))
	all := old
	if err == nil && old > fewRecords { // seldom: counting all of them takes long
		all, err = p.opt.Store.CountAll(ctx)
	}
	switch {
	case err != nil:
		return "they cannot be counted: " + err.Error()
	case old > fewRecords && float64(old) > mostShare*float64(all):
		return fmt.Sprintf("store.keep_records would drop %d of %d records at once: check it and the clock, then run voipd prune --yes", old, all)
	}
	return ""
}

// Health adds why old records are kept. Any goroutine may call it.
func (p *Pruner) Health(_ context.Context, h *contract.Health) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held != "" {
		h.Warn("retention-waits", "old records and audio are kept: "+p.held)
	}
}

func (p *Pruner) pruned(ctx context.Context, what string, n int64, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		p.opt.Log.Error("cannot drop what is too old", "what", what, "error", err)
	case n > 0:
		p.opt.Log.Info("dropped what is too old", "what", what, "count", n)
	}
}

// audioStep is how many audio files are deleted before that is noted: a kill in
// between finds them gone, which is noted the next time.
const audioStep = 100

// stillExpected is how long after its time was up a file is still looked for that
// was never there: a folder of the network, or a job that moves files, may be
// behind. One that comes later is left on the disk.
const stillExpected = 30 * 24 * time.Hour

// pruneAudio deletes the audio of calls before a time.
func (p *Pruner) pruneAudio(ctx context.Context, before time.Time) {
	var after store.RecordingFile
	for ctx.Err() == nil {
		list, err := p.opt.Store.OldRecordings(ctx, before, after, audioStep)
		if err != nil || len(list) == 0 {
			p.pruned(ctx, "recordings", 0, err)
			return
		}
		after = list[len(list)-1]
		var done []store.RecordingFile
		files := 0
		for _, u := range list {
			n, err := p.opt.Library.Remove(u.Path)
			files += n
			gone := errors.Is(err, recording.ErrGone)
			if err == nil || gone {
				err = p.opt.Converted(u.Path)
			}
			if err != nil {
				p.opt.Log.Warn("cannot delete an old recording, will try again in an hour", "call", u.CallID, "path", u.Path, "error", err)
				continue
			}
			if gone && u.State != record.Ready && u.At.After(before.Add(-stillExpected)) {
				continue // it was never there, and may yet come
			}
			done = append(done, u)
		}
		if len(done) > 0 {
			p.pruned(ctx, "recordings", int64(files), p.opt.Store.RecordingsErased(ctx, done, files))
		}
	}
}
