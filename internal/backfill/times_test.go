package backfill_test

import (
	"database/sql"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/backfill"
)

// TestWholeSeconds: FreePBX keeps no fraction of CEL's times. The records are
// the same but for a second of the duration.
func TestWholeSeconds(t *testing.T) {
	files, err := filepath.Glob(captures + "*/*/cel.csv.gz")
	if err != nil || len(files) == 0 {
		t.Fatal("no captures", err)
	}
	fraction := regexp.MustCompile(`"(\d{10})\.\d{6}"`)
	for _, file := range files {
		rows := lines(t, file)
		want, _ := tell(t, backfill.ReadCEL, rows)
		for i := range rows {
			rows[i] = fraction.ReplaceAllString(rows[i], `"$1"`)
		}
		got, _ := tell(t, backfill.ReadCEL, rows)
		for i := range got {
			if i < len(want) && max(got[i].Duration-want[i].Duration, want[i].Duration-got[i].Duration) == 1 {
				got[i].Duration = want[i].Duration
			}
		}
		if diff := cmp.Diff(want, got, outside()); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
	}
}

// TestTheHourThatComesTwice: a call of the second half past two in autumn is
// found, although its date names the first.
func TestTheHourThatComesTwice(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "master.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		`CREATE TABLE cdr (calldate, src, dst, channel, dstchannel, lastapp, lastdata, duration, billsec, disposition, uniqueid)`,
		`INSERT INTO cdr VALUES ('2026-10-25 02:30:00', '79031000001', '101', 'PJSIP/trunk-a-00000001', 'PJSIP/101-00000002', 'Dial', 'PJSIP/101',
			20, 10, 'ANSWERED', '1792891800.1')`,
		`INSERT INTO cdr VALUES ('2026-10-25 05:30:00', '79031000001', '101', 'PJSIP/trunk-a-00000003', 'PJSIP/101-00000004', 'Dial', 'PJSIP/101',
			20, 10, 'ANSWERED', '1792902600.3')`,
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 10, 25, 1, 30, 0, 0, time.UTC) // the second time
	got, _ := told(t, backfill.SourceOptions{Name: "x", Kind: backfill.CDR, Driver: backfill.SQLite, Path: path, Zone: berlin},
		backfill.Span{From: at.Add(-5 * time.Minute), To: at.Add(5 * time.Minute)})
	if len(got) != 1 || got[0].CallID != "1792891800.1" || got[0].Duration != 10 {
		t.Errorf("got %+v", got)
	}
}

// TestEndNeverWritten: Asterisk crashed in a call; it is told with its end at
// its last row, and says so.
func TestEndNeverWritten(t *testing.T) {
	cel := lines(t, captures+"22/in-answered/cel.csv.gz")
	later := regexp.MustCompile(`\b(\d{10})\.`)
	rows := append([]string{}, cel[:len(cel)-8]...)
	for _, row := range cel {
		rows = append(rows, later.ReplaceAllStringFunc(row, func(s string) string { return "18" + s[2:] }))
	}
	path := filepath.Join(t.TempDir(), "cel.csv")
	write(t, path, rows)
	got, _ := told(t, backfill.SourceOptions{Name: "x", Kind: backfill.CEL, Driver: backfill.CSV, Path: path}, backfill.Span{})
	if len(got) != 2 || len(got[0].Details.Approximate) == 0 || len(got[1].Details.Approximate) != 0 {
		t.Fatalf("got %+v", got)
	}
	if took := got[0].Details.EndedAt.Sub(got[0].Details.StartedAt); took > time.Minute {
		t.Errorf("the call that was cut lasts %v", took)
	}
}

// TestLongFile: a span of a file of years is found, whether its first line has
// names (CDR's here) or not.
func TestLongFile(t *testing.T) {
	for kind, c := range map[string]struct {
		days int // of one call each; some 3 MB
		head []string
	}{
		backfill.CEL: {1000, nil},
		backfill.CDR: {10_000, []string{strings.Join(backfill.CDRLayouts()[0], ",")}},
	} {
		t.Run(kind, func(t *testing.T) {
			days, rows := c.days, slices.Clone(c.head)
			one := lines(t, captures+"22/in-answered/"+kind+".csv.gz")
			for day := range days {
				for _, row := range one {
					rows = append(rows, shifted(t, row, day))
				}
			}
			path := filepath.Join(t.TempDir(), kind+".csv")
			write(t, path, rows)
			p := backfill.SourceOptions{Name: "x", Kind: kind, Driver: backfill.CSV, Path: path}
			whole, all := told(t, p, backfill.Span{})
			if len(whole) != days || all.Rows != days*len(one) {
				t.Fatalf("%s: %d calls of %d days, %+v", kind, len(whole), days, all)
			}
			for _, i := range []int{0, 1, days / 4, days/2 - 1, days - 2, days - 1} {
				at := whole[i].Details.StartedAt
				got, stats := told(t, p, backfill.Span{From: at, To: at.Add(time.Second)})
				if diff := cmp.Diff(whole[i:i+1], got); diff != "" {
					t.Errorf("%s, day %d: %s", kind, i, diff)
				}
				if stats.Rows > 4*len(one) || stats.Malformed > 0 {
					t.Errorf("%s, day %d: %+v", kind, i, stats)
				}
			}
		})
	}
}

// shifted is a row of a capture some days later.
func shifted(t *testing.T, row string, days int) string {
	t.Helper()
	row = regexp.MustCompile(`\b\d{10}\.`).ReplaceAllStringFunc(row, func(s string) string {
		n, err := strconv.Atoi(s[:10])
		if err != nil {
			t.Fatal(err)
		}
		return strconv.Itoa(n+86400*days) + "."
	})
	return regexp.MustCompile(`"2026-\d\d-\d\d `).ReplaceAllStringFunc(row, func(s string) string {
		at, err := time.Parse(`"2006-01-02 `, s)
		if err != nil {
			t.Fatal(err)
		}
		return at.AddDate(0, 0, days).Format(`"2006-01-02 `)
	})
}
