package store_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// office are records of some weeks, one of which has more than a chunk holds.
func office(n int) []record.Record {
	o := fixture.Office{Begin: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), PerDay: 1500}
	all := make([]record.Record, n)
	for i := range all {
		all[i] = o.Call(i)
		if i%97 == 0 {
			all[i].Details.StartedAt = all[i-i%2].Details.StartedAt.Truncate(time.Hour) // some begin at once
		}
	}
	return all
}

// TestFind compares what is found with what is there, for hundreds of queries
// over records that are written, corrected and erased meanwhile.
func TestFind(t *testing.T) {
	db, rnd := fresh(t), rand.New(rand.NewPCG(7, 7))
	all := office(12_000)
	for some := range slices.Chunk(all, 1000) {
		commit(t, db, some...)
	}
	compareFound(t, db, rnd, all, 90)
	for i := range 40 { // corrected: some are in other weeks then
		r := &all[rnd.IntN(len(all))]
		r.SrcPhone, r.Disposition, r.Details.Recordings = "79990000"+fmt.Sprint(100+i), record.Failed, nil
		if i%4 == 0 {
			r.Details.StartedAt = r.Details.StartedAt.Add(-9 * 24 * time.Hour)
		}
		commit(t, db, *r)
	}
	compareFound(t, db, rnd, all, 60)
	if n, err := db.PruneRecords(t.Context(), time.Now().Add(time.Hour)); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	compareFound(t, db, rnd, nil, 5)
	commit(t, db, all[:600]...)
	compareFound(t, db, rnd, all[:600], 50)
}

func compareFound(t *testing.T, db *store.DB, rnd *rand.Rand, all []record.Record, queries int) {
	t.Helper()
	for range queries {
		q, fits := someQuery(rnd, all)
		var want []*record.Record
		for i := range all {
			if fits(&all[i]) {
				want = append(want, &all[i])
			}
		}
		slices.SortFunc(want, func(a, b *record.Record) int {
			n := cmp.Or(b.Details.StartedAt.Compare(a.Details.StartedAt), strings.Compare(b.CallID, a.CallID))
			if q.Oldest {
				return -n
			}
			return n
		})
		if n, more, err := db.Count(t.Context(), q, 500); err != nil || n != min(len(want), 500) || more != (len(want) > 500) {
			t.Fatalf("%+v: counted %d, %v (%v); there are %d", q, n, more, err, len(want))
		}
		q.Limit = 1 + rnd.IntN(60)
		for page := range 5 {
			got, more, err := db.Records(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			some := want[:min(q.Limit, len(want))]
			if ids(got) != idsOf(some) || more != (len(want) > len(some)) {
				t.Fatalf("%+v, page %d:\n got %s, %v\nwant %s, %v", q, page, ids(got), more, idsOf(some), len(want) > len(some))
			}
			if want = want[len(some):]; len(want) == 0 {
				break
			}
			last := some[len(some)-1]
			q.After = store.Cursor{StartedAt: last.Details.StartedAt, CallID: last.CallID}
		}
	}
}

func ids(all []record.Record) string {
	var b strings.Builder
	for _, r := range all {
		b.WriteString(r.CallID + " ")
	}
	return b.String()
}

func idsOf(all []*record.Record) string {
	var b strings.Builder
	for _, r := range all {
		b.WriteString(r.CallID + " ")
	}
	return b.String()
}

// someQuery makes a query of up to four filters, and says what it should find.
func someQuery(rnd *rand.Rand, all []record.Record) (q store.Query, fits func(*record.Record) bool) {
	model := fixture.Office{Begin: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)}.Call(rnd.IntN(12_000))
	if len(all) > 0 {
		model = all[rnd.IntN(len(all))]
	}
	var tests []func(*record.Record) bool
	add := func(f func(*record.Record) bool) { tests = append(tests, f) }
	yes := rnd.IntN(2) == 0
	part := func(s string, least int) string {
		runes := []rune(s)
		if len(runes) <= least {
			return s
		}
		from := rnd.IntN(len(runes) - least)
		return string(runes[from : from+least+rnd.IntN(len(runes)-from-least)])
	}
	filters := []func(){
		func() {
			q.Directions = []record.Direction{record.Internal, model.Direction}[:1+rnd.IntN(2)]
			add(func(r *record.Record) bool { return slices.Contains(q.Directions, r.Direction) })
		},
		func() {
			q.Dispositions = []record.Disposition{model.Disposition, record.BusyLine, record.Failed}[:1+rnd.IntN(3)]
			add(func(r *record.Record) bool { return slices.Contains(q.Dispositions, r.Disposition) })
		},
		func() {
			q.Phones = []string{model.SrcPhone, model.DstPhone}[:1+rnd.IntN(2)]
			add(func(r *record.Record) bool {
				return slices.Contains(q.Phones, r.SrcPhone) || slices.Contains(q.Phones, r.DstPhone)
			})
		},
		func() {
			q.Operators = []string{fixture.OfficeOperator(rnd.IntN(240))}
			add(func(r *record.Record) bool { return strings.Contains(everyone(r), " "+q.Operators[0]+" ") })
		},
		func() {
			q.DIDs = []string{model.Details.DID + "x", "74950001000"}
			add(func(r *record.Record) bool { return r.Details.DID == "74950001000" })
		},
		func() {
			q.Queues = []string{"vip", "sales"}[:1+rnd.IntN(2)]
			add(func(r *record.Record) bool { return slices.Contains(q.Queues, r.Details.Queue) })
		},
		func() {
			q.Number = part(model.SrcPhone, 3)
			add(func(r *record.Record) bool {
				digits := q.Number[max(0, len(q.Number)-10):]
				return strings.Contains(r.SrcPhone, digits) || strings.Contains(r.DstPhone, digits)
			})
		},
		func() {
			if q.Name = strings.TrimSpace(part(model.Details.CallerName, 3)); len([]rune(q.Name)) < 3 {
				q.Name = "Ива"
			}
			add(func(r *record.Record) bool { return strings.Contains(folded(r.Details.CallerName), folded(q.Name)) })
		},
		func() {
			q.Recorded = &yes
			add(func(r *record.Record) bool { return r.Recorded() == yes })
		},
		func() {
			q.Transferred = &yes
			add(func(r *record.Record) bool { return len(r.Details.Transfers) > 0 == yes })
		},
		func() {
			q.Approximate = &yes
			add(func(r *record.Record) bool { return len(r.Details.Approximate) > 0 == yes })
		},
		func() {
			q.MinDuration = rnd.IntN(400)
			add(func(r *record.Record) bool { return r.Duration >= q.MinDuration })
		},
		func() {
			q.From = model.Details.StartedAt
			add(func(r *record.Record) bool { return !r.Details.StartedAt.Before(q.From) })
		},
		func() {
			q.To = model.Details.StartedAt.Add(time.Duration(rnd.IntN(1000)) * time.Hour)
			add(func(r *record.Record) bool { return r.Details.StartedAt.Before(q.To) })
		},
	}
	q.Oldest = rnd.IntN(3) == 0
	for _, i := range rnd.Perm(len(filters))[:rnd.IntN(5)] {
		filters[i]()
	}
	return q, func(r *record.Record) bool {
		return !slices.ContainsFunc(tests, func(f func(*record.Record) bool) bool { return !f(r) })
	}
}

