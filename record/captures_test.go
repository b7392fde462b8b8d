package record_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// officeRules are the configuration that fits the captures.
func officeRules() record.Rules {
	r := numbers.Default()
	r.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	r.Trunks = []*regexp.Regexp{regexp.MustCompile(`^PJSIP/trunk-[ab]$`)}
	r.Dialled = []record.Rewrite{{Match: regexp.MustCompile(`^9(\d{10,})$`), With: "$1"}}
	return r
}

// expected is a record of expect.json: a value, a list of right values, or
// null where the field is not judged.
type expected map[string]any

// allCaptures is how many calls of both Asterisks there are in testdata/captures.
const allCaptures = 82

// TestCaptures replays real calls of two Asterisk versions and compares every
// record with the truth beside it, written by hand.
func TestCaptures(t *testing.T) {
	files, err := filepath.Glob("testdata/captures/*/*/a*.gz") // ami.txt.gz, ari.jsonl.gz
	if err != nil || len(files) != 2*allCaptures {
		t.Fatalf("found %d files of captures, want %d (%v)", len(files), 2*allCaptures, err)
	}
	for _, rules := range []struct {
		name  string
		rules record.Rules
	}{{"configured", officeRules()}, {"defaults", numbers.Default()}} {
		for _, file := range files {
			dir := filepath.Dir(file)
			name := strings.Join(strings.Split(filepath.ToSlash(dir), "/")[2:], "/") + "/" + filepath.Base(file)[:3]
			t.Run(rules.name+"/"+name, func(t *testing.T) {
				got := replay(t, rules.rules, file)
				compare(t, readExpected(t, filepath.Join(dir, "expect.json")), got)
			})
		}
	}
}

// replay runs a capture through a Machine, checks its invariants after every
// event, and gives the records in the order of their calls.
func replay(t *testing.T, rules record.Rules, file string) []record.Record {
	t.Helper()
	m := record.New(rules)
	var changes []record.Change
	_, err := capture.Events(file, nil, func(e record.Event) {
		changes = m.Apply(changes, e)
		if err := m.Check(); err != nil {
			t.Fatalf("after %+v: %v", e, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := m.Open(); n != 0 {
		t.Errorf("%d calls are still open at the end", n)
	}
	return records(changes)
}

func records(changes []record.Change) []record.Record {
	out := record.Records(nil, changes)
	slices.SortFunc(out, func(a, b record.Record) int { return a.Details.StartedAt.Compare(b.Details.StartedAt) })
	return out
}

func readExpected(t *testing.T, path string) []expected {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Records []expected }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Records
}

func compare(t *testing.T, want []expected, got []record.Record) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d records, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := fields(got[i])
		for field, value := range w {
			if !agrees(field, value, g[field]) {
				t.Errorf("record %d: %s is %v, want %v\n%s", i, field, g[field], value, show(got[i]))
			}
		}
	}
}

// fields are a record's fields by the names that expect.json has for them.
func fields(r record.Record) map[string]any {
	return map[string]any{
		"direction": string(r.Direction), "srcPhone": r.SrcPhone, "dstPhone": r.DstPhone,
		"srcPhoneExt": r.SrcPhoneExt, "dstPhoneExt": r.DstPhoneExt,
		"disposition": string(r.Disposition), "duration": float64(r.Duration), "recorded": r.Recorded(),
	}
}

func agrees(field string, want, got any) bool {
	switch want := want.(type) {
	case nil:
		return true
	case []any:
		return slices.ContainsFunc(want, func(w any) bool { return agrees(field, w, got) })
	case float64: // the script's seconds; the wire may show 2.98 s for 3
		g, ok := got.(float64)
		return ok && math.Abs(g-want) <= 1
	}
	return want == got
}

func show(r record.Record) string {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(data)
}
