package backfill_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// BenchmarkRows reads every capture's rows, without a Machine.
func BenchmarkRows(b *testing.B) {
	for source, read := range readers() {
		b.Run(source, func(b *testing.B) {
			files, err := filepath.Glob(captures + "*/*/" + source + ".csv.gz")
			if err != nil || len(files) == 0 {
				b.Fatal("no captures", err)
			}
			var texts []string
			rows := 0
			for _, file := range files {
				all := lines(b, file)
				texts, rows = append(texts, strings.Join(all, "\n")), rows+len(all)
			}
			source := func(i int) io.Reader { return strings.NewReader(texts[i]) }
			b.ReportAllocs()
			for b.Loop() {
				for i := range texts {
					if _, err := read(source(i), backfill.Options{}, func(record.Event) {}); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
