package api_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/store"
)

// BenchmarkFigures asks for whom to call back after a week in the middle, and for
// figures of all records, through the whole handler. -short leaves it out, as it does
// BenchmarkList.
func BenchmarkFigures(b *testing.B) {
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
	week := "from=" + middle.AddDate(0, 0, -7).Format(time.RFC3339) + "&to=" + middle.Format(time.RFC3339)
	for _, c := range []struct{ name, path string }{
		{"missed-of-a-week", "/v1/missed?" + week},
		{"missed-of-a-week-counted", "/v1/missed?count=true&" + week},
		{"figures-of-a-week", "/v1/stats?" + week},
		{"figures-of-a-year", "/v1/stats?from=2024-01-01&to=2025-01-01&zone=Europe/Moscow"},
		{"figures-of-a-year-filtered", "/v1/stats?from=2024-01-01&to=2025-01-01&direction=in&queue=sales"},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, c.path, nil)
				r.Header.Set("Authorization", "Bearer "+token)
				if h.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms")
		})
	}
}
