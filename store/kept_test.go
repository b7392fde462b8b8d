package store

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/voipd/voipd/record"
)

var keep = flag.Bool("keep", false, "make the databases of testdata that are missing; those that are there stay for ever")

// latestVersion is the version that this program writes.
func latestVersion(t *testing.T) int64 {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(filepath.Join(t.TempDir(), "x.db"), "rwc", ""), nil, &fileState{}})
	defer pool.Close()
	p, err := versions(pool)
	if err != nil {
		t.Fatal(err)
	}
	all := p.ListSources()
	return all[len(all)-1].Version
}

// TestKeptDatabases opens a database of each version, made once and kept since:
// it is brought to this version, and its record read. They
// do not come from the migrations of today, so that one that is changed later is
// found out. After a new migration: go test ./store -run Kept -keep.
func TestKeptDatabases(t *testing.T) {
	for version := int64(1); version <= latestVersion(t); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			kept := filepath.Join("testdata", "versions", fmt.Sprintf("%02d.db.gz", version))
			if _, err := os.Stat(kept); err != nil && *keep {
				makeKept(t, kept, version)
			}
			path := filepath.Join(t.TempDir(), "voipd.db")
			unpack(t, kept, path)
			db, err := Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			r, err := db.Record(t.Context(), "1.1")
			if err != nil || r.Disposition != record.Answered || r.SrcPhone != "79161234567" || r.Duration != 4 || len(r.Details.Recordings) != 1 {
				t.Errorf("the record: %+v (%v)", r, err)
			}
			if n, err := db.JournalSize(t.Context()); err != nil || n != 1 {
				t.Errorf("%d facts of open calls (%v)", n, err)
			}
		})
	}
}

func makeKept(t *testing.T, kept string, version int64) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "voipd.db")
	pool := sql.OpenDB(&dialer{dsn(path, "rwc", "_journal_mode=DELETE"), nil, &fileState{}})
	p, err := versions(pool)
	if err == nil {
		_, err = p.UpTo(t.Context(), version)
	}
	for _, statement := range []string{
		`INSERT INTO records (call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, rank, details)
			VALUES ('1.1', 1795366192000, 'in', 'answered', '79161234567', '', '101', '', 4, 1, '{"startedAt":"2026-11-22T16:49:52Z","beganBy":"external","ringMs":0,"waitMs":0,"holdMs":0,"talkMs":4000,"source":"ami"}')`,
		`INSERT INTO recordings (call_id, n, id, path, at, state, bytes, ms, talk) VALUES ('1.1', 0, 'r', '/m/x.wav', 1795366192000, 'ready', 10, 10, 1)`,
		`INSERT INTO journal (call_id, event) VALUES ('1.2', '{"at":"2026-11-22T16:49:52Z","kind":"created","source":"ami","channel":{"id":"1.2","linked":"1.2"}}')`,
		`PRAGMA journal_mode = DELETE`, `VACUUM`,
	} {
		if err == nil {
			_, err = pool.ExecContext(t.Context(), statement)
		}
	}
	if err == nil {
		err = pool.Close()
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is a right one
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(kept), 0o755)
	}
	if err == nil {
		err = os.WriteFile(kept, packed.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatalf("%v (after a new migration: go test ./store -run Kept -keep)", err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o640); err != nil {
		t.Fatal(err)
	}
}
