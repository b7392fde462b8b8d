package record_test

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// exception is a field of a capture's records that CEL or CDR tells otherwise,
// and why it cannot tell it. The field "record" is a whole record.
type exception struct {
	capture, field, why string
}

// celExceptions is what CEL cannot tell.
func celExceptions() []exception {
	const queue = "the recording that app_queue starts has no row; only APP_START of MixMonitor has a file's name"
	return []exception{
		{"16/queue-second-agent", "recorded", queue},
		{"22/queue-second-agent", "recorded", queue},
	}
}

// cdrExceptions is what CDR cannot tell.
func cdrExceptions() []exception {
	const (
		cancelled = "NO ANSWER is written whether the caller hung up or nobody answered, and networks outside give up before Dial does"
		refused   = "NO ANSWER is written of a phone that rang and refused (603)"
		norow     = "no row is written of a call that rang no second channel and was not answered"
		before    = "the PBX answered before it rang anybody: the row has that answer, not the phone's"
		named     = "a phone whose endpoint is called by no number shows none, and an answer of the PBX hides who answered"
		callee    = "recordingfile was set on the rung channel, which has no row of its own"
	)
	return []exception{
		{"16/cancel-by-dtmf", "disposition", cancelled},
		{"16/click-operator-noanswer", "record", norow},
		{"16/in-greeting-answered", "duration", before},
		{"16/int-declined", "disposition", refused},
		{"16/int-nonexistent", "record", norow},
		{"16/ivr-101", "duration", before},
		{"16/out-9-prefix", "recorded", callee},
		{"16/out-cancel", "disposition", cancelled},
		{"16/queue-named", "dstPhone", named},
		{"16/queue-second-agent", "duration", before},
		{"22/cancel-by-dtmf", "disposition", cancelled},
		{"22/click-operator-noanswer", "record", norow},
		{"22/in-greeting-answered", "duration", before},
		{"22/int-declined", "disposition", refused},
		{"22/int-nonexistent", "record", norow},
		{"22/ivr-101", "duration", before},
		{"22/out-9-prefix", "recorded", callee},
		{"22/out-cancel", "disposition", cancelled},
		{"22/queue-named", "dstPhone", named},
		{"22/queue-second-agent", "duration", before},
	}
}

// TestRows: every capture told by its CEL rows, and by its CDR rows, gives the
// records of expect.json but for the exceptions; each of these is real.
func TestRows(t *testing.T) {
	for _, source := range []struct {
		name       string
		exceptions []exception
	}{{"cel", celExceptions()}, {"cdr", cdrExceptions()}} {
		for _, rules := range []struct {
			name  string
			rules record.Rules
		}{{"configured", officeRules()}, {"defaults", numbers.Default()}} {
			t.Run(source.name+"/"+rules.name, func(t *testing.T) { compareRows(t, source.name, rules.rules, source.exceptions) })
		}
	}
}

func compareRows(t *testing.T, source string, rules record.Rules, exceptions []exception) {
	files, err := filepath.Glob("testdata/captures/*/*/" + source + ".csv.gz")
	if err != nil || len(files) != allCaptures {
		t.Fatalf("found %d files, want %d (%v)", len(files), allCaptures, err)
	}
	right := len(files)
	for _, file := range files {
		dir := filepath.Dir(file)
		name := strings.Join(strings.Split(filepath.ToSlash(dir), "/")[2:], "/")
		got := replay(t, rules, file)
		slices.SortStableFunc(got, func(a, b record.Record) int { // CDR has whole seconds
			return cmp.Or(a.Details.StartedAt.Compare(b.Details.StartedAt), cmp.Compare(a.CallID, b.CallID))
		})
		want := readExpected(t, filepath.Join(dir, "expect.json"))
		wrong := wrongFields(want, got)
		if len(wrong) > 0 {
			right--
		}
		for _, field := range wrong {
			if !slices.ContainsFunc(exceptions, func(x exception) bool { return x.capture == name && x.field == field }) {
				t.Errorf("%s: %s is told wrong, and no exception says why: %+v\nwant %+v", name, field, got, want)
			}
		}
		for _, x := range exceptions {
			if x.capture == name && !slices.Contains(wrong, x.field) {
				t.Errorf("%s: %s is an exception, and is told right", name, x.field)
			}
		}
	}
	t.Logf("%d of %d captures are told wholly right", right, len(files))
}

// wrongFields are the fields that differ in any record; "record" where there
// are more or fewer of them.
func wrongFields(want []expected, got []record.Record) []string {
	if len(want) != len(got) {
		return []string{"record"}
	}
	var wrong []string
	for i, w := range want {
		g := fields(got[i])
		for field, value := range w {
			if !agrees(field, value, g[field]) && !slices.Contains(wrong, field) {
				wrong = append(wrong, field)
			}
		}
	}
	return wrong
}
