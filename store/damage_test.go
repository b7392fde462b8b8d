package store_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// spoil overwrites pages of a closed database with noise, from one on.
func spoil(t *testing.T, path string, page, pages int) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, pages*4096), int64(page)*4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// filled makes a database with calls, one of them open, and a secret.
func filled(t *testing.T, path string) (secret []byte) {
	t.Helper()
	db, ctx := open(t, path), context.Background()
	db.Deliver(func(string) []store.Recipient { return []store.Recipient{{Endpoint: "crm"}} })
	secret, err := db.Secret(ctx, "links")
	if err != nil {
		t.Fatal(err)
	}
	fact := record.Event{Kind: record.Created, Channel: record.Channel{ID: "open", Linked: "open"}, Number: "101"}
	write(t, db, &store.Batch{Journal: []store.Entry{{CallID: "open", Event: fact}}})
	for i := range 300 {
		told(t, db, call(fmt.Sprintf("1.%d", i), i))
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return secret
}

// rootOf gives the first page of a table, from 0.
func rootOf(t *testing.T, path, table string) int {
	t.Helper()
	var page int
	raw := rawDB(t, path)
	if err := raw.QueryRow(`SELECT rootpage FROM sqlite_master WHERE name = ?`, table).Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	return page - 1
}

// TestDamagedAtStart: the file is moved aside byte for byte, and what can still
// be read of the small things goes on.
func TestDamagedAtStart(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, path string)
		keeps bool // secrets and open calls
	}{
		"records": {func(t *testing.T, path string) { spoil(t, path, rootOf(t, path, "records"), 1) }, true},
		"end":     {func(t *testing.T, path string) { spoil(t, path, 40, 3) }, true},
		"header":  {func(t *testing.T, path string) { spoil(t, path, 0, 1) }, false},
		"schema": {func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(data[:100], bytes.Repeat([]byte{0xff}, len(data)-100)...), 0o600); err != nil {
				t.Fatal(err)
			}
		}, false},
		"cut": {func(t *testing.T, path string) {
			if err := os.Truncate(path, 20*4096); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			path, ctx := filepath.Join(t.TempDir(), "voipd.db"), context.Background()
			secret := filled(t, path)
			c.spoil(t, path)
			before, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			db, d, err := store.OpenSound(ctx, path)
			if err != nil || d == nil {
				t.Fatalf("opened as sound: %v", err)
			}
			defer db.Close()
			after, err := os.ReadFile(d.File)
			if err != nil || !bytes.Equal(before, after) {
				t.Errorf("the damaged file changed (%v)", err)
			}
			if got := store.Aside(path); !slices.Equal(got, []string{d.File}) || !strings.HasPrefix(d.File, path+".corrupt-") {
				t.Errorf("aside: %q", got)
			}
			kept, err := db.Secret(ctx, "links")
			if err != nil || c.keeps != slices.Equal(kept, secret) {
				t.Errorf("secret kept: %v (%v), saved %v, why %s", slices.Equal(kept, secret), err, d.Saved, d.Why)
			}
			if facts, err := fixture.All(ctx, db.Journal); err != nil || c.keeps != (len(facts) == 1) || c.keeps && facts[0].Err != nil {
				t.Errorf("open calls kept: %v (%v)", facts, err)
			}
			told(t, db, call("9.1", 0))
			if span, err := db.Span(ctx); err != nil || c.keeps && span.Last != 301 {
				t.Errorf("places in the sequence: %+v (%v)", span, err)
			}
		})
	}
}

func TestSoundIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voipd.db")
	filled(t, path)
	db, d, err := store.OpenSound(context.Background(), path)
	if err != nil || d != nil {
		t.Fatalf("got %+v (%v)", d, err)
	}
	if n := count(t, db); n != 300 {
		t.Errorf("%d records", n)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedWhileOpen: damage that a write meets; readers at work do not
// matter; then the same DB goes on with a new file.
func TestDamagedWhileOpen(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "voipd.db"), context.Background()
	secret := filled(t, path)
	root := rootOf(t, path, "records")
	db, d, err := store.OpenSound(ctx, path)
	if err != nil || d != nil {
		t.Fatalf("got %+v (%v)", d, err)
	}
	defer db.Close()
	if _, err := db.Renew(ctx); err != nil || db.Damage() != "" {
		t.Fatalf("a sound one was renewed: %v", err)
	}
	spoil(t, path, root, 1)
	b := &store.Batch{}
	b.Put(call("9.1", 0))
	if err := db.Commit(ctx, b); store.TroubleOf(err) != store.Damaged || db.Damage() == "" {
		t.Fatalf("got %v, %q", err, db.Damage())
	}
	d, err = db.Renew(ctx)
	if err != nil || d == nil || db.Damage() != "" {
		t.Fatalf("got %+v (%v)", d, err)
	}
	if err := db.Commit(ctx, b); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d records, want the new one", n)
	}
	if kept, err := db.Secret(ctx, "links"); err != nil || !slices.Equal(kept, secret) {
		t.Errorf("the secret is another (%v)", err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	again := open(t, path)
	if n := count(t, again); n != 1 {
		t.Errorf("%d records after a restart", n)
	}
}

// TestDamageOnDiskAlone: a page that the writer has in its cache is damaged on
// the disk, and a reader meets it. What the writer sees does not count.
func TestDamageOnDiskAlone(t *testing.T) {
	path, ctx := filepath.Join(t.TempDir(), "voipd.db"), context.Background()
	filled(t, path)
	root := rootOf(t, path, "records")
	db, d, err := store.OpenSound(ctx, path)
	if err != nil || d != nil {
		t.Fatalf("got %+v (%v)", d, err)
	}
	defer db.Close()
	worse := call("1.5", 5)
	worse.Details.Source = record.SourceCDR.String()
	write(t, db, &store.Batch{Records: []*record.Record{&worse}}) // reads the page, and writes nothing
	spoil(t, path, root, 1)
	if _, err := db.Record(ctx, "1.5"); store.TroubleOf(err) != store.Damaged || db.Damage() == "" {
		t.Fatalf("the reader did not meet the damage: %v", err)
	}
	if d, err = db.Renew(ctx); err != nil || d == nil {
		t.Fatalf("the damaged file was taken for sound: %+v (%v)", d, err)
	}
}

// TestRescueFromAll: calls come back from every file that was moved aside, as the
// one that is named first tells them, but not those that were forgotten since.
func TestRescueFromAll(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	filling := func(name, src string, ids ...string) string {
		path := filepath.Join(dir, name)
		db := open(t, path)
		for i, id := range ids {
			r := call(id, i)
			r.SrcPhone = src
			told(t, db, r)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return path
	}
	older, newer := filling("older", "79030000001", "1.1", "1.2", "1.3"), filling("newer", "79030000002", "1.2", "1.4")
	db := open(t, filepath.Join(dir, "voipd.db"))
	forgotten := call("1.3", 0)
	forgotten.SrcPhone = "79035550123"
	told(t, db, forgotten)
	p, err := db.Person(ctx, "79035550123")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Forget(ctx, p, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Rescue(ctx, newer, older); err != nil {
		t.Fatal(err)
	}
	all, _, err := db.Records(ctx, store.Query{Limit: 10})
	got := map[string]string{}
	for _, r := range all {
		got[r.CallID] = r.SrcPhone
	}
	if want := map[string]string{"1.1": "79030000001", "1.2": "79030000002", "1.4": "79030000002"}; err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v (%v), want %v", got, err, want)
	}
}
