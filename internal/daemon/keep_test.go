package daemon_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/recording/convert/fake"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestConvertedGoesWithItsRecording: what was made of a recording for a listener
// is deleted with it.
func TestConvertedGoesWithItsRecording(t *testing.T) {
	o := newOffice(t)
	monitor := o.config.Recordings.Directories[0].Path
	if err := os.MkdirAll(monitor, 0o750); err != nil {
		t.Fatal(err)
	}
	gsm := []byte(strings.Repeat("\xd2"+strings.Repeat("\x00", 32), 50))
	o.config.Recordings.Converter = fake.FFmpeg(t, fake.Copy)
	fake.Result(t, o.config.Recordings.Converter, []byte("ID3 sound"))
	at := time.Now().UTC().AddDate(0, 0, -150).Truncate(time.Millisecond)
	file := filepath.Join(monitor, "in-79031000001.gsm")
	if err := os.WriteFile(file, gsm, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), o.config.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	r := record.Record{CallID: "old", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101",
		Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami",
			Recordings: []record.Recording{{ID: "r", Path: file, At: at, State: record.Ready}}}}
	if err := errors.Join(db.Commit(t.Context(), &store.Batch{Records: []*record.Record{&r}}), db.Close(), longAgo(t.Context(), o.config.Store.Path)); err != nil {
		t.Fatal(err)
	}
	o.start()
	if status, body := o.get("GET", o.daemon.Link("old", "r"), ""); status != 200 || string(body) != "ID3 sound" {
		t.Errorf("got %d %q", status, body)
	}
	converted := filepath.Join(filepath.Dir(o.config.Store.Path), "converted", "*")
	if files, err := filepath.Glob(converted); err != nil || len(files) != 1 {
		t.Errorf("in the cache: %v (%v)", files, err)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	o.config.Recordings.Keep = 100 * 24 * time.Hour
	o.start()
	for deadline := time.Now().Add(20 * time.Second); ; {
		status, body := o.get("GET", o.daemon.Link("old", "r"), "")
		if status == 410 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the recording does not go: %d %q", status, body)
		}
	}
	if err := o.stop(); err != nil { // what was begun to be dropped is
		t.Fatal(err)
	}
	if files, err := filepath.Glob(converted); err != nil || len(files) != 0 {
		t.Errorf("left: %v (%v)", files, err)
	}
}

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
		if err := db.Commit(ctx, &store.Batch{Records: []*record.Record{&r}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.Close(), longAgo(ctx, o.config.Store.Path)); err != nil {
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

// longAgo makes every record of a database as if it had been written long ago.
func longAgo(ctx context.Context, path string) error {
	return fixture.Exec(ctx, path, `UPDATE records SET written = 0`)
}
