package daemon

import (
	"context"
	"errors"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/store"
)

// pruneEvery is how often what is too old is dropped.
const pruneEvery = time.Hour

// prune drops what is older than the configuration wants: at once, then every
// hour.
func (d *Daemon) prune(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		d.pruneNow(ctx, time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *Daemon) pruneNow(ctx context.Context, now time.Time) {
	if err := d.convert.Sweep(); err != nil {
		d.opt.Log.Error("cannot drop what is too old", "what", "converted recordings", "error", err)
	}
	keep := d.config.Store
	n, err := d.store.PruneTraces(ctx, now.Add(-keep.KeepTraces))
	d.pruned(ctx, "traces", n, err)
	n, err = d.store.PruneChanges(ctx, now.Add(-keep.KeepChanges))
	d.pruned(ctx, "changes", n, err)
	if d.config.Recordings.Keep > 0 {
		d.pruneAudio(ctx, now.Add(-d.config.Recordings.Keep))
	}
	if keep.KeepRecords > 0 {
		n, err := d.store.PruneRecords(ctx, now.Add(-keep.KeepRecords))
		d.pruned(ctx, "records", int64(n), err)
	}
}

func (d *Daemon) pruned(ctx context.Context, what string, n int64, err error) {
	switch {
	case err != nil && ctx.Err() == nil:
		d.opt.Log.Error("cannot drop what is too old", "what", what, "error", err)
	case n > 0:
		d.opt.Log.Info("dropped what is too old", "what", what, "count", n)
	}
}

// audioStep is how many audio files are deleted before that is noted: a kill in
// between finds them gone, which is noted the next time.
const audioStep = 100

// pruneAudio deletes the audio of calls before a time.
func (d *Daemon) pruneAudio(ctx context.Context, before time.Time) {
	library := recording.New(directories(d.config))
	var after store.Unsettled
	for ctx.Err() == nil {
		list, err := d.store.OldRecordings(ctx, before, after, audioStep)
		if err != nil || len(list) == 0 {
			d.pruned(ctx, "recordings", 0, err)
			return
		}
		after = list[len(list)-1]
		var done []store.Unsettled
		files := 0
		for _, u := range list {
			n, err := library.Remove(u.Path)
			files += n
			if err == nil || errors.Is(err, recording.ErrGone) {
				err = d.forgetConverted(u.Path)
			}
			if err != nil {
				d.opt.Log.Warn("cannot delete an old recording, will try again in an hour", "call", u.CallID, "path", u.Path, "error", err)
				continue
			}
			done = append(done, u)
		}
		if len(done) > 0 {
			d.pruned(ctx, "recordings", int64(files), d.store.RecordingsErased(ctx, done, files))
		}
	}
}
