package record_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
)

// mergeCall is an account of one call. what picks its contents: "other" has
// another caller's name, "found" a recording that was found on the disk.
func mergeCall(source string, doubts bool, what ...string) record.Record {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := record.Record{CallID: "8.1", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101",
		Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: source}}
	if doubts {
		r.Details.Approximate = []string{"facts were missed"}
	}
	if slices.Contains(what, "other") {
		r.Details.CallerName = "other"
	}
	if slices.Contains(what, "found") {
		r.Details.Recordings = []record.Recording{{ID: "f", Path: "/m/a.wav", At: at, State: record.Announced, Found: true}}
	}
	return r
}

// TestMerge walks the whole table: how the kept record ranks × what is new.
func TestMerge(t *testing.T) {
	standings := []struct {
		name       string
		kept       string // its source; "-": no record is kept
		keptDoubts bool
		told       string
		toldDoubts bool
		byNews     [8]string // the outcome for each set of news, see below and checkMerged
	}{
		{name: "no record is kept", kept: "-", told: "cel", byNews: [8]string{"told", "told", "told", "told", "told", "told", "told", "told"}},
		{name: "the account outranks it", kept: "cdr", keptDoubts: true, told: "cel", byNews: [8]string{"told", "told", "told", "told", "told", "told", "told", "told"}},
		{name: "an exact account outranks a live one with doubts", kept: "ami", keptDoubts: true, told: "cel", byNews: [8]string{"told", "told", "told", "told", "told", "told", "told", "told"}},
		{name: "the same rank", kept: "cel", told: "cel", byNews: [8]string{"", "told", "kept+f", "told", "told", "told", "told", "told"}},
		{name: "it is better, with doubts", kept: "ami", keptDoubts: true, told: "cel", toldDoubts: true, byNews: [8]string{"", "", "kept+f", "kept+f", "kept+d", "kept+d", "kept+f+d", "kept+f+d"}},
		{name: "it is better and exact", kept: "ami", told: "cel", byNews: [8]string{"", "", "", "", "kept+d", "kept+d", "kept+d", "kept+d"}},
		{name: "it is better and exact, the account has doubts", kept: "ari", told: "cdr", toldDoubts: true, byNews: [8]string{"", "", "", "", "kept+d", "kept+d", "kept+d", "kept+d"}},
	}
	for _, s := range standings {
		for n := range 8 { // bit 0: another caller's name, 1: a recording found, 2: a double
			var what, doubles []string
			if n&1 != 0 {
				what = append(what, "other")
			}
			if n&2 != 0 {
				what = append(what, "found")
			}
			if n&4 != 0 {
				doubles = []string{"8.2"}
			}
			kept := record.Record{}
			if s.kept != "-" {
				kept = mergeCall(s.kept, s.keptDoubts)
			}
			told := mergeCall(s.told, s.toldDoubts, what...)
			told.Details.Absorbed = doubles
			t.Run(fmt.Sprintf("%s/%s", s.name, strings.Join(append(what, doubles...), "+")), func(t *testing.T) {
				verdict, got := record.Merge(kept, told, doubles)
				checkMerged(t, s.byNews[n], kept, told, verdict, got)
				if v, again := record.Merge(got, told, nil); v != record.Keep {
					t.Errorf("the same account again: verdict %d, %+v", v, again)
				}
			})
		}
	}
}

// checkMerged compares with an outcome of TestMerge: "" keeps, "told" and
// "kept" say whose record it is, "+f" that it has the found recording, "+d" the
// double.
func checkMerged(t *testing.T, want string, kept, told record.Record, verdict record.Verdict, got record.Record) {
	t.Helper()
	expect, expectVerdict := kept, record.Replace
	switch {
	case want == "":
		expectVerdict = record.Keep
	case kept.CallID == "":
		expect, expectVerdict = told, record.Add
	case want == "told":
		expect = told
	}
	if strings.Contains(want, "+f") {
		expect.Details.Recordings = told.Details.Recordings
	}
	if strings.Contains(want, "+d") {
		expect.Details.Absorbed = []string{"8.2"}
	}
	if verdict != expectVerdict || !cmp.Equal(got, expect) {
		t.Errorf("verdict %d, want %d; %s", verdict, expectVerdict, cmp.Diff(expect, got))
	}
}

// TestMergeLaterReading: an account that was read from a later moment on is no
// better for it.
func TestMergeLaterReading(t *testing.T) {
	kept, told := mergeCall("cel", false), mergeCall("cel", false, "other")
	told.Details.StartedAt = told.Details.StartedAt.Add(time.Second)
	if v, r := record.Merge(kept, told, nil); v != record.Keep || !cmp.Equal(r, kept) {
		t.Errorf("verdict %d, %+v", v, r)
	}
}

// TestMergeChangesNothing: the records that were given stay as they were.
func TestMergeChangesNothing(t *testing.T) {
	kept, told := mergeCall("ami", true, "found"), mergeCall("cel", true, "found")
	kept.Details.Absorbed, told.Details.Recordings[0].Path = append(make([]string, 0, 8), "8.9", "8.5"), "/m/b.wav"
	before := fmt.Sprintf("%+v %+v", kept, told)
	if v, r := record.Merge(kept, told, []string{"8.2"}); v != record.Replace || !slices.Equal(r.Details.Absorbed, []string{"8.2", "8.5", "8.9"}) || len(r.Details.Recordings) != 2 {
		t.Errorf("verdict %d, %+v", v, r)
	}
	if after := fmt.Sprintf("%+v %+v", kept, told); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
}

