package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// startEnv is "FOLDER|POINT|PBX": start a daemon there, and be killed at the
// first time of a point; without a PBX, only open the store.
const startEnv = "VOIPD_CRASH_START"

// TestCrashStartChild is the process that is killed; alone it does nothing.
func TestCrashStartChild(t *testing.T) {
	parts := strings.Split(os.Getenv(startEnv), "|")
	if len(parts) != 3 {
		t.Skip("it is the child of other tests")
	}
	dir, at, pbx := parts[0], parts[1], parts[2]
	tap := killer(at)
	if pbx == "" {
		db, _, err := store.OpenSound(context.Background(), filepath.Join(dir, "voipd.db"), store.Tapped(tap))
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
		return
	}
	o := &office{t: t, config: officeConfig(dir, pbx), tap: tap}
	o.withCEL()
	d, err := daemon.New(context.Background(), o.config, daemon.Options{Log: slog.New(slog.DiscardHandler), RepairDelay: 50 * time.Millisecond, Tap: tap})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_ = d.Run(ctx) // it is to be killed
}

func killedAtStart(t *testing.T, dir, point, pbx string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashStartChild$")
	child.Env = append(os.Environ(), startEnv+"="+dir+"|"+point+"|"+pbx)
	if out, err := child.CombinedOutput(); !wasKilled(err) {
		t.Fatalf("%s: the process came to its end: %v: %s", point, err, out)
	}
}

// TestCrashWhileReplacing: the process is killed at each step of putting a new
// database in the place of a damaged one. Whatever the step, the next start has
// the secret, the open call, and the damaged file, once and untouched.
func TestCrashWhileReplacing(t *testing.T) {
	ctx := context.Background()
	damaged := func(t *testing.T) (dir string, secret, before []byte) {
		t.Helper()
		dir = t.TempDir()
		path := filepath.Join(dir, "voipd.db")
		db, err := store.Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		if secret, err = db.Secret(ctx, "links"); err != nil {
			t.Fatal(err)
		}
		fact := record.Event{Kind: record.Created, Channel: record.Channel{ID: "1.1", Linked: "1.1"}}
		if err := db.Commit(ctx, &store.Batch{Journal: []store.Entry{{CallID: "1.1", Event: fact}}}); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		noise(t, path, "traces")
		if before, err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		return dir, secret, before
	}
	dir, _, _ := damaged(t)
	seen := map[string]bool{}
	db, damage, err := store.OpenSound(ctx, filepath.Join(dir, "voipd.db"), store.Tapped(func(point string) error { seen[point] = true; return nil }))
	if err != nil || damage == nil {
		t.Fatalf("got %v (%v)", damage, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, point := range slices.Sorted(maps.Keys(seen)) {
		if strings.Contains(point, "CREATE") && point != "before CREATE journal" {
			continue // one stands for all
		}
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			dir, secret, before := damaged(t)
			killedAtStart(t, dir, point, "")
			path := filepath.Join(dir, "voipd.db")
			db, damage, err := store.OpenSound(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if damage == nil {
				t.Error("the next start does not tell of the damage")
			}
			aside := store.Aside(path)
			if len(aside) != 1 {
				t.Fatalf("aside: %q", aside)
			}
			if after, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(before, after) {
				t.Errorf("the damaged file changed (%v)", err)
			}
			if kept, err := db.Secret(ctx, "links"); err != nil || !bytes.Equal(kept, secret) {
				t.Errorf("the secret is another (%v)", err)
			}
			if facts, err := fixture.All(ctx, db.Journal); err != nil || len(facts) != 1 || facts[0].Err != nil {
				t.Errorf("%d facts of the open call (%v)", len(facts), err)
			}
		})
	}
}

// TestCrashAtStart: a whole voipd is killed while it starts beside a PBX with a
// call going on: at its first writes, before and after the first list of
// channels is on the disk. The call has one record, told once.
func TestCrashAtStart(t *testing.T) {
	for _, point := range []string{"before CREATE journal", "after INSERT secrets", "before INSERT marks", "after INSERT marks",
		"before INSERT journal", "after INSERT journal", "before INSERT changes", "after INSERT changes"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			o := newOfficeAt(t, 2) // the call has to go on while the child starts, on a busy machine too
			file := o.withCEL()
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			// As if voipd had run before: what ends while it does not is a gap.
			db, err := store.Open(context.Background(), o.config.Store.Path)
			if err != nil {
				t.Fatal(err)
			}
			for _, mark := range []string{"first start", "alive"} {
				if err := db.SetMark(context.Background(), mark, time.Now().Add(-time.Minute)); err != nil {
					t.Fatal(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(point, "CREATE") {
				if err := os.Remove(o.config.Store.Path); err != nil {
					t.Fatal(err)
				}
			}
			call := o.captured("in-answered")
			killedAtStart(t, filepath.Dir(o.config.Store.Path), point, o.pbx.Addr())
			o.start()
			<-call.Done()
			if err := os.WriteFile(file, []byte(rows(t, "in-answered", call)), 0o600); err != nil {
				t.Fatal(err)
			}
			o.recordsAre(call.IDs()[0])
			if err := o.stop(); err != nil {
				t.Fatal(err)
			}
			o.toldOnce(call.IDs()[0])
		})
	}
}

// toldOnce: the record of a call was created once for the outside.
func (o *office) toldOnce(id string) {
	o.t.Helper()
	db, err := store.OpenReadOnly(context.Background(), o.config.Store.Path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	list, err := db.Changes(context.Background(), 0, 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	var told []string
	for _, c := range list {
		if c.Kind == contract.RecordCreated {
			told = append(told, c.CallID)
		}
	}
	if fmt.Sprint(told) != fmt.Sprint([]string{id}) {
		o.t.Errorf("created: %q, want %s once", told, id)
	}
}