// everyone are the phones of a call, with blanks around each.
func everyone(r *record.Record) string {
	out := " " + r.SrcPhone + " " + r.DstPhone + " "
	for _, g := range r.Details.Rang {
		out += g.Phone + " "
	}
	for _, c := range r.Details.Conversations {
		out += c.A + " " + c.B + " "
	}
	for _, f := range r.Details.Transfers {
		out += f.By + " " + f.To + " "
	}
	return out
}

func folded(s string) string { return strings.ReplaceAll(strings.ToLower(s), "ё", "е") }

// TestFindByParts: numbers in any spelling, names in any case, short and strange
// ones.
func TestFindByParts(t *testing.T) {
	db := fresh(t)
	r := call("1.1", 0)
	r.SrcPhone, r.DstPhone, r.Details.CallerName = "+7 (903) 123-45-67", "anna", "  Пётр   O'Neil 王伟"
	other := call("1.2", 1)
	other.SrcPhone, other.DstPhone = "+79031234568", "903123"
	commit(t, db, r, other)
	for _, c := range []struct{ number, name, want string }{
		{"9031234567", "", "1.1 "}, {"8 903 123-45-67", "", "1.1 "}, {"+79031234567", "", "1.1 "}, {"0079031234567", "", "1.1 "}, {"456", "", "1.2 1.1 "},
		{"31903", "", ""}, {"568903", "", ""}, {"", "петр o", "1.1 "}, {"", "ПЁТР", "1.1 "}, {"", "'neil", "1.1 "}, {"", "王伟", "1.1 "}, {"", "пе", "1.1 "}, {"", "тр", ""},
		{"903", "neil", "1.1 "}, {"", "%", ""}, {"", "нет такого", ""},
	} {
		got, _, err := db.Records(t.Context(), store.Query{Number: c.number, Name: c.name})
		if err != nil || ids(got) != c.want {
			t.Errorf("number %q, name %q: got %s (%v), want %s", c.number, c.name, ids(got), err, c.want)
		}
	}
}

// TestFoundNoMore: nothing that an erased call was found by is left.
func TestFoundNoMore(t *testing.T) {
	db := fresh(t)
	for i := range 300 { // so many that they get their places
		commit(t, db, call(fmt.Sprintf("1.%d", i), i))
	}
	erase := call("2.1", 0)
	erase.SrcPhone, erase.Details.CallerName = "79035550123", "Erase Me"
	commit(t, db, erase)
	p, err := db.Person(t.Context(), "79035550123")
	if err != nil || p.Calls != 1 {
		t.Fatal(p, err)
	}
	if _, err := db.Forget(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	for _, q := range []store.Query{{Number: "5550123"}, {Name: "erase"}, {Phones: []string{"79035550123"}}} {
		if n, _, err := db.Count(t.Context(), q, 10); n != 0 || err != nil {
			t.Errorf("%+v: %d (%v)", q, n, err)
		}
	}
}
