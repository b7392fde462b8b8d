package daemon_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestFileReplaced: the database's file is deleted, or another put in its place,
// while voipd runs: health is red, and everything is saved, also what comes later.
func TestFileReplaced(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"deleted":  os.Remove,
		"replaced": func(path string) error { return os.WriteFile(path+".new", nil, 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t)
			o.start()
			first := o.play("in-answered").IDs()[0]
			o.until(record.CallEnded)
			path := o.config.Store.Path
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			if name == "replaced" {
				if err := os.Rename(path+".new", path); err != nil {
					t.Fatal(err)
				}
			}
			for deadline := time.Now().Add(20 * time.Second); ; {
				status, body := o.get("GET", "/v1/health", "")
				if status == 503 && strings.Contains(string(body), "deleted or replaced") && strings.Contains(string(body), path+".saved-") {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("health says %d %s", status, body)
				}
			}
			second := o.play("in-answered").IDs()[0]
			o.until(record.CallEnded)
			if err := o.stop(); err != nil {
				t.Error(err)
			}
			saved, err := filepath.Glob(path + ".saved-*")
			if err != nil || len(saved) != 2 {
				t.Fatalf("saved: %q %v", saved, err)
			}
			slices.Sort(saved)
			db, err := store.Open(t.Context(), saved[1])
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for _, id := range []string{first, second} {
				if _, err := db.Record(t.Context(), id); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
		})
	}
}
