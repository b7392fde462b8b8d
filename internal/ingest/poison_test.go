package ingest_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// faulty is a loop at work whose Machine panics at the facts that fault picks.
func faulty(t *testing.T, d *disk, fault func(record.Event) bool) *running {
	t.Helper()
	return startWith(t, ingest.Options{Store: d, Fault: func(e record.Event) {
		if fault(e) {
			panic("a fact that nobody foresaw")
		}
	}})
}

// twoCalls are the facts of two calls, the second one's shifted by an id.
func twoCalls(t *testing.T) (all []record.Event, first, second string) {
	t.Helper()
	one := callEvents(t, "in-answered")
	first = one[0].Channel.Linked
	for _, e := range one {
		other := e
		for _, c := range []*record.Channel{&other.Channel, &other.Peer} {
			if c.ID != "" {
				c.ID = "2" + c.ID
			}
			if c.Linked != "" {
				c.Linked = "2" + c.Linked
			}
		}
		if other.Bridge != "" {
			other.Bridge = "2" + other.Bridge
		}
		all = append(all, e, other)
	}
	return all, first, "2" + first
}

// TestLivePanic: a fact that makes the Machine panic costs its own call, and
// nothing of another one.
func TestLivePanic(t *testing.T) {
	events, first, second := twoCalls(t)
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	bad := 0
	l := faulty(t, d, func(e record.Event) bool {
		if strings.HasPrefix(e.Channel.ID, "2") && e.Kind == record.DialStarted {
			bad++
			return bad == 1
		}
		return false
	})
	for _, e := range events {
		l.Put(e)
	}
	for {
		if c := l.until(t, record.CallEnded); c.CallID == first {
			if len(c.Record.Details.Approximate) == 0 && c.Record.Disposition != record.Answered {
				t.Errorf("the other call is %+v", c.Record)
			}
			break
		}
	}
	<-l.resyncs
	var h contract.Health
	l.Health(t.Context(), &h)
	if !h.Warned("facts-quarantined") || h.Quarantine == nil || h.Quarantine.Facts < 2 || h.Quarantine.Calls != 1 || h.Quarantine.Latest != second {
		t.Errorf("health does not tell: %+v", h)
	}
	if s := h.Store; s.Bytes == 0 || s.DiskFree == 0 || s.DiskFree > s.DiskBytes {
		t.Errorf("the database is %d large, on a disk of %d with %d free", s.Bytes, s.DiskBytes, s.DiskFree)
	}
	facts, unreadable, q, err := d.Quarantined(t.Context(), second)
	if err != nil || len(unreadable) > 0 || len(facts) < 2 || facts[len(facts)-1].Kind != record.DialStarted || !strings.Contains(q.Reason, "nobody foresaw") || !strings.Contains(q.Stack, "poison_test.go") {
		t.Errorf("set aside: %d facts, %q, %+v, %v", len(facts), unreadable, q, err)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if !slices.ContainsFunc(stored(t, d), func(r record.Record) bool { return r.CallID == first }) {
		t.Error("the other call has no record")
	}
}

// TestPanicsAgain: where each fact of a call panics, its facts are not applied any
// more, and the loop goes on.
func TestPanicsAgain(t *testing.T) {
	events, first, _ := twoCalls(t)
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := faulty(t, d, func(e record.Event) bool {
		return strings.HasPrefix(e.Channel.ID, "2") || strings.HasPrefix(e.Peer.ID, "2")
	})
	for _, e := range events {
		l.Put(e)
	}
	for c := l.until(t, record.CallEnded); c.CallID != first; c = l.until(t, record.CallEnded) {
		continue
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if n := len(l.resyncs); n == 0 || n > 20 {
		t.Errorf("the PBX is asked for its channels %d times", n)
	}
}

// TestPoisonedJournal: a row that cannot be read, and a fact that panics when it
// is replayed, cost their own calls alone; the start goes on with the others.
func TestPoisonedJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	d := openDisk(t, path)
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	var b store.Batch
	for i, id := range []string{"good", "panics", "unreadable"} {
		ch := record.Channel{ID: id, Linked: id, Name: "PJSIP/10" + string(rune('1'+i)) + "-00000001"}
		b.Journal = append(b.Journal,
			store.Entry{CallID: id, Event: record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: ch, State: record.Ring, Exten: "200"}},
			store.Entry{CallID: id, Event: record.Event{At: at, Kind: record.StateChanged, Source: record.SourceAMI, Channel: ch, State: record.Up}})
	}
	if err := d.Commit(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := fixture.Exec(t.Context(), path, `UPDATE journal SET event = json_set(event, '$.kind', 'of_a_newer_version') WHERE call_id = 'unreadable' AND seq = (SELECT max(seq) FROM journal)`); err != nil {
		t.Fatal(err)
	}
	l := faulty(t, d, func(e record.Event) bool { return e.Channel.ID == "panics" && e.Kind == record.StateChanged })
	l.Put(record.Event{At: at.Add(time.Minute), Kind: record.HungUp, Source: record.SourceAMI, Channel: record.Channel{ID: "good", Linked: "good"}, Cause: 16})
	if c := l.until(t, record.CallEnded); c.CallID != "good" {
		t.Errorf("ended: %+v", c)
	}
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if facts, calls, _, err := d.InQuarantine(t.Context()); facts != 4 || calls != 2 || err != nil {
		t.Errorf("%d facts of %d calls are set aside, %v", facts, calls, err)
	}
	if _, unreadable, _, err := d.Quarantined(t.Context(), "unreadable"); len(unreadable) != 1 || err != nil {
		t.Errorf("unreadable: %q %v", unreadable, err)
	}
	if left, err := fixture.All(t.Context(), d.Journal); len(left) != 0 || err != nil {
		t.Errorf("left in the journal: %v %v", left, err)
	}
}
