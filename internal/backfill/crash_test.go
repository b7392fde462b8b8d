package backfill_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
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

// tellFile gives the records of a CEL file.
func tellFile(t *testing.T, rows []string, span backfill.Span) []record.Record {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cel.csv")
	if err := os.WriteFile(file, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := backfill.Open(backfill.Place{Name: "cel", Kind: backfill.CEL, Driver: backfill.CSV, Path: file})
	if err != nil {
		t.Fatal(err)
	}
	var got []record.Record
	_, err = s.Records(t.Context(), record.DefaultRules(), span, func(p backfill.Part) error {
		got = append(got, p.Records...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}
