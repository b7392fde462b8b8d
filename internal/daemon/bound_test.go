package daemon_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/sim"
)

// bounded is what health says of the queue and of gaps.
type bounded struct {
	Status   string
	Problems []string
	Queue    struct{ Waiting, Bound, Refused int }
	Repair   struct{ OpenGaps int }
}

// TestPastTheBound: the disk stands still while more calls come than may wait.
// Facts wait up to the bound, not further; those that are refused are counted,
// and health says so; when the disk moves again the gap is marked and repaired
// from CEL, so that every call has its record, whole and once.
func TestPastTheBound(t *testing.T) {
	const bound, calls = 300, 40
	file := filepath.Join(t.TempDir(), "cel.csv")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o := newOfficeOf(t, sim.Options{Speed: 10, CEL: file})
	o.config.Backfill = []config.Backfill{{Name: "cel", Kind: "cel", Driver: "csv", Path: file}}
	o.bound = bound
	var still atomic.Bool
	held := make(chan struct{})
	release := sync.OnceFunc(func() { close(held) })
	t.Cleanup(release)
	o.tap = func(point string) error {
		if point == "before COMMIT" && still.Load() {
			<-held
		}
		return nil
	}
	o.start()
	still.Store(true)
	var want []string
	for range calls {
		want = append(want, o.captured("in-answered").IDs()[0])
	}
	o.untilHealth(func(h bounded) bool {
		if h.Queue.Bound != bound || h.Queue.Waiting > bound {
			t.Fatalf("%+v", h)
		}
		return h.Queue.Refused > 0 && h.Status == "failing" && slices.ContainsFunc(h.Problems, func(p string) bool { return strings.Contains(p, "facts were refused") })
	})
	still.Store(false)
	release()
	o.allWhole(want)
	o.untilHealth(func(h bounded) bool { return h.Status == "ok" && h.Repair.OpenGaps == 0 && h.Queue.Waiting == 0 })
	_, metrics := o.get("GET", "/metrics", "")
	for _, name := range []string{"voipd_facts_refused_total", "voipd_commit_lag_seconds_count"} {
		if !regexp.MustCompile(`(?m)^` + name + ` [1-9]`).Match(metrics) {
			t.Errorf("metrics do not count %s", name)
		}
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// untilHealth waits until health is as it should be.
func (o *office) untilHealth(should func(bounded) bool) {
	o.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		_, body := o.get("GET", "/v1/health", "")
		var h bounded
		if err := json.Unmarshal(body, &h); err != nil {
			o.t.Fatalf("%s: %v", body, err)
		}
		if should(h) {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("health stays %s", body)
		}
	}
}

// allWhole waits until each of these calls, and no other, has a record that is
// whole and right.
func (o *office) allWhole(want []string) {
	o.t.Helper()
	slices.Sort(want)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		var have, bad []string
		byCEL := 0
		for _, r := range o.records() {
			have = append(have, r.CallID)
			if r.Disposition != "answered" || r.Duration != 4 || len(r.Details.Approximate) > 0 {
				bad = append(bad, r.CallID)
			}
			if r.Details.Source == "cel" {
				byCEL++
			}
		}
		slices.Sort(have)
		if slices.Equal(have, want) && len(bad) == 0 && byCEL > 0 {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("records of %q, want %q; not right: %q; %d told by CEL", have, want, bad, byCEL)
		}
	}
}
