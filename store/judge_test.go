package store_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestDoubles: CEL tells that a younger call went into an older one; a record of
// the younger one, by who did not see that, goes, however good the record of
// the older one is that is kept.
func TestDoubles(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	account := func(id, source string, doubts ...string) record.Record {
		return record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101",
			Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: source, Approximate: doubts}}
	}
	cel := func(doubts ...string) record.Record {
		r := account("8.1", "cel", doubts...)
		r.Details.Absorbed = []string{"8.2"}
		return r
	}
	const doubt = "facts were missed"
	for _, c := range []struct {
		name    string
		kept    []record.Record
		told    record.Record
		verdict record.Verdict
		left    []string // calls with a record, by whom the first is told
		by      string
	}{
		{"nothing is kept", nil, cel(), record.Add, []string{"8.1"}, "cel"},
		{"the younger one by CDR", []record.Record{account("8.2", "cdr", doubt)}, cel(), record.Add, []string{"8.1"}, "cel"},
		{"the younger one, cut", []record.Record{account("8.2", "ami", doubt)}, cel(), record.Add, []string{"8.1"}, "cel"},
		{"the younger one, cut; CEL is not sure of a length", []record.Record{account("8.2", "ami", doubt)}, cel("the clock was set"), record.Add, []string{"8.1"}, "cel"},
		{"both cut", []record.Record{account("8.1", "ami", doubt), account("8.2", "ami", doubt)}, cel(), record.Replace, []string{"8.1"}, "cel"},
		{"both cut; CEL is not sure of a length", []record.Record{account("8.1", "ami", doubt), account("8.2", "ami", doubt)}, cel("the clock was set"), record.Replace,
			[]string{"8.1"}, "ami"},
		{"the older one whole, the younger one cut", []record.Record{account("8.1", "ami"), account("8.2", "ami", doubt)}, cel(), record.Replace, []string{"8.1"}, "ami"},
		{"the older one whole, a younger one whole by CEL, another cut", []record.Record{account("8.1", "ami"), account("8.2", "ami", doubt), account("8.3", "cel")},
			func() record.Record { r := cel(); r.Details.Absorbed = []string{"8.2", "8.3"}; return r }(), record.Replace, []string{"8.1", "8.3"}, "ami"},
		{"both whole: who watched them knows", []record.Record{account("8.1", "ami"), account("8.2", "ami")}, cel(), record.Keep, []string{"8.1", "8.2"}, "ami"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			var b store.Batch
			b.Put(c.kept...)
			if err := db.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
			for i, want := range []record.Verdict{c.verdict, record.Keep} { // told again, nothing changes
				v, better, _, err := db.Judge(t.Context(), c.told)
				if err != nil || v != want {
					t.Fatalf("told %d times: verdict %v (%v), want %v", i+1, v, err, want)
				}
				if v == record.Keep {
					break
				}
				if err := db.Commit(t.Context(), &store.Batch{Records: []*record.Record{&better}}); err != nil {
					t.Fatal(err)
				}
			}
			list, _, err := db.Records(t.Context(), store.Query{Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, r := range list {
				left = append(left, r.CallID)
				if r.CallID == "8.1" && (r.Details.Source != c.by || len(c.left) == 1 && !slices.Equal(r.Details.Absorbed, []string{"8.2"})) {
					t.Errorf("got %+v", r)
				}
			}
			slices.Sort(left)
			if !slices.Equal(left, c.left) {
				t.Errorf("records of %q are left, want %q", left, c.left)
			}
		})
	}
}

// TestRetract: a call whose record was told turns out to have been part of another.
func TestRetract(t *testing.T) {
	db := fresh(t)
	consultation, joined, goesOn := call("8.2", 0), call("8.3", 1), call("8.1", 2)
	joined.Details.MergedInto = "8.1"
	var b store.Batch
	b.Put(consultation, joined)
	write(t, db, &b)
	b = store.Batch{Retracted: [][2]string{{"8.2", "8.1"}, {"8.3", "8.1"}}}
	b.Put(goesOn)
	write(t, db, &b)
	list, _, err := db.Records(t.Context(), store.Query{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, r := range list {
		left = append(left, r.CallID)
	}
	if slices.Sort(left); !slices.Equal(left, []string{"8.1", "8.3"}) {
		t.Errorf("records of %q are left: one that keeps a record of its own stays, the other goes", left)
	}
	if v, _, _, err := db.Judge(t.Context(), consultation); err != nil || v != record.Keep {
		t.Errorf("told again: verdict %v (%v), want that it is not wanted", v, err)
	}
}
