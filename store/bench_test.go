package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// BenchmarkCommit says how many records a second are on the disk for good
// (synchronous=FULL, a real file): one at a time, as on a quiet PBX, and many
// in a batch, as the loop does when many calls end at once. The file lies in
// TMPDIR: a disk is measured only where that is on one.
func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 64} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "voipd.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			records := 0
			for b.Loop() {
				batch := store.Batch{Records: make([]record.Record, size)}
				for i := range batch.Records {
					batch.Records[i] = call(fmt.Sprintf("1795366192.%d", records), records)
					records++
				}
				if err := db.Commit(context.Background(), &batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
