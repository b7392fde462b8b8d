package record_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/record"
)

func captureEvents(t *testing.T, file string) []record.Event {
	t.Helper()
	var events []record.Event
	if _, err := capture.Events(file, nil, func(e record.Event) { events = append(events, e) }); err != nil {
		t.Fatal(err)
	}
	return events
}

// run applies events, checking invariants after each, and gives the records;
// it fails when a call stays open.
func run(t *testing.T, events []record.Event) []record.Record {
	t.Helper()
	return runBy(t, officeRules(), events)
}

func runBy(t *testing.T, rules record.Rules, events []record.Event) []record.Record {
	t.Helper()
	m := record.New(rules)
	var changes []record.Change
	for _, e := range events {
		changes = m.Apply(changes, e)
		if err := m.Check(); err != nil {
			t.Fatalf("after %+v: %v", e, err)
		}
	}
	checkStory(t, changes)
	if n := m.Open(); n > 0 {
		t.Fatalf("%d calls stay open", n)
	}
	return records(changes)
}

// outside leaves what the app sees: the fields of a VoipCallRecord.
func outside() cmp.Option { return cmpopts.IgnoreFields(record.Record{}, "Details") }

// captureFiles are the files of all captures, the laboratory's among them.
func captureFiles(t *testing.T, name string) []string {
	t.Helper()
	var files []string
	for _, dir := range []string{"testdata/captures", "../lab/testdata/captures"} {
		found, err := filepath.Glob(dir + "/*/*/" + name)
		if err != nil || len(found) == 0 {
			t.Fatal("no captures", err)
		}
		files = append(files, found...)
	}
	return files
}

// eachCapture gives each capture to f, and how many of its events to pass over
// for each that is tried: all are tried of the shared captures, every 29th
// of the laboratory's, which are four times as many.
func eachCapture(t *testing.T, f func(t *testing.T, events []record.Event, step int)) {
	for _, file := range captureFiles(t, "a*.gz") {
		step := 1
		if strings.HasPrefix(file, "..") {
			step = 29
		}
		t.Run(filepath.ToSlash(file), func(t *testing.T) {
			t.Parallel()
			f(t, captureEvents(t, file), step)
		})
	}
}

// TestToldTwice: any event may come twice, at once or after the whole rest.
func TestToldTwice(t *testing.T) {
	eachCapture(t, func(t *testing.T, events []record.Event, step int) {
		want := run(t, events)
		for i := 0; i < len(events); i += step {
			twice := slices.Insert(slices.Clone(events), i, events[i])
			if diff := cmp.Diff(want, run(t, twice), outside()); diff != "" {
				t.Fatalf("event %d, %+v, told twice:\n%s", i, events[i], diff)
			}
			late := append(slices.Clone(events), events[i])
			if diff := cmp.Diff(want, run(t, late), outside()); diff != "" {
				t.Fatalf("event %d, %+v, told again at the end:\n%s", i, events[i], diff)
			}
		}
	})
}

// TestChannelsReordered: Asterisk keeps the order of one channel's events, not
// that of two; within 50 ms they may come in any order.
func TestChannelsReordered(t *testing.T) {
	eachCapture(t, func(t *testing.T, events []record.Event, _ int) {
		want := run(t, events)
		for seed := range uint64(20) {
			mixed := reorder(events, rand.New(rand.NewPCG(seed, 7)))
			got := run(t, mixed)
			for i := range got { // a conversation may begin or end up to 50 ms beside
				if i < len(want) && want[i].Duration-got[i].Duration <= 1 && got[i].Duration-want[i].Duration <= 1 {
					got[i].Duration = want[i].Duration
				}
			}
			if diff := cmp.Diff(want, got, outside()); diff != "" {
				t.Fatalf("seed %d:\n%s", seed, diff)
			}
		}
	})
}

// reorder swaps neighbours about different channels that are less than 50 ms
// apart.
func reorder(events []record.Event, r *rand.Rand) []record.Event {
	out := slices.Clone(events)
	for range len(out) {
		i := r.IntN(max(1, len(out)-1))
		a, b := out[i], out[i+1]
		rings := a.Kind == record.DialStarted && b.Kind == record.DialStarted // the rules go by their order
		if b.At.Sub(a.At) <= 50*time.Millisecond && !shareChannel(a, b) && !rings {
			out[i], out[i+1] = b, a
		}
	}
	return out
}

func shareChannel(a, b record.Event) bool {
	for _, x := range []string{a.Channel.ID, a.Peer.ID} {
		if x != "" && (x == b.Channel.ID || x == b.Peer.ID) {
			return true
		}
	}
	return a.Channel.ID == "" && a.Peer.ID == "" || b.Channel.ID == "" && b.Peer.ID == ""
}

