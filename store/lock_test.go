package store_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/voipd/voipd/store"
)

// TestLock: one may own a database, many may use it while nobody owns it, and
// users of an owned one are not in the way.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "voipd.db")
	owner, err := store.Own(path, "voipd serve")
	if err != nil {
		t.Fatal(err)
	}
	var locked *store.LockedError
	if _, err := store.Own(path, "voipd serve"); !errors.As(err, &locked) || !strings.HasPrefix(locked.By, "voipd serve (process ") {
		t.Errorf("a second owner: %v", err)
	}
	beside, err := store.Use(path, "voipd import")
	if err != nil || beside != nil {
		t.Errorf("use beside the owner: %v %v", beside, err)
	}
	if err := errors.Join(beside.Unlock(), owner.Unlock()); err != nil {
		t.Fatal(err)
	}
	first, err := store.Use(path, "voipd import")
	if err != nil || first == nil {
		t.Fatal(first, err)
	}
	second, err := store.Use(path, "voipd forget")
	if err != nil || second == nil {
		t.Fatal(second, err)
	}
	if _, err := store.Own(path, "voipd serve"); !errors.As(err, &locked) || !strings.Contains(err.Error(), "voipd forget (process ") {
		t.Errorf("an owner beside users: %v", err)
	}
	if err := errors.Join(first.Unlock(), second.Unlock()); err != nil {
		t.Fatal(err)
	}
	if owner, err = store.Own(path, "voipd serve"); err != nil {
		t.Fatal(err)
	}
	if err := owner.Unlock(); err != nil {
		t.Fatal(err)
	}
}
