package api_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/store"
)

// manyRecords is how many the benchmarks make: BENCH_RECORDS, or a million.
func manyRecords(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("BENCH_RECORDS"))
	if os.Getenv("BENCH_RECORDS") == "" {
		n, err = 1_000_000, nil
	}
	if err != nil {
		b.Fatalf("BENCH_RECORDS: %v", err)
	}
	return n
}

// filter is a parameter of the list with a value.
type filter struct{ name, value string }

// filters are all that there are, with common values and rare ones. Those that
// read a part of a number or name are last.
func filters() (plain, parts []filter) {
	plain = []filter{{"direction", "in"}, {"direction", "internal"}, {"disposition", "answered"}, {"disposition", "busy"}, {"disposition", "failed"}, {"disposition", "busy,no_answer"}, {"disposition", "unknown"},
		{"phone", "101"}, {"phone", "330"}, {"phone", fixture.OfficeClient(0)}, {"phone", fixture.OfficeClient(200_000)}, {"operator", "102"}, {"operator", "333"}, {"did", "74950001000"}, {"did", "74950001011"},
		{"queue", "sales"}, {"queue", "vip"}, {"recorded", "true"}, {"recorded", "false"}, {"minDuration", "60"}, {"minDuration", "1000"}, {"minDuration", "7000"},
		{"transferred", "true"}, {"approximate", "true"}, {"sort", "startedAt"}}
	parts = []filter{{"number", "903"}, {"number", "7903"}, {"number", fixture.OfficeClient(7)[4:]}, {"number", "+7 " + fixture.OfficeClient(250_000)[1:]}, {"number", "99999"},
		{"name", "ива"}, {"name", "Соколова"}, {"name", "Пётр Зай"}, {"name", "zzz"}}
	return plain, parts
}

// combinations are the queries of one to three of all filters, each with one of
// with in it.
func combinations(with, all []filter) (out []url.Values) {
	add := func(some ...filter) {
		q := url.Values{}
		for _, f := range some {
			if q.Has(f.name) {
				return
			}
			q.Set(f.name, f.value)
		}
		out = append(out, q)
	}
	for _, a := range with {
		add(a)
		for i, b := range all {
			add(a, b)
			for _, c := range all[i+1:] {
				add(a, b, c)
			}
		}
	}
	return out
}

// benched is the whole handler over a database, for benchmarks.
func benched(db *store.DB) http.Handler {
	return api.New(api.Options{Hosts: []string{"example.com"},
		Records: db, CallBacks: db, Figures: db, Library: recording.New(nil), Signer: recording.Signer{Key: []byte("key"), TTL: time.Hour},
		Tokens: []api.Token{{Name: "crm", Hash: sha256.Sum256([]byte(token))}},
		Health: func(context.Context) contract.Health { return contract.Health{} }, Now: time.Now, Version: "test",
	})
}

// BenchmarkList asks for pages of 100 records through the whole handler: token,
// parameters, query, JSON. It has each filter, each pair and each triple of them;
// each without a range, with one of a month, and deep: behind the middle. What it
// prints is over all of them. -short leaves it out: making the records takes minutes.
func BenchmarkList(b *testing.B) {
	if testing.Short() {
		b.Skip("-short: a million records take minutes to make")
	}
	db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "voipd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	fill(b, db)
	h := benched(db)
	office := fixture.Office{Begin: begin()}
	middle := office.Call(manyRecords(b) / 2).Details.StartedAt
	plain, parts := filters()
	all := slices.Concat(plain, parts)
	for _, c := range []struct {
		name    string
		queries []url.Values
		with    url.Values
	}{
		{"newest", []url.Values{{}}, nil},
		{"behind-the-middle", []url.Values{{}}, url.Values{"to": {middle.Format(time.RFC3339)}}},
		{"filters", combinations(plain, plain), nil},
		{"filters-in-a-month", combinations(plain, plain), url.Values{"from": {middle.Format(time.RFC3339)}, "to": {middle.AddDate(0, 1, 0).Format(time.RFC3339)}}},
		{"filters-behind-the-middle", combinations(plain, plain), url.Values{"to": {middle.Format(time.RFC3339)}}},
		{"parts", combinations(parts, all), nil},
		{"parts-behind-the-middle", combinations(parts, all), url.Values{"to": {middle.Format(time.RFC3339)}}},
		{"filters-counted", combinations(plain, plain), url.Values{"count": {"true"}, "limit": {"1"}}},
		{"parts-counted", combinations(parts, all), url.Values{"count": {"true"}, "limit": {"1"}}},
	} {
		b.Run(c.name, func(b *testing.B) { ask(b, h, c.queries, c.with) })
	}
}

// ask asks for all queries, over and over, and prints the percentiles and which
// was the slowest.
func ask(b *testing.B, h http.Handler, queries []url.Values, with url.Values) {
	var took []time.Duration
	var slowest time.Duration
	var which string
	for n, more := 0, true; more || n%len(queries) != 0; n++ {
		more = more && b.Loop()
		q := url.Values{}
		for _, from := range []url.Values{queries[n%len(queries)], with} {
			for name, values := range from {
				q[name] = values
			}
		}
		w, began := httptest.NewRecorder(), time.Now()
		h.ServeHTTP(w, get(q))
		took = append(took, time.Since(began))
		if w.Code != http.StatusOK {
			b.Fatalf("%v: %d %s", q, w.Code, w.Body)
		}
		if last := took[len(took)-1]; last > slowest {
			slowest, which = last, q.Encode()
		}
	}
	slices.Sort(took)
	ms := func(part int) float64 { return float64(took[(len(took)-1)*part/100].Microseconds()) / 1000 }
	b.ReportMetric(ms(50), "p50-ms")
	b.ReportMetric(ms(99), "p99-ms")
	b.ReportMetric(ms(100), "worst-ms")
	b.ReportMetric(float64(len(queries)), "queries")
	b.ReportMetric(0, "ns/op") // the percentiles say it
	if os.Getenv("BENCH_SLOWEST") != "" {
		fmt.Println("slowest:", slowest, which)
	}
}

func get(query url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/records?"+query.Encode(), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// begin is the first day of the calls.
func begin() time.Time { return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) }

// fill makes the records of a large office.
func fill(b *testing.B, db *store.DB) {
	const batch = 10_000
	office, began := fixture.Office{Begin: begin()}, time.Now()
	for n := 0; n < manyRecords(b); n += batch {
		var all store.Batch
		for i := range batch {
			all.Put(office.Call(n + i))
		}
		if err := db.Commit(context.Background(), &all); err != nil {
			b.Fatal(err)
		}
	}
	database, _ := db.Sizes()
	b.Logf("%d records: %d MB, made in %s", manyRecords(b), database/1e6, time.Since(began).Round(time.Second))
}
