package store_test

import (
	"fmt"
	"testing"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestSplit: a batch of many calls, written piece by piece; after each piece a
// call has either its journal, or its record, trace and change.
func TestSplit(t *testing.T) {
	db := fresh(t)
	var open, b store.Batch
	for i := range 25 {
		id := fmt.Sprintf("1.%d", i)
		open.Journal = append(open.Journal, store.Entry{CallID: id, Event: record.Event{Kind: record.Created, Channel: record.Channel{ID: id}}})
		r := call(id, i)
		b.Records = append(b.Records, &r)
		b.Closed = append(b.Closed, store.Closed{CallID: id, At: r.Details.EndedAt})
		b.Changes = append(b.Changes, store.Change{Record: &r, KindOf: contract.RecordKind, CallID: id, Body: []byte(`{}`)})
	}
	write(t, db, &open)
	pieces := b.Split(10)
	if len(pieces) != 3 {
		t.Fatalf("%d pieces", len(pieces))
	}
	for n, piece := range pieces {
		write(t, db, piece)
		rows, err := fixture.All(t.Context(), db.Journal)
		if err != nil {
			t.Fatal(err)
		}
		changes, err := db.Changes(t.Context(), 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		done := min(25, 10*(n+1))
		if len(rows) != 25-done || count(t, db) != int64(done) || len(changes) != done {
			t.Errorf("after piece %d: %d journals, %d records, %d changes", n, len(rows), count(t, db), len(changes))
		}
	}
}
