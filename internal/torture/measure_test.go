package torture

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// status is what health says of the load, and metrics of the facts applied.
type status struct {
	Status    string
	OpenCalls int
	Queue     struct{ Waiting, Bound, Refused int }
	facts     int
}

func (v *voipd) status(t testing.TB) status {
	t.Helper()
	var s status
	if err := v.get("/v1/health", &s); err != nil {
		t.Fatal(err)
	}
	for name, value := range v.metrics(t) {
		if name == "voipd_facts_total" {
			s.facts = int(value)
		}
	}
	return s
}

// until waits until health is as it should be.
func (v *voipd) until(t testing.TB, should func(status) bool) {
	t.Helper()
	var s status
	for end := time.Now().Add(loadWait); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if err := v.get("/v1/health", &s); err != nil {
			t.Fatal(err)
		}
		if should(s) {
			return
		}
	}
	t.Fatalf("health stays %+v", s)
}

// metrics are those of voipd, by name and labels as they are written.
func (v *voipd) metrics(t testing.TB) map[string]float64 {
	t.Helper()
	text, err := v.fetch("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, number, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(number, 64); err == nil {
			all[name] = value
		}
	}
	return all
}

// histogram is how many facts took up to so many seconds, for each bound, the
// lowest first.
type histogram []bucket

type bucket struct{ upTo, facts float64 }

// lags is voipd's histogram of the time from a fact's arrival to the disk.
func (v *voipd) lags(t *testing.T) histogram {
	t.Helper()
	var h histogram
	for name, value := range v.metrics(t) {
		rest, ok := strings.CutPrefix(name, `voipd_commit_lag_seconds_bucket{le="`)
		if bound, err := strconv.ParseFloat(strings.TrimSuffix(rest, `"}`), 64); ok && err == nil {
			h = append(h, bucket{bound, value})
		}
	}
	slices.SortFunc(h, func(a, b bucket) int { return cmp.Compare(a.upTo, b.upTo) })
	if len(h) == 0 {
		t.Fatal("voipd has no histogram of its lag")
	}
	return h
}

// since is what came to it after before.
func (h histogram) since(before histogram) histogram {
	h = slices.Clone(h)
	for i := range h {
		h[i].facts -= before[i].facts
	}
	return h
}

// quantile says within what time that share of the facts was on the disk: the
// bound of a bucket, so that the truth is at most that.
func (h histogram) quantile(share float64) string {
	for _, b := range h {
		if b.facts >= share*h[len(h)-1].facts {
			return fmt.Sprintf("≤ %v", time.Duration(b.upTo*1e9).Round(time.Microsecond))
		}
	}
	return "unknown"
}

// troubles are the lines of voipd's log that tell of any.
func (v *voipd) troubles() string {
	v.t.Helper()
	text, err := os.ReadFile(v.log)
	if err != nil {
		v.t.Fatal(err)
	}
	var some []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			some = append(some, line)
		}
	}
	return strings.Join(some, "; ")
}

// resident is voipd's memory, in bytes.
func (v *voipd) resident() int64 { return v.memory("VmRSS:") }

// peak is the most that it ever was.
func (v *voipd) peak() int64 { return v.memory("VmHWM:") }

func (v *voipd) memory(line string) int64 {
	v.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", v.cmd.Process.Pid))
	if err != nil {
		v.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), line)
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kilobytes, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		v.t.Fatal(err)
	}
	return kilobytes << 10
}
