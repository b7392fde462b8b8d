package daemon_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
)

const captures = "../../record/testdata/captures/22"

// withCEL gives the office a CEL file, as Asterisk's cel_custom writes one, and
// says where it is. It is not there yet.
func (o *office) withCEL() string {
	path := filepath.Join(filepath.Dir(o.config.Store.Path), "cel.csv")
	o.config.Backfill = []config.Backfill{{Name: "cel", Kind: "cel", Driver: "csv", Path: path}}
	return path
}

// rows are the CEL rows of a play: the capture's, with the play's ids and times.
func rows(t *testing.T, name string, p *sim.Playing) string {
	t.Helper()
	text, err := capture.ReadFile(filepath.Join(captures, name, "cel.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`"\d{10}\.\d{1,5}"`)
	captured := map[string]bool{}
	for _, m := range id.FindAllString(string(text), -1) {
		captured[strings.Trim(m, `"`)] = true
	}
	var olds []string
	for m := range captured {
		olds = append(olds, m)
	}
	bySequence := func(a, b string) int { return cmp.Compare(sequence(t, a), sequence(t, b)) }
	news := slices.Clone(p.IDs())
	slices.SortFunc(olds, bySequence)
	slices.SortFunc(news, bySequence)
	if len(olds) != len(news) {
		t.Fatalf("CEL has ids %v, the play %v", olds, news)
	}
	out := string(text)
	for i := range olds {
		out = strings.ReplaceAll(out, `"`+olds[i]+`"`, `"`+news[i]+`"`)
	}
	shift := epoch(t, news[0]) - epoch(t, olds[0]) - 1 // whole seconds: never later than AMI has it
	return regexp.MustCompile(`"\d{10}\.\d{6}"`).ReplaceAllStringFunc(out, func(s string) string {
		s = strings.Trim(s, `"`)
		return fmt.Sprintf(`"%d%s"`, epoch(t, s)+shift, s[10:])
	})
}

func epoch(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[:10])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func sequence(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[11:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (o *office) captured(name string) *sim.Playing {
	o.t.Helper()
	c, err := sim.Load(os.DirFS(captures), name)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.pbx.Play(c, 0)
}

// repaired waits until every gap is repaired, and gives health. No record may
// have been corrected by then that the test did not wait for.
func (o *office) repaired() map[string]any {
	o.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		h := o.health("up")
		r := h["repair"].(map[string]any)
		if r["openGaps"] == 0.0 && r["last"] != nil {
			o.noMore()
			return h
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("the gap stays: %v", h)
		}
	}
}

func (o *office) noMore() {
	o.t.Helper()
	for {
		select {
		case c := <-o.changes:
			if c.Kind == record.RecordRevised && c.Recording == "" {
				o.t.Errorf("told again: %+v", c.Record)
			}
		default:
			return
		}
	}
}

type told struct {
	CallID, Disposition string
	Duration            int
	Details             record.Details
}

func (o *office) records() []told {
	o.t.Helper()
	_, body := o.get("GET", "/v1/records", "")
	var page struct{ Records []told }
	if err := json.Unmarshal(body, &page); err != nil {
		o.t.Fatalf("%s: %v", body, err)
	}
	return page.Records
}

// corrected waits for the record that CEL corrects or adds.
func (o *office) corrected() record.Record {
	o.t.Helper()
	for {
		if c := o.until(record.RecordRevised); c.Recording == "" {
			return *c.Record
		}
	}
}

// TestGapRepaired: the link is cut in the middle of a call, which ends
// meanwhile, and another one comes and goes. CEL has both: each has one whole
// record, and the first is corrected once.
func TestGapRepaired(t *testing.T) {
	o := newOffice(t)
	file := o.withCEL()
	o.start()
	first := o.captured("in-answered")
	o.until(record.CallAnswered)
	o.pbx.Away(true)
	o.health("down")
	second := o.captured("out-answered")
	<-first.Done()
	<-second.Done()
	o.pbx.Away(false)
	live := o.until(record.CallEnded)
	if live.CallID != first.IDs()[0] || len(live.Record.Details.Approximate) == 0 {
		t.Fatalf("the call that was cut is %+v", live.Record)
	}
	// Asterisk may write late: what cannot be read is a warning, and tried again.
	for deadline := time.Now().Add(20 * time.Second); ; {
		if warned(o.health("up"), "backfill-unreadable") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no warning that CEL cannot be read")
		}
	}
	if err := os.WriteFile(file, []byte(rows(t, "in-answered", first)+rows(t, "out-answered", second)), 0o600); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 2 {
		r := o.corrected()
		seen[r.CallID]++
		if r.Details.Source != "cel" || len(r.Details.Approximate) > 0 {
			t.Errorf("corrected to %+v", r)
		}
	}
	if seen[first.IDs()[0]] != 1 || seen[second.IDs()[0]] != 1 {
		t.Errorf("corrected %v, want %s and %s", seen, first.IDs()[0], second.IDs()[0])
	}
	if h := o.repaired(); warned(h, "backfill-unreadable") {
		t.Errorf("health still warns: %v", h)
	}
	all := o.records()
	if len(all) != 2 {
		t.Fatalf("%d records, want 2: %+v", len(all), all)
	}
	for _, r := range all {
		if r.Details.Source != "cel" || r.Disposition != "answered" || r.Duration < 2 || len(r.Details.Approximate) > 0 {
			t.Errorf("got %+v", r)
		}
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestCallThroughAGap: the link is cut while a phone rings and back before the
// call ends. It is told once when it ends, and CEL, which could tell it as soon
// as the gap was over, corrects it once.
func TestCallThroughAGap(t *testing.T) {
	o := newOffice(t)
	file := o.withCEL()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
	call := o.captured("in-answered")
	o.until(record.PhoneRang)
	o.pbx.Away(true)
	o.health("down")
	o.pbx.Away(false)
	// Whatever the moment: CEL has the whole call before voipd has seen its end.
	if err := os.WriteFile(file, []byte(rows(t, "in-answered", call)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := o.until(record.CallEnded).Record; r.CallID != call.IDs()[0] || r.Details.Source != "ami" {
		t.Errorf("told live: %+v", r)
	}
	if r := o.corrected(); r.CallID != call.IDs()[0] || r.Details.Source != "cel" || len(r.Details.Approximate) > 0 {
		t.Errorf("corrected to %+v", r)
	}
	o.repaired()
	if all := o.records(); len(all) != 1 || all[0].Details.Source != "cel" || all[0].Disposition != "answered" {
		t.Errorf("got %+v, want one record by CEL", all)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestCallWhileStopped: voipd does not run while a call comes and goes, and
// another begins; the first is told by CEL, the second by who watches it.
func TestCallWhileStopped(t *testing.T) {
	o := newOffice(t)
	file := o.withCEL()
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	missed := o.captured("in-ringgroup")
	<-missed.Done()
	if err := os.WriteFile(file, []byte(rows(t, "in-ringgroup", missed)), 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
	if r := o.corrected(); r.CallID != missed.IDs()[0] || r.Details.Source != "cel" || r.Disposition != record.Answered || r.DstPhone != "102" {
		t.Errorf("got %+v", r)
	}
	seen := o.captured("int-answered")
	if r := o.until(record.CallEnded).Record; r.CallID != seen.IDs()[0] || r.Details.Source != "ami" {
		t.Errorf("got %+v", r)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	o.start()
	o.repaired()
	if all := o.records(); len(all) != 2 {
		t.Errorf("%d records, want 2: %+v", len(all), all)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// warned tells whether health has a warning. (The fake PBX's time runs faster
// than ours, which it may warn of as well.)
func warned(health map[string]any, code string) bool {
	warnings, _ := health["warnings"].([]any)
	return slices.ContainsFunc(warnings, func(w any) bool { return w.(map[string]any)["code"] == code })
}
