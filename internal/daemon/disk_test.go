package daemon_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// warned waits until health has, or has no more, a warning, and gives its
// status.
func (o *office) warned(code string, want bool) string {
	o.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); ; {
		_, body := o.get("GET", "/v1/health", "")
		var h struct {
			Status   string
			Warnings []struct{ Code string }
			Queue    struct{ Refused int }
		}
		if err := json.Unmarshal(body, &h); err != nil {
			o.t.Fatalf("%s: %v", body, err)
		}
		has := slices.ContainsFunc(h.Warnings, func(w struct{ Code string }) bool { return w.Code == code })
		if h.Queue.Refused > 0 {
			o.t.Fatalf("facts were refused: %s", body)
		}
		if has == want {
			return h.Status
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("warning %s: want %v, have %s", code, want, body)
		}
	}
}

// oneWholeRecord: the call that went on while the disk did not work is there,
// whole.
func (o *office) oneWholeRecord(call string) {
	o.t.Helper()
	if r := o.until(record.CallEnded).Record; r.CallID != call || len(r.Details.Approximate) > 0 {
		o.t.Errorf("told: %+v", r)
	}
	if all := o.records(); len(all) != 1 || all[0].CallID != call || all[0].Disposition != "answered" || all[0].Duration != 4 || len(all[0].Details.Approximate) > 0 {
		o.t.Errorf("got %+v", all)
	}
}

// TestDiskFull: a call comes and goes while the disk is full; health is red and
// says why; when there is space again, everything goes in.
func TestDiskFull(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a small disk is mounted, which only root may; .ci/run runs as root")
	}
	o := newOffice(t)
	small := t.TempDir()
	if err := syscall.Mount("tmpfs", small, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(small, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o.config.Store.Path = filepath.Join(small, "voipd.db")
	o.start()
	ballast := filepath.Join(small, "ballast")
	fill := func() {
		t.Helper()
		f, err := os.OpenFile(ballast, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = f.Write(bytes.Repeat([]byte{1}, 4096))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		f.Close()
	}
	fill()
	playing := o.play("in-answered")
	if status := o.warned(string(store.Full), true); status != "failing" {
		t.Errorf("status %s", status)
	}
	<-playing.Done()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	o.oneWholeRecord(playing.IDs()[0])
	if status := o.warned(string(store.Full), false); status != "ok" {
		t.Errorf("status %s", status)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestLockedByAnother: another program holds the database for the whole of a
// call.
func TestLockedByAnother(t *testing.T) {
	o := newOffice(t)
	o.start()
	raw, err := sql.Open("sqlite3", o.config.Store.Path+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	playing := o.play("in-answered")
	if status := o.warned(string(store.Locked), true); status != "failing" {
		t.Errorf("status %s", status)
	}
	<-playing.Done()
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	o.oneWholeRecord(playing.IDs()[0])
	o.warned(string(store.Locked), false)
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestSlowDisk: a write that takes long is a warning while it lasts, and nothing
// is lost.
func TestSlowDisk(t *testing.T) {
	o := newOffice(t)
	var slow atomic.Bool
	held := make(chan struct{})
	o.tap = func(point string) error {
		if point == "before COMMIT" && slow.Load() {
			<-held
		}
		return nil
	}
	o.start()
	slow.Store(true)
	playing := o.play("in-answered")
	o.warned("store-slow", true)
	<-playing.Done()
	slow.Store(false)
	close(held)
	o.oneWholeRecord(playing.IDs()[0])
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestReadOnlyDisk: at the start it is told in one line; nothing is written
// over.
func TestReadOnlyDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("a disk is mounted read-only, which only root may; .ci/run runs as root")
	}
	o := newOffice(t)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("a disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	o.config.Store.Path = filepath.Join(disk, "voipd.db")
	o.start()
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	_, err := daemon.New(context.Background(), o.config, daemon.Options{Log: slog.New(slog.DiscardHandler)})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v", err)
	}
	if all := store.Aside(o.config.Store.Path); len(all) > 0 {
		t.Errorf("moved aside: %q", all)
	}
}

// noise overwrites the first page of a table.
func noise(t *testing.T, path, table string) {
	t.Helper()
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	var page int64
	if err := raw.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = ?`, table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 4096), (page-1)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// recordsAre waits until exactly these calls have records.
func (o *office) recordsAre(want ...string) {
	o.t.Helper()
	slices.Sort(want)
	for deadline := time.Now().Add(30 * time.Second); ; {
		var have []string
		for _, r := range o.records() {
			have = append(have, r.CallID)
		}
		slices.Sort(have)
		if slices.Equal(have, want) {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("records %q, want %q", have, want)
		}
	}
}

// toldNothingOf: since the database was begun anew nobody was told of the call,
// but perhaps that its recording is whole.
func (o *office) toldNothingOf(id string) {
	o.t.Helper()
	db, err := store.OpenReadOnly(o.t.Context(), o.config.Store.Path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	all, err := db.Changes(o.t.Context(), 0, 10_000)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range all {
		if c.CallID == id && c.Kind != contract.RecordingReady {
			o.t.Errorf("%s was told again: %s %s", id, c.Kind, c.Body)
		}
	}
}

// TestDamagedDatabase: the pages of the records are noise, found at the start or
// while voipd runs. The file is moved aside, what was told comes back from CEL
// and is not told again, and calls go on being kept.
func TestDamagedDatabase(t *testing.T) {
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "at the start", true: "while it runs"}[running], func(t *testing.T) {
			o := newOffice(t)
			file := o.withCEL()
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			o.start()
			first := o.captured("in-answered")
			o.until(record.CallEnded)
			<-first.Done()
			if err := os.WriteFile(file, []byte(rows(t, "in-answered", first)), 0o600); err != nil {
				t.Fatal(err)
			}
			if !running {
				if err := o.stop(); err != nil {
					t.Fatal(err)
				}
			}
			noise(t, o.config.Store.Path, "records")
			if !running {
				o.start()
			}
			second := o.captured("out-answered")
			o.until(record.CallEnded)
			o.warned("store-moved-aside", true)
			o.warned("store-rebuilding", false)
			o.recordsAre(first.IDs()[0], second.IDs()[0])
			aside := store.Aside(o.config.Store.Path)
			if len(aside) != 1 {
				t.Fatalf("aside: %q", aside)
			}
			for _, part := range []string{"", "-wal", "-shm"} {
				if err := os.Remove(aside[0] + part); err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
			}
			if status := o.warned("store-moved-aside", false); status != "ok" {
				t.Errorf("status %s", status)
			}
			if !running {
				o.repaired()
			}
			o.toldNothingOf(first.IDs()[0])
			if err := o.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
