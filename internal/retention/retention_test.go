package retention_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/retention"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestTimeCannotErase: no record is dropped while the clocks differ, nor more than
// a quarter of all at once; health says why.
func TestTimeCannotErase(t *testing.T) {
	for _, row := range []struct {
		name      string
		old, all  int
		off       time.Duration
		written   time.Time // when the old ones were written
		left      int
		retention bool // health warns
	}{
		{"few are old", 20, 100, 0, time.Time{}, 80, false},
		{"the clocks differ by years", 20, 100, 3 * 365 * 24 * time.Hour, time.Time{}, 100, true},
		{"written today, by a clock that is years behind", 20, 100, 0, time.Now(), 100, false},
		{"nearly all are old", 11_000, 12_000, 0, time.Time{}, 12_000, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "voipd.db")
			db := fill(t, path, row.old, row.all, row.written)
			p := retention.New(retention.Options{Store: db, Library: recording.New(nil), Converted: func(string) error { return nil }, Sweep: func() error { return nil },
				KeepTraces: time.Hour, KeepChanges: time.Hour, KeepRecords: 365 * 24 * time.Hour, InDoubt: func() time.Duration { return row.off }, Log: slog.New(slog.DiscardHandler)})
			p.Prune(t.Context(), time.Now())
			all, err := db.CountAll(t.Context())
			if err != nil || all != int64(row.left) {
				t.Errorf("%d records are left, want %d (%v)", all, row.left, err)
			}
			var h contract.Health
			p.Health(t.Context(), &h)
			if h.Warned("retention-waits") != row.retention {
				t.Errorf("health: %+v", h.Warnings)
			}
		})
	}
}

// TestAudioGoesWithItsRecord: where records are kept for a shorter time than audio,
// the audio goes first: nobody would know of it later.
func TestAudioGoesWithItsRecord(t *testing.T) {
	db, p, file := oneRecording(t, time.Now().AddDate(-1, 0, 0), record.Ready, retention.Options{KeepRecords: 100 * 24 * time.Hour, KeepAudio: 1000 * 24 * time.Hour})
	write(t, file)
	p.Prune(t.Context(), time.Now())
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the audio is left: %v", err)
	}
	if all, err := db.CountAll(t.Context()); all != 0 || err != nil {
		t.Errorf("%d records are left (%v)", all, err)
	}
}

// TestLateFileIsErased: a file that was given up as gone, and appears when its
// time is up already, is deleted.
func TestLateFileIsErased(t *testing.T) {
	for _, row := range []struct {
		name  string
		days  int  // since the call
		left  bool // the file
		state record.RecordingState
	}{
		{"given up", 110, false, record.Gone},
		{"given up long ago", 140, true, record.Gone},
		{"empty", 140, false, record.Empty},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, p, file := oneRecording(t, time.Now().AddDate(0, 0, -row.days), row.state, retention.Options{KeepAudio: 100 * 24 * time.Hour})
			if row.state == record.Empty {
				write(t, file)
			}
			p.Prune(t.Context(), time.Now())
			if row.state == record.Gone {
				write(t, file)
			}
			p.Prune(t.Context(), time.Now())
			if _, err := os.Stat(file); (err == nil) != row.left {
				t.Errorf("the file is left: %v, want %v", err == nil, row.left)
			}
		})
	}
}

// oneRecording makes a database with one call at a time and its recording, whose
// file is not there yet, and a Pruner that keeps as opt says.
func oneRecording(t *testing.T, at time.Time, state record.RecordingState, opt retention.Options) (db *store.DB, p *retention.Pruner, file string) {
	t.Helper()
	dir := t.TempDir()
	path, file := filepath.Join(dir, "voipd.db"), filepath.Join(dir, "in.wav")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var b store.Batch
	b.Put(record.Record{CallID: "1.1", Direction: record.In, Disposition: record.Answered, Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami",
		Recordings: []record.Recording{{ID: "r", Path: file, At: at, State: state}}}})
	if err := db.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := fixture.Exec(t.Context(), path, `UPDATE records SET written = 0`); err != nil {
		t.Fatal(err)
	}
	opt.Store, opt.Library = db, recording.New([]recording.Directory{{Path: dir}})
	opt.Converted, opt.Sweep = func(string) error { return nil }, func() error { return nil }
	opt.KeepTraces, opt.KeepChanges, opt.Log = time.Hour, time.Hour, slog.New(slog.DiscardHandler)
	return db, retention.New(opt), file
}

func write(t *testing.T, file string) {
	t.Helper()
	if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// fill makes a database with old calls, five years ago, among all.
func fill(t *testing.T, path string, old, all int, written time.Time) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	var b store.Batch
	for i := range all {
		at := time.Now().Add(-time.Hour)
		if i < old {
			at = at.AddDate(-5, 0, 0)
		}
		b.Put(record.Record{CallID: fmt.Sprintf("1.%d", i), Direction: record.In, Disposition: record.NoAnswer, Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami"}})
	}
	if err := db.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := fixture.Exec(t.Context(), path, `UPDATE records SET written = max(0, ?)`, written.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	return db
}
