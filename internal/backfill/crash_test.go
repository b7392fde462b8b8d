package backfill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// TestCrash: Asterisk crashed in a call, so that its rows have no end. The call
// is told once the PBX has listed its channels, and says that it is not whole;
// until then it may go on.
func TestCrash(t *testing.T) {
	rows := lines(t, captures+"22/in-answered/cel.csv.gz")
	for i, row := range rows {
		if strings.HasPrefix(row, `"HANGUP"`) {
			rows = rows[:i]
			break
		}
	}
	last := celTime(rows[len(rows)-1])
	for _, c := range []struct {
		name   string
		listed time.Time
		want   int
	}{
		{"not listed yet", time.Time{}, 0},
		{"listed before", last.Add(-time.Minute), 0},
		{"listed since", last.Add(time.Second), 1},
		{"by a clock that was ahead", last.Add(-time.Hour), 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := tellFile(t, rows, backfill.Span{Listed: c.listed})
			if len(got) != c.want || c.want == 1 && (len(got[0].Details.Approximate) == 0 || got[0].DstPhone != "101") {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestClockSetBack: a clock that was set back in a talk shows in the order of
// the rows of a file. By how much does not, so that the call is approximate.
func TestClockSetBack(t *testing.T) {
	var set []string
	back := false
	for _, row := range lines(t, captures+"22/in-answered/cel.csv.gz") {
		if back = back || strings.HasPrefix(row, `"BRIDGE_EXIT"`) || strings.HasPrefix(row, `"HANGUP"`); back {
			at := strings.SplitN(row, `"`, 5)[3]
			row = strings.Replace(row, at, at[:5]+"0"+at[6:], 1) // 60,000 s
		}
		set = append(set, row)
	}
	got := tellFile(t, set, backfill.Span{})
	if len(got) != 1 || got[0].Disposition != record.Answered || got[0].Duration < 0 || got[0].Duration > 5 || len(got[0].Details.Approximate) != 1 {
		t.Errorf("got %+v", got)
	}
}

// TestClockSetAhead: a clock that was set ahead in a talk and back again, or
// the other way about, shows in the order of the rows of a file; one that stays
// ahead does not. By how much it was set no row says, so that the calls in which
// it was are approximate, and only those.
func TestClockSetAhead(t *testing.T) {
	one := lines(t, captures+"22/in-answered/cel.csv.gz")
	last := celTime(one[len(one)-1])
	other := func(n int) []string { // another call, n minutes later
		return moved(one, func(int, string) time.Duration { return time.Duration(n) * time.Minute }, fmt.Sprint(n))
	}
	ends := func(_ int, row string) bool {
		return strings.HasPrefix(row, `"BRIDGE_EXIT"`) || strings.HasPrefix(row, `"HANGUP"`) || strings.HasPrefix(row, `"CHAN_END"`)
	}
	from := func(by time.Duration) []string { // set in the talk
		return moved(one, func(i int, row string) time.Duration {
			if ends(i, row) || strings.HasPrefix(row, `"LINKEDID_END"`) {
				return by
			}
			return 0
		}, "")
	}
	for _, c := range []struct {
		name   string
		rows   []string
		doubts []bool // of each record, in order
	}{
		{"not set", slices.Concat(one, other(1)), []bool{false, false}},
		{"ahead and back", slices.Concat(from(time.Hour), other(1)), []bool{true, false}},
		{"back and ahead", slices.Concat(from(-time.Hour), other(1)), []bool{true, false}},
		{"ahead, back between calls", slices.Concat(one, other(61), other(2), other(3)), []bool{false, false, false, false}},
		{"a day without a call", slices.Concat(one, other(24*60)), []bool{false, false}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := tellFile(t, c.rows, backfill.Span{From: last.Add(-2 * time.Hour), To: last.Add(48 * time.Hour)})
			var doubts []bool
			for _, r := range got {
				doubts = append(doubts, len(r.Details.Approximate) > 0)
				if r.Disposition != record.Answered || r.Duration < 0 || r.Duration > 64 {
					t.Errorf("%s: %s, %d s", r.CallID, r.Disposition, r.Duration)
				}
			}
			if !slices.Equal(doubts, c.doubts) {
				t.Errorf("approximate: %v, want %v", doubts, c.doubts)
			}
		})
	}
}

// moved gives CEL rows with other times, and ids that end in mark.
func moved(rows []string, by func(i int, row string) time.Duration, mark string) []string {
	id := regexp.MustCompile(`"(\d{10}\.\d{1,5})"`)
	var out []string
	for i, row := range rows {
		at := strings.SplitN(row, `"`, 5)[3]
		now := celTime(row).Add(by(i, row))
		row = strings.Replace(row, at, fmt.Sprintf("%d.%06d", now.Unix(), now.Nanosecond()/1000), 1)
		out = append(out, id.ReplaceAllString(row, `"${1}`+mark+`"`))
	}
	return out
}

// tellFile gives the records of a CEL file.
func tellFile(t *testing.T, rows []string, span backfill.Span) []record.Record {
	t.Helper()
	return tellFileBy(t, numbers.Default(), rows, span)
}

func tellFileBy(t *testing.T, rules record.Rules, rows []string, span backfill.Span) []record.Record {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cel.csv")
	if err := os.WriteFile(file, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := backfill.Open(backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.CSV, Path: file})
	if err != nil {
		t.Fatal(err)
	}
	var got []record.Record
	_, err = s.Records(t.Context(), rules, span, func(p backfill.Part) error {
		got = append(got, p.Records...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
