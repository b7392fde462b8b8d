package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const manyRecords = 1_000_000

// BenchmarkList asks for pages of 100 out of a million records, through the
// whole handler: token, parameters, query, JSON. Making the million takes a
// minute or two and 700 MB in TMPDIR; -short leaves it out.
func BenchmarkList(b *testing.B) {
	if testing.Short() {
		b.Skip("-short: a million records take a minute to make")
	}
	db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "voipd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	fill(b, db)
	h := api.New(api.Options{Hosts: []string{"example.com"},
		Records: db, Library: recording.New(nil), Signer: recording.Signer{Key: []byte("key"), TTL: time.Hour},
		Tokens: []api.Token{{Name: "crm", Hash: sha256.Sum256([]byte(token))}},
		Health: func(context.Context) contract.Health { return contract.Health{} }, Now: time.Now, Version: "test",
	})
	deep := cursorAt(b, h, begin().Add(manyRecords/2*time.Second))
	for _, c := range []struct {
		name  string
		query func(n int) url.Values
	}{
		{"newest", func(int) url.Values { return url.Values{} }},
		{"phone=operator", func(n int) url.Values { return url.Values{"phone": {operator(n)}} }},
		{"phone=client", func(n int) url.Values { return url.Values{"phone": {client(n * 7919)}} }},
		{"disposition=no_answer", func(int) url.Values { return url.Values{"disposition": {"no_answer"}} }},
		{"cursor=500000-deep", func(int) url.Values { return url.Values{"cursor": {deep}} }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				q := c.query(len(took))
				r, w := get(q), httptest.NewRecorder()
				began := time.Now()
				h.ServeHTTP(w, r)
				took = append(took, time.Since(began))
				if w.Code != http.StatusOK || w.Body.Len() < 1000 {
					b.Fatalf("%v: %d %s", q, w.Code, w.Body)
				}
			}
			slices.Sort(took)
			ms := func(part int) float64 { return float64(took[(len(took)-1)*part/100].Microseconds()) / 1000 }
			b.ReportMetric(ms(50), "p50-ms")
			b.ReportMetric(ms(99), "p99-ms")
			b.ReportMetric(0, "ns/op") // the percentiles say it
		})
	}
}

func get(query url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/v1/records?"+query.Encode(), nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// cursorAt is the cursor of a page in the middle of the list.
func cursorAt(b *testing.B, h http.Handler, at time.Time) string {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, get(url.Values{"to": {at.Format(time.RFC3339)}}))
	var page struct{ Next string }
	if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || page.Next == "" {
		b.Fatalf("no cursor: %v, %s", err, w.Body)
	}
	return page.Next
}

// begin is when the first of the calls began.
func begin() time.Time { return time.Unix(1_795_366_192, 0).UTC() }

// fill makes a call a second by 200 operators with 50,000 clients, a third of them
// outbound, a fifth of them not answered, recorded where answered.
func fill(b *testing.B, db *store.DB) {
	const batch = 10_000
	for n := 0; n < manyRecords; n += batch {
		var all store.Batch
		for i := range batch {
			all.Put(theCall(n + i))
		}
		if err := db.Commit(context.Background(), &all); err != nil {
			b.Fatal(err)
		}
	}
}

func operator(n int) string { return fmt.Sprint(1000 + n%200) }
func client(n int) string   { return fmt.Sprintf("7903%07d", n%50_000) }

func theCall(n int) record.Record {
	start := begin().Add(time.Duration(n) * time.Second)
	r := record.Record{CallID: fmt.Sprintf("%d.%d", start.Unix(), n), Direction: record.In, Disposition: record.Answered,
		SrcPhone: client(n * 31), DstPhone: operator(n), Duration: 60,
		Details: record.Details{StartedAt: start, EndedAt: start.Add(time.Minute), BeganBy: "external", Source: "ami"}}
	if n%3 == 0 {
		r.Direction, r.SrcPhone, r.DstPhone, r.Details.BeganBy = record.Out, r.DstPhone, r.SrcPhone, "internal"
	}
	if n%5 == 0 {
		r.Disposition, r.Duration = record.NoAnswer, 0
		return r
	}
	path := "/var/spool/asterisk/monitor/" + r.CallID + ".wav"
	r.Details.Recordings = []record.Recording{{ID: record.RecordingID(path), Path: path, At: start, State: record.Ready, Bytes: 960_044, MS: 60_000, Talk: true}}
	return r
}
