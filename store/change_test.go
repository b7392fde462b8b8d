package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

func openOutbox(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.Deliver(func(kind string) []store.Recipient {
		to := []store.Recipient{{Endpoint: "crm"}}
		if kind == "call.started" {
			to = append(to, store.Recipient{Endpoint: "popup", ExpiresAfter: time.Minute})
		}
		return to
	})
	return db
}

func write(t *testing.T, db *store.DB, b *store.Batch) {
	t.Helper()
	if err := db.Commit(context.Background(), b); err != nil {
		t.Fatal(err)
	}
}

// told writes a record and the change that tells it.
func told(t *testing.T, db *store.DB, r record.Record) {
	t.Helper()
	write(t, db, &store.Batch{Records: []*record.Record{&r}, Changes: []store.Change{{Record: &r, KindOf: contract.RecordKind, CallID: r.CallID, Body: []byte(`{}`)}}})
}

func kinds(t *testing.T, db *store.DB, after int64) []string {
	t.Helper()
	list, err := db.Changes(context.Background(), after, 100)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range list {
		out = append(out, c.Kind+" "+c.CallID)
	}
	return out
}

// TestARecordIsCreatedOnce: whoever tells it, the second account of a call is a
// correction, and a worse account is not told at all.
func TestARecordIsCreatedOnce(t *testing.T) {
	db := openOutbox(t)
	worse := call("1.1", 0)
	worse.Details.Source = "cdr"
	told(t, db, call("1.1", 0))
	told(t, db, worse)
	told(t, db, call("1.1", 0))
	told(t, db, call("1.2", 0))
	want := []string{"record.created 1.1", "record.corrected 1.1", "record.created 1.2"}
	if got := kinds(t, db, 0); !cmp.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	list, next, err := db.ChangedRecords(context.Background(), 1, 100)
	if err != nil || next != 3 || len(list) != 2 {
		t.Errorf("changed records behind 1: %d, next %d (%v)", len(list), next, err)
	}
}

// TestPrune: what is too old is dropped for readers, but stays in the outbox as long
// as it waits or is parked; numbers are never given twice.
func TestPrune(t *testing.T) {
	db, ctx := openOutbox(t), context.Background()
	for range 3 {
		write(t, db, &store.Batch{Changes: []store.Change{{Kind: "call.held", CallID: "1.1", Body: []byte(`{}`)}}})
	}
	later := time.Now().Add(time.Hour)
	settle := func(seq int64) {
		t.Helper()
		if err := db.Settle(ctx, []store.Delivery{{Endpoint: "crm", Change: store.Change{Seq: seq}, State: store.Delivered}}); err != nil {
			t.Fatal(err)
		}
	}
	span := func(want store.Span) {
		t.Helper()
		if _, err := db.PruneChanges(ctx, later, later); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Span(ctx); err != nil || got != want {
			t.Errorf("got %v (%v), want %v", got, err, want)
		}
	}
	settle(1)
	if err := db.Settle(ctx, []store.Delivery{{Endpoint: "crm", Change: store.Change{Seq: 3}, State: store.Parked}}); err != nil {
		t.Fatal(err)
	}
	later = time.Now().Add(time.Hour)
	if _, err := db.PruneChanges(ctx, later, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if o, err := db.Outbox(ctx); err != nil || o.Waiting == 0 || o.Parked != 1 {
		t.Errorf("%+v are left in the outbox (%v)", o, err)
	}
	span(store.Span{First: 4, Last: 3})
	if o, err := db.Outbox(ctx); err != nil || o.Parked != 0 {
		t.Errorf("parked long ago: %+v (%v)", o, err)
	}
	settle(2)
	span(store.Span{First: 4, Last: 3})
	write(t, db, &store.Batch{Changes: []store.Change{{Kind: "call.held", CallID: "1.2", Body: []byte(`{}`)}}})
	span(store.Span{First: 5, Last: 4})
	for after, want := range map[int64]bool{2: false, 3: true, 4: true, 5: false} {
		if got := (store.Span{First: 4, Last: 4}).Follows(after); got != want {
			t.Errorf("after %d: %v", after, got)
		}
	}
}

// TestDueInOrder: of each call only the first that waits is due; what is behind
// one that failed waits with it; what is parked is stepped over.
func TestDueInOrder(t *testing.T) {
	db, ctx := openOutbox(t), context.Background()
	for _, id := range []string{"1.1", "1.1", "1.2", "1.1"} {
		write(t, db, &store.Batch{Changes: []store.Change{{Kind: "call.held", CallID: id, Body: []byte(`{}`)}}})
	}
	now := time.Now().Add(time.Second)
	due := func(at time.Time, want ...int64) []store.Delivery {
		t.Helper()
		list, _, err := db.Due(ctx, "crm", at, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, d := range list {
			got = append(got, d.Change.Seq)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("due: %v, want %v", got, want)
		}
		return list
	}
	d := due(now, 1, 3)[0]
	d.Next, d.Attempts = now.Add(time.Minute), 1
	if err := db.Settle(ctx, []store.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	due(now, 3)
	if _, next, err := db.Due(ctx, "crm", now, 10); err != nil || next.UnixMilli() != d.Next.UnixMilli() {
		t.Errorf("next %v (%v), want %v", next, err, d.Next)
	}
	d.State = store.Parked
	if err := db.Settle(ctx, []store.Delivery{d}); err != nil {
		t.Fatal(err)
	}
	due(now.Add(time.Hour), 3, 2)
	if n, err := db.Retry(ctx, 1, now); err != nil || n != 1 {
		t.Errorf("retry: %d (%v)", n, err)
	}
	due(now.Add(time.Hour), 3, 1)
	if n, err := db.ParkOthers(ctx, []string{"popup"}); err != nil || n != 4 {
		t.Errorf("parked %d (%v), want 4", n, err)
	}
	if o, err := db.Outbox(ctx); err != nil || o.Parked != 4 || o.Waiting != 0 || !o.Oldest.IsZero() {
		t.Errorf("outbox %+v (%v)", o, err)
	}
}

// TestChangedWakes: who waits is woken by the next change, and only by a
// change.
func TestChangedWakes(t *testing.T) {
	db := openOutbox(t)
	changed := db.Changed()
	commit(t, db, call("1.1", 0))
	select {
	case <-changed:
		t.Error("woken by nothing")
	default:
	}
	write(t, db, &store.Batch{Changes: []store.Change{{Kind: "call.held", CallID: "1.1", Body: []byte(`{}`)}}})
	<-changed
}
