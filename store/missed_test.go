package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/record"
)

// TestPersonInSQL: SQLite tells whom a call is with as Go does.
func TestPersonInSQL(t *testing.T) {
	db := openT(t)
	numbers := []string{"", "anonymous", "Anonymous", "79031234567", "+7 (903) 123-45-67", "8 903 123.45.67", "9031234567", "112", "00", "+", "anna", "Anna K", "анна", "ЁЖ", "442079460958", "020 7946 0958", "1/2"}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := make([]byte, rnd.IntN(16))
		for i := range b {
			b[i] = "0123456789+- ()./aZ"[rnd.IntN(19)]
		}
		numbers = append(numbers, string(b))
	}
	for _, number := range numbers {
		for _, r := range []record.Record{{Direction: record.In, SrcPhone: number, Disposition: record.NoAnswer}, {Direction: record.Out, DstPhone: number, Disposition: record.Answered},
			{Direction: record.Internal, SrcPhone: number}, {Direction: record.In, SrcPhone: number, Disposition: record.NoAnswer, Details: record.Details{MergedInto: "1.2"}},
			{Direction: record.In, SrcPhone: number, Disposition: record.Answered, Details: record.Details{MergedInto: "1.2", CallerName: `"mergedInto":"x`}}} {
			details, err := detailsJSON(&r.Details)
			if err != nil {
				t.Fatal(err)
			}
			var got string
			if err := db.reader.QueryRowContext(t.Context(), `SELECT coalesce(`+person("r")+`, '') FROM (SELECT ? AS direction, ? AS disposition, ? AS src_phone, ? AS dst_phone, ? AS details) AS r`,
				r.Direction, r.Disposition, r.SrcPhone, r.DstPhone, details).Scan(&got); err != nil {
				t.Fatal(err)
			}
			if want := personOf(&r); got != want {
				t.Errorf("%+v: SQLite says %q, Go %q", r, got, want)
			}
		}
	}
}

func openT(t *testing.T) *DB {
	t.Helper()
	db, err := Open(t.Context(), t.TempDir()+"/voipd.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// spelled is a number as one of several people writes it.
func spelled(rnd *rand.Rand, n int) string {
	return fmt.Sprintf([]string{"7903000%04d", "+7903000%04d", "8 (903) 000-%04d", "903000%04d"}[rnd.IntN(4)], n)
}

// TestMissedByTheRule: the list is what record.MissedOf says of each person, in every
// window and page, after random calls, corrections, erasures and dismissals.
func TestMissedByTheRule(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	db, begin := openT(t), time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	kept, dismissed := map[string]record.Record{}, map[string]time.Time{}
	for round := range 30 {
		var b Batch
		for range 20 {
			start := begin.Add(time.Duration(rnd.IntN(600)) * time.Minute)
			r := record.Record{CallID: fmt.Sprint("1.", rnd.IntN(200)), Direction: []record.Direction{record.In, record.In, record.Out, record.Internal}[rnd.IntN(4)],
				Disposition: []record.Disposition{record.Answered, record.NoAnswer, record.BusyLine, record.Cancelled}[rnd.IntN(4)],
				SrcPhone:    spelled(rnd, rnd.IntN(12)), DstPhone: "101", Details: record.Details{StartedAt: start, Source: "ami"}}
			if r.Direction == record.Out {
				r.SrcPhone, r.DstPhone = r.DstPhone, r.SrcPhone
			}
			if r.Disposition == record.Answered {
				r.Duration = rnd.IntN(3600)
			}
			b.Put(r)
			kept[r.CallID] = r
		}
		if err := db.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if round%5 == 4 {
			number := spelled(rnd, rnd.IntN(12))
			to := begin.Add(time.Duration(rnd.IntN(600)) * time.Minute)
			err := db.Dismiss(t.Context(), Dismissal{Who: number, At: begin}, begin, to, func(m record.Missed, _ record.Record) Change {
				dismissed[PersonOf(number)] = maxTime(dismissed[PersonOf(number)], m.LastAt)
				return Change{Kind: "missed.dismissed", CallID: m.LastID, At: begin, Body: []byte(`{}`)}
			})
			if err != nil && !errors.Is(err, ErrNotMissed) {
				t.Fatal(err)
			}
		}
		from, to := begin.Add(time.Duration(rnd.IntN(300))*time.Minute), begin.Add(time.Duration(300+rnd.IntN(300))*time.Minute)
		if diff := cmp.Diff(byTheRule(kept, dismissed, from, to), listed(t, db, from, to, 1+rnd.IntN(5))); diff != "" {
			t.Fatalf("round %d: want (-), got (+):\n%s", round, diff)
		}
	}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// byTheRule is what the list is by the rule, person by person.
func byTheRule(kept map[string]record.Record, dismissed map[string]time.Time, from, to time.Time) (out []record.Missed) {
	of := map[string][]record.Contact{}
	for _, r := range kept {
		who, at := personOf(&r), r.Details.StartedAt
		if who == "" || !at.Before(to) || at.Before(from) && r.Disposition != record.Answered {
			continue
		}
		of[who] = append(of[who], record.Contact{CallID: r.CallID, At: at, Until: at.Add(time.Duration(r.Duration) * time.Second), Direction: r.Direction, Disposition: r.Disposition})
	}
	for who, calls := range of {
		slices.SortFunc(calls, func(a, b record.Contact) int {
			return compareAt(b.At.UnixMilli(), a.At.UnixMilli(), b.CallID, a.CallID)
		})
		if m := record.MissedOf(calls, dismissed[who]); m.Calls > 0 {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b record.Missed) int {
		return compareAt(b.LastAt.UnixMilli(), a.LastAt.UnixMilli(), b.LastID, a.LastID)
	})
	return out
}

func listed(t *testing.T, db *DB, from, to time.Time, page int) (out []record.Missed) {
	t.Helper()
	q := MissedQuery{From: from, To: to, Limit: page}
	for {
		list, more, err := db.Missed(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list {
			out = append(out, m.Missed)
			q.After = Cursor{StartedAt: m.LastAt, CallID: m.LastID}
		}
		if !more {
			break
		}
	}
	if n, err := db.CountMissed(t.Context(), q); err != nil || n != len(out) {
		t.Errorf("%d are counted, %d listed (%v)", n, len(out), err)
	}
	return out
}
