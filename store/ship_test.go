package store

import (
	"database/sql"
	"errors"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// told writes records and what tells them.
func told(t *testing.T, db *DB, kind string, all ...record.Record) {
	t.Helper()
	b := &Batch{}
	for _, r := range all {
		b.Put(r)
		b.Changes = append(b.Changes, Change{At: r.Details.StartedAt, Kind: kind, CallID: r.CallID, Body: []byte(`{}`)})
	}
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// TestChangedRows: each record that changed is there once, as it is now, with its recordings;
// what tells no record is passed, and a record that was erased is not there.
func TestChangedRows(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	office := fixture.Office{Begin: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}
	a, b, gone := office.Call(1), office.Call(2), office.Call(3)
	told(t, db, "record.created", a, b, gone)
	told(t, db, "call.ended", b)
	a.Duration = 77
	told(t, db, "record.corrected", a)
	if err := db.inTx(t.Context(), func(tx *sql.Tx) error { _, err := erase(t.Context(), tx, []string{gone.CallID}); return err }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after int64
		limit int
		upTo  int64
		want  []string
	}{{0, 100, 5, []string{a.CallID, b.CallID}}, {0, 2, 2, []string{a.CallID, b.CallID}}, {2, 1, 3, nil}, {3, 1, 4, nil}, {3, 2, 5, []string{a.CallID}}, {5, 100, 5, nil}} {
		got, err := db.ChangedRows(t.Context(), c.after, c.limit)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for i := range got.Rows {
			ids = append(ids, got.Rows[i].CallID)
			whole, err := got.Rows[i].Whole()
			if err != nil {
				t.Fatal(err)
			}
			if want := map[string]record.Record{a.CallID: a, b.CallID: b}[whole.CallID]; !reflect.DeepEqual(want, whole) {
				t.Errorf("behind %d: %+v, want %+v", c.after, whole, want)
			}
		}
		slices.Sort(ids)
		slices.Sort(c.want)
		if got.UpTo != c.upTo || !slices.Equal(ids, c.want) {
			t.Errorf("behind %d, at most %d: %v up to %d, want %v up to %d", c.after, c.limit, ids, got.UpTo, c.want, c.upTo)
		}
		mark, err := db.MarkOf(t.Context(), got.UpTo)
		if c.upTo > c.after && (err != nil || mark != got.Mark || mark == "") {
			t.Errorf("the mark of %d is %q, and %q by itself (%v)", got.UpTo, got.Mark, mark, err)
		}
		if got.Oldest.IsZero() != (c.upTo == c.after) {
			t.Errorf("behind %d the oldest is of %s", c.after, got.Oldest)
		}
	}
	if _, err := db.MarkOf(t.Context(), 6); !errors.Is(err, ErrNotFound) {
		t.Errorf("the mark of a change that is not there: %v", err)
	}
}

// TestMarkTellsAnotherChange: no two changes that differ in anything have the same mark.
func TestMarkTellsAnotherChange(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, m := range []marked{{1, 2, 3, "k", "c"}, {2, 2, 3, "k", "c"}, {1, 3, 3, "k", "c"}, {1, 2, 4, "k", "c"}, {1, 2, 3, "l", "c"}, {1, 2, 3, "k", "d"}} {
		if seen[m.mark()] {
			t.Errorf("%+v has the mark of another", m)
		}
		seen[m.mark()] = true
	}
}

// TestGoneRows: calls that have no record any more are told with why, and what went because
// it was old is not.
func TestGoneRows(t *testing.T) {
	t.Parallel()
	db, err := Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	call := func(id, phone string, absorbed ...string) record.Record {
		return record.Record{CallID: id, Direction: record.In, SrcPhone: phone, Details: record.Details{StartedAt: time.Unix(1795366192, 0).UTC(), Source: "ami", Absorbed: absorbed}}
	}
	worse := call("1.2", "79031110002")
	worse.Details.Source = "cdr"
	told(t, db, "record.created", call("1.1", "79031110001"), worse, call("1.3", "79031110003"), call("1.4", "79031110004"))
	// The first was a consultation of the fifth, the second a part of it that only CDR told.
	b := &Batch{Retracted: [][2]string{{"1.1", "1.5"}}, Changes: []Change{{Kind: "call.merged", CallID: "1.1", Body: []byte(`{}`)}}}
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	told(t, db, "record.created", call("1.5", "79031110005", "1.1", "1.2"))
	p, err := db.Person(t.Context(), "79031110003")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Forget(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	if err := db.inTx(t.Context(), func(tx *sql.Tx) error { _, err := erase(t.Context(), tx, []string{"1.4"}); return err }); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after int64
		limit int
		want  []Gone
	}{
		{0, 100, []Gone{{"1.3", ""}, {"1.1", "1.5"}, {"1.2", "1.5"}}},
		{4, 1, []Gone{{"1.1", "1.5"}}},
		{5, 1, []Gone{{"1.1", "1.5"}, {"1.2", "1.5"}}},
		{6, 100, []Gone{{"1.3", ""}}},
		{7, 100, nil},
	} {
		got, err := db.ChangedRows(t.Context(), c.after, c.limit)
		if err != nil || !slices.Equal(got.Gone, c.want) {
			t.Errorf("behind %d, %d changes: %v, want %v (%v)", c.after, c.limit, got.Gone, c.want, err)
		}
	}
	list, upTo, err := db.Forgotten(t.Context(), 0, 10)
	if err != nil || !slices.Equal(list, []Gone{{"1.3", ""}}) || upTo != 7 {
		t.Errorf("forgotten: %v up to %d (%v)", list, upTo, err)
	}
	if list, upTo, err := db.Forgotten(t.Context(), upTo, 10); err != nil || len(list) > 0 || upTo != 7 {
		t.Errorf("forgotten behind that: %v up to %d (%v)", list, upTo, err)
	}
}
