package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestKnown: what the PBX showed last is there after a restart; that it said nothing
// of its numbers is not the same as that it has none of some.
func TestKnown(t *testing.T) {
	path := t.TempDir() + "/voipd.db"
	for _, k := range []Known{
		{Endpoints: map[string]string{}},
		{Endpoints: map[string]string{"PJSIP/anna-desk": "extension 121", "PJSIP/1000": "trunk"}, Numbers: map[string]bool{"121": true, "101": true}, Rang: map[string]bool{"130": true}},
		{Endpoints: map[string]string{"PJSIP/anna-desk": "extension 122"}},
	} {
		db, err := Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.SetKnown(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if db, err = Open(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		got, err := db.Known(t.Context())
		if diff := cmp.Diff(k, got); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
