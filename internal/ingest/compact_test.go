package ingest_test

import (
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
)

// TestLongJournal: the journal of a caller for whom thousands of phones are rung
// stays short, and what is replayed of it after a restart makes the same record.
func TestLongJournal(t *testing.T) {
	const ringings = 3000
	events := fixture.QueueCall(ringings)
	whole := long(t, events, nil)
	for _, cut := range []int{1, 2000, 2003, 2004, 3001, 7777, len(events) - 5} {
		got := long(t, events, &cut)
		if diff := gocmp.Diff(whole, got); diff != "" {
			t.Errorf("stopped after %d facts, the record is another (-uninterrupted +stopped):\n%s", cut, diff)
		}
	}
}

// long is the record of a call, through a loop that is stopped after so many
// facts, and started again; nil: it is not.
func long(t *testing.T, events []record.Event, cut *int) record.Record {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	d := openDisk(t, path)
	opt := ingest.Options{Store: d, Bound: 2 * len(events)} // all at once: a busy machine must not make a gap of it
	if cut != nil {
		l := startWith(t, opt)
		for _, e := range events[:*cut] {
			l.Put(e)
		}
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if n, err := d.JournalSize(t.Context()); err != nil || n > 5000 {
			t.Errorf("the journal holds %d of %d facts (%v)", n, *cut, err)
		}
		events = events[*cut:]
	}
	l := startWith(t, opt)
	for _, e := range events {
		l.Put(e)
	}
	r := *l.until(t, record.CallEnded).Record
	if err := l.stop(); err != nil {
		t.Fatal(err)
	}
	r.Details.Approximate = nil // a restart is a reason
	return r
}
