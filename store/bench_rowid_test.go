package store

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRowid brings a database of 300,000 calls, each with a record of a
// kilobyte, a recording and a trace of half a kilobyte, to rowid tables. It says
// how many bytes a call takes before and after, without what is free for new
// ones, and how large the log beside it became.
func BenchmarkRowid(b *testing.B) {
	const calls = 300_000
	if testing.Short() {
		b.Skip("-short: 300,000 records take a minute to make")
	}
	path := filepath.Join(b.TempDir(), "voipd.db")
	before(b, path, calls)
	had, _ := use(b, path)
	var log int64
	for b.Loop() { // once: it takes longer than a benchmark lasts
		db, err := Open(b.Context(), path, Moving(func(Moved) {
			if info, err := os.Stat(path + "-wal"); err == nil {
				log = max(log, info.Size())
			}
		}))
		if err != nil {
			b.Fatal(err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
	has, _ := use(b, path)
	b.ReportMetric(float64(had)/calls, "bytes/call-before")
	b.ReportMetric(float64(has)/calls, "bytes/call")
	b.ReportMetric(float64(log)/(1<<20), "log-MiB")
	b.ReportMetric(calls/b.Elapsed().Seconds(), "calls/s")
}
