package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/recording/convert/fake"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const person = "79035550123"

// kept makes a configuration whose store has a call of the person with a
// recording, and one of somebody else.
func kept(t *testing.T) (conf, db, audio string) {
	t.Helper()
	dir := t.TempDir()
	monitor := filepath.Join(dir, "monitor")
	conf, db, audio = filepath.Join(dir, "voipd.toml"), filepath.Join(dir, "voipd.db"), filepath.Join(monitor, "in-"+person+".wav")
	if err := os.Mkdir(monitor, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{conf: fmt.Sprintf("[store]\npath = %q\n[[recordings.directories]]\npath = %q\n", db, monitor), audio: "RIFF"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx := context.Background()
	s, err := store.Open(ctx, db)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_795_366_192, 0).UTC()
	for id, number := range map[string]string{"1.1": person, "1.2": "79031000001"} {
		r := record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: number, DstPhone: "101",
			Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami"}}
		if number == person {
			r.Details.Recordings = []record.Recording{{ID: "r", Path: audio, At: at, State: record.Ready}}
		}
		if err := s.Commit(ctx, &store.Batch{Records: []*record.Record{&r}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return conf, db, audio
}

// TestForgetCommand: it asks, says what it did, and leaves neither number nor
// audio; the audit has a line without the number.
func TestForgetCommand(t *testing.T) {
	conf, db, audio := kept(t)
	status, stdout, stderr := voipd("forget", "-c", conf, person)
	if status != 1 || !strings.Contains(stdout, "1 calls, 1 recordings") || !strings.Contains(stderr, "nothing was erased") {
		t.Errorf("not confirmed: %d %q %q", status, stdout, stderr)
	}
	if _, err := os.Stat(audio); err != nil {
		t.Errorf("not confirmed, and: %v", err)
	}
	status, stdout, stderr = voipd("forget", "-c", conf, "--yes", "+7 903 555-01-23")
	if status != 0 || !strings.Contains(stdout, "erased: 1 calls, 0 changes, 1 files, 1 recordings, 1 records, 0 traces") {
		t.Fatalf("got %d %q %q", status, stdout, stderr)
	}
	if _, err := os.Stat(audio); !os.IsNotExist(err) {
		t.Errorf("the audio is left: %v", err)
	}
	for _, part := range []string{"", "-wal"} {
		if data, err := os.ReadFile(db + part); err == nil && bytes.Contains(data, []byte(person)) {
			t.Errorf("the number is left in the database%s", part)
		}
	}
	status, stdout, _ = voipd("audit", "-c", conf)
	if status != 0 || !strings.Contains(stdout, " forget ") || strings.Contains(stdout+stderr, person) {
		t.Errorf("audit: %d %q; log %q", status, stdout, stderr)
	}
	if status, _, stderr := voipd("forget", "-c", conf, "--yes", "101"); status != 2 || !strings.Contains(stderr, "extension") {
		t.Errorf("an extension: %d %q", status, stderr)
	}
}

func TestForgetKeepsFiles(t *testing.T) {
	conf, _, audio := kept(t)
	if status, stdout, stderr := voipd("forget", "-c", conf, "--yes", "--keep-files", person); status != 0 || !strings.Contains(stdout, "0 files") {
		t.Errorf("got %d %q %q", status, stdout, stderr)
	}
	if _, err := os.Stat(audio); err != nil {
		t.Error(err)
	}
}

// TestForgetConverted: what a running voipd has made of the person's recordings
// for browsers goes with them, and with --keep-files too; that of others stays.
func TestForgetConverted(t *testing.T) {
	for flag, left := range map[string]bool{"--yes": false, "--keep-files": true} {
		t.Run(flag, func(t *testing.T) {
			conf, db, audio := kept(t)
			other := filepath.Join(filepath.Dir(audio), "in-79031000001.ulaw")
			cache := filepath.Join(filepath.Dir(db), "converted")
			mine, others := listened(t, cache, audio), listened(t, cache, other)
			if status, _, stderr := voipd("forget", "-c", conf, "--yes", flag, person); status != 0 {
				t.Fatal(stderr)
			}
			files, err := filepath.Glob(filepath.Join(cache, "*"))
			if err != nil || len(files) != 1 || files[0] != others {
				t.Errorf("left of %s and %s: %v (%v)", mine, others, files, err)
			}
			if _, err := os.Stat(audio); (err == nil) != left {
				t.Errorf("the audio is left: %v", err == nil)
			}
		})
	}
}

// listened is the file in the cache that is made of a recording when somebody
// listens to it.
func listened(t *testing.T, cache, audio string) string {
	t.Helper()
	const header = "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00abcd"
	if err := os.WriteFile(audio, []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	program := fake.FFmpeg(t, fake.Copy)
	fake.Result(t, program, []byte(header))
	programs, err := convert.Find(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	library := recording.New([]recording.Directory{{Path: filepath.Dir(audio)}})
	daemon, err := convert.New(convert.Options{Programs: func() []convert.Program { return programs }, Library: library, Dir: cache, Keep: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	before, _ := filepath.Glob(filepath.Join(cache, "*")) // the pattern is good
	f, err := library.Open(audio)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sound, err := daemon.Open(t.Context(), convert.Source{Path: audio, File: f, Audio: recording.Audio{Coding: recording.ULaw}}, convert.WAV)
	if err != nil {
		t.Fatal(err)
	}
	defer sound.Close()
	after, _ := filepath.Glob(filepath.Join(cache, "*"))
	after = slices.DeleteFunc(after, func(name string) bool { return slices.Contains(before, name) })
	if len(after) != 1 {
		t.Fatalf("made %v", after)
	}
	return after[0]
}

func TestBackupCommand(t *testing.T) {
	conf, _, _ := kept(t)
	file := filepath.Join(t.TempDir(), "copy.db")
	if status, stdout, stderr := voipd("backup", "-c", conf, file); status != 0 || !strings.Contains(stdout, "2 records") || stderr != "" {
		t.Errorf("got %d %q %q", status, stdout, stderr)
	}
	if status, _, stderr := voipd("backup", "-c", conf, file); status != 1 || !strings.Contains(stderr, "exists") {
		t.Errorf("written over: %d %q", status, stderr)
	}
	if status, stdout, _ := voipd("audit", "-c", conf); status != 0 || !strings.Contains(stdout, " backup "+file+": 2 records") {
		t.Errorf("audit: %d %q", status, stdout)
	}
}

// TestExportQuarantine: the facts of a call that were set aside are exported, with
// the reason beside, also where the call has no record.
func TestExportQuarantine(t *testing.T) {
	dir := t.TempDir()
	conf := write(t, "voipd.toml", fmt.Sprintf("[asterisk]\nsecret = \"x\"\n[store]\npath = %q\n", filepath.Join(dir, "voipd.db")))
	db, err := store.Open(t.Context(), filepath.Join(dir, "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	fact := record.Event{At: time.Unix(1_795_366_192, 0), Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/trunk-a-1"}, Number: "79161234567"}
	if err := errors.Join(db.SetFactAside(t.Context(), store.Quarantine{CallID: "1.1", Fact: &fact, Reason: "panic: nobody foresaw it", Stack: "main.go:1"}, time.Now()), db.Close()); err != nil {
		t.Fatal(err)
	}
	status, out, stderr := voipd("export", "-c", conf, "1.1")
	if status != 0 || !strings.Contains(out, "created") || strings.Contains(out, "79161234567") || !strings.Contains(stderr, "nobody foresaw it") || !strings.Contains(stderr, "main.go:1") {
		t.Errorf("%d\n%s\n%s", status, out, stderr)
	}
}
