package recording

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	// checkEvery is how often files that are not yet whole are checked.
	checkEvery = time.Second
	// perRound is how many of them are checked in one round. The next round goes on
	// behind them, so that files that never come hold up no others.
	perRound = 200
	// steady is how long a file must have kept its size to be whole.
	steady = time.Second
	// steadyBadHeader is the same for a WAV whose header does not agree with
	// its size: Asterisk was killed, or is still writing.
	steadyBadHeader = time.Minute
)

// Watch checks recordings from their announcement until their files are
// whole, empty or given up.
type Watch struct {
	Library *Library
	Store   interface {
		UnfinishedRecordings(ctx context.Context, after store.RecordingFile, limit int) ([]store.RecordingFile, error)
	}
	GiveUp time.Duration      // how long a missing file is looked for
	Tell   func(record.Event) // gets a RecordingChecked for each change; must not block
	Now    func() time.Time   // the clock
	Log    *slog.Logger
	after  store.RecordingFile // the last one that was checked; zero: all were
	seen   map[string]sight    // as of the time before
	next   map[string]sight    // as of this time
	failed bool
}

// sight is what a file was like when it was first seen like that.
type sight struct {
	bytes int64
	since time.Time
}

// Run checks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	t := time.NewTicker(checkEvery)
	defer t.Stop()
	for {
		w.Round(ctx)
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// Round checks once the recordings that are not finished: all of them, unless
// there are many.
func (w *Watch) Round(ctx context.Context) {
	list, err := w.Store.UnfinishedRecordings(ctx, w.after, perRound)
	if err != nil {
		if !w.failed && ctx.Err() == nil {
			w.Log.Error("cannot check recordings", "error", err)
		}
		w.failed = true
		return
	}
	w.failed = false
	if w.next == nil {
		w.next = map[string]sight{}
	}
	for _, u := range list {
		key := u.CallID + "/" + u.ID
		fact, now := w.inspect(u, w.seen[key])
		w.next[key] = now
		if fact.State == record.Announced {
			continue
		}
		w.Tell(record.Event{At: w.Now().UTC(), Kind: record.RecordingChecked, Source: record.SourceDisk, Key: u.ID, Value: u.CallID, Recorded: fact})
	}
	if len(list) == perRound {
		w.after = list[perRound-1]
		return
	}
	w.after, w.seen, w.next = store.RecordingFile{}, w.next, nil
}

// inspect tells what a file is like now. Announced means: nothing to tell yet. A
// file that makes voipd panic is gone.
func (w *Watch) inspect(u store.RecordingFile, before sight) (fact record.FileFact, now sight) {
	err := caught.In(func() error { fact, now = w.examine(u, before); return nil })
	if err != nil {
		w.Log.Error("a recording cannot be examined; please report it", "call", u.CallID, "path", u.Path, "error", err)
		return record.FileFact{State: record.Gone}, before
	}
	return fact, now
}

// examine is inspect, which may panic.
func (w *Watch) examine(u store.RecordingFile, before sight) (record.FileFact, sight) {
	now := w.Now()
	f, err := w.Library.Open(u.Path)
	if err != nil {
		since := before.since
		if since.IsZero() || before.bytes >= 0 {
			since = now
		}
		s := sight{bytes: -1, since: since}
		if errors.Is(err, ErrGone) && now.Sub(since) < w.GiveUp {
			return record.FileFact{State: record.Announced}, s
		}
		w.Log.Warn("a recording cannot be had", "call", u.CallID, "path", u.Path, "error", err)
		return record.FileFact{State: record.Gone}, s
	}
	defer f.Close()
	s := sight{bytes: f.Info.Size(), since: before.since}
	if s.since.IsZero() || before.bytes != s.bytes {
		s.since = now
	}
	audio, err := Examine(f.Name, f, f.Info.Size())
	if err != nil {
		w.Log.Warn("a recording cannot be had", "call", u.CallID, "path", u.Path, "error", err)
		return record.FileFact{State: record.Gone}, s
	}
	wait := steady
	if !audio.Whole {
		wait = steadyBadHeader
	}
	if now.Sub(s.since) < wait {
		return record.FileFact{State: record.Announced}, s
	}
	fact := record.FileFact{State: record.Ready, Bytes: f.Info.Size(), Audio: audio.Length.Round(time.Millisecond)}
	if audio.Empty {
		fact.State = record.Empty
	}
	return fact, s
}