// TestOneLost: whichever single event is lost, no call is lost, doubled or open
// for ever once the PBX lists its channels.
func TestOneLost(t *testing.T) {
	eachCapture(t, func(t *testing.T, events []record.Event, step int) {
		want := run(t, events)
		end := events[len(events)-1].At.Add(time.Second)
		for i := 0; i < len(events); i += step {
			lost := append(slices.Delete(slices.Clone(events), i, i+1), record.Event{At: end, Kind: record.SnapshotBegan}, record.Event{At: end, Kind: record.SnapshotEnded})
			var got, expect []string
			for _, r := range run(t, lost) {
				got = append(got, r.CallID)
			}
			for _, r := range want {
				expect = append(expect, r.CallID)
			}
			if strings.HasSuffix(t.Name(), ".jsonl.gz") {
				// Without linkedids one lost dial or bridge leaves two calls that were
				// one; none may be missing.
				got = slices.DeleteFunc(got, func(id string) bool { return !slices.Contains(expect, id) })
			}
			slices.Sort(got)
			slices.Sort(expect)
			if diff := cmp.Diff(expect, got); diff != "" {
				t.Errorf("without event %d, %v of %s: %s", i, events[i].Kind, events[i].Channel.Name, diff)
			}
		}
	})
}

// TestCutAndResumed: the stream may break anywhere; after it a list of the
// channels that are there, and it goes on. No call is lost or doubled, and a
// record that is not exact says so.
func TestCutAndResumed(t *testing.T) {
	eachCapture(t, func(t *testing.T, events []record.Event, step int) {
		want := run(t, events)
		for i := 1; i < len(events); i += step {
			for _, missing := range []int{0, 5} {
				to := min(i+missing, len(events))
				resumed := append(slices.Clone(events[:i]), snapshotAt(events[:to])...)
				got := run(t, append(append(resumed, events[to:]...), snapshotAt(events)...))
				checkCut(t, fmt.Sprintf("cut at %d, %d missed", i, missing), want, got)
			}
		}
	})
}

func checkCut(t *testing.T, what string, want, got []record.Record) {
	t.Helper()
	byID := map[string]record.Record{}
	for _, r := range got {
		if _, twice := byID[r.CallID]; twice {
			t.Errorf("%s: two records of %s", what, r.CallID)
		}
		byID[r.CallID] = r
	}
	for _, w := range want {
		g, ok := byID[w.CallID]
		if !ok {
			t.Errorf("%s: no record of %s", what, w.CallID)
			continue
		}
		if diff := cmp.Diff(w, g, outside()); diff != "" && len(g.Details.Approximate) == 0 {
			t.Errorf("%s: another record, and it does not say approximate:\n%s", what, diff)
		}
	}
}

// snapshotAt is the list of channels that a PBX would give after events.
func snapshotAt(events []record.Event) []record.Event {
	at := events[len(events)-1].At
	alive := map[string]*record.Event{}
	var order []string
	see := func(c record.Channel) *record.Event {
		if c.ID == "" {
			return nil
		}
		p := alive[c.ID]
		if p == nil {
			p = &record.Event{Kind: record.ChannelPresent, Channel: c}
			alive[c.ID], order = p, append(order, c.ID)
		}
		if c.Linked != "" {
			p.Channel.Linked = c.Linked
		}
		return p
	}
	for _, e := range events {
		p := see(e.Channel)
		if e.Kind == record.Originated || p == nil {
			see(e.Peer)
			continue
		}
		see(e.Peer)
		switch e.Kind {
		case record.Created, record.StateChanged:
			p.State, p.Number = e.State, e.Number
		case record.BridgeEntered:
			p.Bridge, p.BridgeKind = e.Bridge, e.BridgeKind
		case record.BridgeLeft:
			p.Bridge = ""
		case record.Executed:
			p.Key, p.Value = e.Key, e.Value
		case record.HungUp:
			p.Kind = record.None
		}
		if e.Exten != "" && e.Kind != record.BlindTransferred {
			p.Context, p.Exten = e.Context, e.Exten
		}
	}
	out := []record.Event{{At: at, Kind: record.Gapped, Value: "cut"}, {At: at, Kind: record.SnapshotBegan}}
	for _, id := range order {
		if p := *alive[id]; p.Kind == record.ChannelPresent {
			p.At = at
			out = append(out, p)
		}
	}
	return append(out, record.Event{At: at, Kind: record.SnapshotEnded})
}
