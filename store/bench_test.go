package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

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
				var batch store.Batch
				for range size {
					batch.Put(call(fmt.Sprintf("1795366192.%d", records), records))
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

// BenchmarkOutbox says what one delivery costs, from due to settled, beside a
// hundred thousand that are done and ten thousand that wait for a later try.
func BenchmarkOutbox(b *testing.B) {
	const done, later = 100_000, 10_000
	db, err := store.Open(context.Background(), filepath.Join(b.TempDir(), "voipd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.Deliver(func(string) []store.Recipient { return []store.Recipient{{Endpoint: "crm"}} })
	ctx, seq := context.Background(), int64(0)
	put := func(n int) []store.Delivery {
		batch, list := store.Batch{}, []store.Delivery(nil)
		for range n {
			seq++
			c := store.Change{Seq: seq, At: time.Now(), Kind: "call.ended", CallID: fmt.Sprint(seq / 3), Body: []byte(`{}`)}
			batch.Changes = append(batch.Changes, c)
			list = append(list, store.Delivery{Endpoint: "crm", Change: c, State: store.Delivered})
		}
		if err := db.Commit(ctx, &batch); err != nil {
			b.Fatal(err)
		}
		return list
	}
	settle := func(list []store.Delivery) {
		if err := db.Settle(ctx, list); err != nil {
			b.Fatal(err)
		}
	}
	settle(put(done))
	wait := put(later)
	for i := range wait {
		wait[i].State, wait[i].Next = store.DeliveryWaiting, time.Now().Add(time.Hour)
	}
	settle(wait)
	for b.Loop() {
		put(1)
		due, _, err := db.Due(ctx, "crm", time.Now().Add(time.Second), 64)
		if err != nil || len(due) != 1 {
			b.Fatal(len(due), err)
		}
		due[0].State = store.Delivered
		settle(due)
	}
}
