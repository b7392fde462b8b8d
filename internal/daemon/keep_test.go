package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestRetention: what is too old goes at the start, audio too, each with a line
// in the audit; what is young stays.
func TestRetention(t *testing.T) {
	o := newOffice(t)
	o.config.Store.KeepRecords, o.config.Recordings.Keep = 200*24*time.Hour, 100*24*time.Hour
	monitor := o.config.Recordings.Directories[0].Path
	ctx := context.Background()
	db, err := store.Open(ctx, o.config.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(monitor, 0o750); err != nil {
		t.Fatal(err)
	}
	for id, days := range map[string]int{"young": 10, "older": 150, "old": 250} {
		at := time.Now().UTC().AddDate(0, 0, -days).Truncate(time.Millisecond)
		file := filepath.Join(monitor, id+".wav")
		if err := os.WriteFile(file, []byte("RIFF"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101",
			Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami",
				Recordings: []record.Recording{{ID: "r", Path: file, At: at, State: record.Ready}}}}
		if err := db.Commit(ctx, &store.Batch{Records: []record.Record{r}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	o.start()
	o.recordsAre("young", "older")
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	for id, left := range map[string]bool{"young": true, "older": false, "old": false} {
		if _, err := os.Stat(filepath.Join(monitor, id+".wav")); (err == nil) != left {
			t.Errorf("the audio of %s is left: %v", id, err == nil)
		}
	}
	if db, err = store.OpenReadOnly(ctx, o.config.Store.Path); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if r, err := db.Record(ctx, "older"); err != nil || r.Details.Recordings[0].State != record.Gone {
		t.Errorf("got %+v (%v)", r.Details.Recordings, err)
	}
	lines, err := db.Audits(ctx, 10)
	if err != nil || len(lines) != 2 || lines[1].What != "keep_recordings" || lines[1].Counts["files"] != 2 || lines[0].Counts["records"] != 1 {
		t.Errorf("audit: %+v (%v)", lines, err)
	}
}
