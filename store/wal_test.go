package store

import (
	"path/filepath"
	"testing"
)

// TestLogIsBounded: every connection that writes empties the log beside the
// database in time, and leaves no more than 64 MB of it.
func TestLogIsBounded(t *testing.T) {
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]int64{"wal_autocheckpoint": 1000, "journal_size_limit": 64 << 20} {
		var got int64
		if err := db.writer.QueryRowContext(t.Context(), `PRAGMA `+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %d, want %d (%v)", pragma, got, want, err)
		}
	}
	if database, _ := db.Sizes(); database == 0 {
		t.Error("the database has no size")
	}
}