// TestMergeTalkInRecording: a link that was lost after MixMonitor and before the
// answer leaves a recording without conversation. The account that has the
// conversation puts it in; one that ended before the recording began does not.
func TestMergeTalkInRecording(t *testing.T) {
	for _, c := range []struct {
		name           string
		recordingAfter time.Duration // after the call's start; the conversation is from 10 to 20 s
		known          bool          // the account knows the recording as well
		talk           bool
	}{
		{name: "began before the conversation", recordingAfter: time.Second, talk: true},
		{name: "began within it", recordingAfter: 15 * time.Second, talk: true},
		{name: "began after it", recordingAfter: 25 * time.Second},
		{name: "the account knows it", recordingAfter: time.Second, known: true, talk: true},
	} {
		kept, told := mergeCall("ami", true), mergeCall("cel", false, "other")
		at := kept.Details.StartedAt
		kept.Details.Recordings = []record.Recording{{ID: "f", Path: "/m/a.wav", At: at.Add(c.recordingAfter), State: record.Ready, MS: 3060}}
		told.Details.Conversations = []record.Conversation{{A: "79031000001", B: "101", At: at.Add(10 * time.Second), MS: 10_000}}
		if c.known {
			told.Details.Recordings = slices.Clone(kept.Details.Recordings)
		}
		if _, r := record.Merge(kept, told, nil); len(r.Details.Recordings) != 1 || r.Details.Recordings[0].Talk != c.talk {
			t.Errorf("%s: %+v", c.name, r.Details.Recordings)
		}
		if kept.Details.Recordings[0].Talk {
			t.Errorf("%s: the kept record was changed", c.name)
		}
	}
}

// TestRanks: the order of accounts, best first, with the numbers that stand in
// databases.
func TestRanks(t *testing.T) {
	unknown := mergeCall("cdr", true)
	unknown.Disposition = record.Unknown
	for _, c := range []struct {
		r    record.Record
		rank record.Rank
	}{
		{mergeCall("ami", false), 2}, {mergeCall("ari", false), 2}, {mergeCall("cel", false), 4}, {mergeCall("cdr", false), 6},
		{mergeCall("ami", true), 11}, {mergeCall("cel", true), 13}, {mergeCall("cdr", true), 15},
		{mergeCall("", false), 18}, {unknown, 35},
	} {
		if got := c.r.Rank(); got != c.rank || got.Approximate() != (got >= 11) {
			t.Errorf("%s, doubts %q: rank %d, want %d", c.r.Details.Source, c.r.Details.Approximate, got, c.rank)
		}
	}
}

// TestEveryFieldCounts: an account that differs in one field, whichever, is
// told again. It fails for a field of the record that Merge does not compare.
func TestEveryFieldCounts(t *testing.T) {
	full := mergeCall("cel", false)
	fixture.Fill(reflect.ValueOf(&full).Elem(), fmt.Sprint("text ", 1), 1)
	full.Details.Source, full.Details.Approximate, full.Disposition = "cel", []string{"x"}, record.Answered
	var paths []string
	walkFields(reflect.ValueOf(&full).Elem(), "", func(path string, v reflect.Value) {
		switch path {
		case ".CallID", ".Details.StartedAt", ".Details.Source": // another call; TestMergeLaterReading; another rank
			return
		}
		if strings.HasPrefix(path, ".Details.Recordings") {
			return // merged apart
		}
		paths = append(paths, path)
		kept := clone(full)
		had := reflect.New(v.Type()).Elem()
		had.Set(v)
		fixture.Fill(v, fmt.Sprint("text ", 2), 2)
		if verdict, _ := record.Merge(kept, full, nil); verdict != record.Replace {
			t.Errorf("%s differs, and the kept record stays", path)
		}
		v.Set(had)
	})
	if len(paths) < 40 {
		t.Errorf("only %d fields: %q", len(paths), paths)
	}
	if verdict, _ := record.Merge(clone(full), full, nil); verdict != record.Keep {
		t.Error("the same account is no news")
	}
}

// TestNamesThatAreNoText: a byte that is not UTF-8 is replaced on its way to the
// disk, which makes no new account.
func TestNamesThatAreNoText(t *testing.T) {
	kept, told := mergeCall("cel", false), mergeCall("cel", false)
	kept.Details.CallerName, told.Details.CallerName = "\ufffd\ufffd\ufffd", "\xc8\xe2\xed"
	if v, _ := record.Merge(kept, told, nil); v != record.Keep {
		t.Errorf("verdict %d", v)
	}
}

// walkFields calls each for every value under v that is no struct and no slice.
func walkFields(v reflect.Value, path string, each func(string, reflect.Value)) {
	switch {
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		for i := range v.NumField() {
			walkFields(v.Field(i), path+"."+v.Type().Field(i).Name, each)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			walkFields(v.Index(i), path, each)
		}
	default:
		each(path, v)
	}
}

func clone(r record.Record) record.Record {
	d := &r.Details
	d.Rang, d.Conversations, d.Transfers = slices.Clone(d.Rang), slices.Clone(d.Conversations), slices.Clone(d.Transfers)
	d.Recordings, d.Absorbed, d.Approximate, d.Why = slices.Clone(d.Recordings), slices.Clone(d.Absorbed), slices.Clone(d.Approximate), slices.Clone(d.Why)
	return r
}
