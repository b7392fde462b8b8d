package ingest_test

import (
	"cmp"
	"errors"
	"flag"
	"hash/fnv"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

var restarts = flag.Int("restarts", 1, "TestRestartAnywhere: after how many of a capture's facts voipd is stopped; 0: after every one")

// TestRestartAnywhere: voipd stops after any fact of a capture and starts again;
// the records are what they would have been, once. By default it tries a third of
// the captures, after one fact each; -restarts 6 tries all of them, six times.
func TestRestartAnywhere(t *testing.T) {
	var files []string
	for _, pattern := range []string{"../../record/testdata/captures/*/*/a[mr]i.*.gz", "../../lab/testdata/captures/*/*/a[mr]i.*.gz"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatal("no captures", err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if *restarts == 1 && number(file)%3 != 0 && !strings.Contains(file, "conference") && !strings.Contains(file, "click") {
			continue
		}
		events := withOrders(t, file)
		for _, cut := range cuts(file, len(events)) {
			t.Run(strings.TrimPrefix(filepath.ToSlash(file), "../../"), func(t *testing.T) {
				t.Parallel()
				restartAfter(t, events, cut)
			})
		}
	}
}

// number is one of a file's name.
func number(file string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(filepath.ToSlash(file))) // a hash does not fail
	return h.Sum64()
}

// withOrders are the facts of a capture, and before each call that voipd itself
// ordered the order, which is no message of the PBX.
func withOrders(t *testing.T, file string) []record.Event {
	t.Helper()
	var all []record.Event
	if _, err := capture.Events(file, nil, func(e record.Event) { all = append(all, e) }); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(all); i++ {
		e := all[i]
		if e.Kind != record.Created || !strings.HasPrefix(e.Channel.ID, "voipd-") || e.Channel.ID != e.Channel.Linked {
			continue
		}
		for _, later := range all[i:] {
			if later.Kind == record.Originated && later.Channel.ID == e.Channel.ID {
				order := record.Event{At: e.At, Kind: record.Originated, Source: record.SourceClock, Channel: record.Channel{ID: e.Channel.ID}, Number: e.Number, Exten: later.Exten}
				all = slices.Insert(all, i, order)
				i++
				break
			}
		}
	}
	return all
}

// cuts are the numbers of facts after which voipd is stopped: chosen by the
// file's name, or every one.
func cuts(file string, facts int) []int {
	var all []int
	h := fnv.New64a()
	for n := range facts - 1 {
		if *restarts == 0 {
			all = append(all, n+1)
		}
	}
	for range *restarts {
		_, _ = h.Write([]byte(file))
		all = append(all, 1+int(h.Sum64()%uint64(facts-1)))
	}
	return all
}

func restartAfter(t *testing.T, events []record.Event, cut int) {
	t.Helper()
	want := record.Records(nil, record.Replay(numbers.Default(), slices.Values(events)))
	path := filepath.Join(t.TempDir(), "db")
	for _, part := range [][]record.Event{events[:cut], events[cut:]} {
		d := openDisk(t, path)
		l := start(t, d, 0)
		for _, e := range part {
			l.Put(e)
		}
		if err := l.stop(); err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	d := openDisk(t, path)
	byID := func(a, b record.Record) int { return cmp.Compare(a.CallID, b.CallID) }
	slices.SortFunc(want, byID)
	got := stored(t, d)
	slices.SortFunc(got, byID)
	if diff := gocmp.Diff(want, got, outside()); diff != "" {
		t.Errorf("stopped after fact %d of %d, %+v:\n%s", cut, len(events), events[cut-1], diff)
	}
	if err := errors.Join(d.Close()); err != nil {
		t.Error(err)
	}
}
