package backfill_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// captures are the captures of package record.
const captures = "../../record/testdata/captures/"

type reader func(io.Reader, backfill.Options, func(record.Event)) (backfill.Stats, error)

func readers() map[string]reader {
	return map[string]reader{"cel": backfill.ReadCEL, "cdr": backfill.ReadCDR}
}

// lines gives the rows of a capture as they were written.
func lines(t testing.TB, file string) []string {
	t.Helper()
	text, err := capture.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}

// tell applies rows to a Machine, checking its invariants after every event,
// and gives the records by their calls.
func tell(t testing.TB, read reader, rows []string) ([]record.Record, backfill.Stats) {
	t.Helper()
	rules := numbers.Default()
	rules.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	m := record.New(rules)
	var out []record.Record
	told := 0
	stats, err := read(strings.NewReader(strings.Join(rows, "\n")), backfill.Options{}, func(e record.Event) {
		told++
		for _, c := range m.Apply(nil, e) {
			if c.Record != nil {
				out = append(out, *c.Record)
			}
		}
		if err := m.Check(); err != nil {
			t.Fatalf("after %+v: %v", e, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Events != told {
		t.Errorf("stats count %d events, %d were told", stats.Events, told)
	}
	slices.SortFunc(out, func(a, b record.Record) int { return strings.Compare(a.CallID, b.CallID) })
	for i := 1; i < len(out); i++ {
		if out[i].CallID == out[i-1].CallID {
			t.Errorf("two records of %s", out[i].CallID)
		}
	}
	return out, stats
}

func eachCapture(t *testing.T, f func(t *testing.T, read reader, source string, rows []string)) {
	for source, read := range readers() {
		files, err := filepath.Glob(captures + "*/*/" + source + ".csv.gz")
		if err != nil || len(files) == 0 {
			t.Fatal("no captures", err)
		}
		for _, file := range files {
			t.Run(filepath.ToSlash(file)[len(captures):], func(t *testing.T) { f(t, read, source, lines(t, file)) })
		}
	}
}

// outside leaves what the app sees: the fields of a VoipCallRecord.
func outside() cmp.Option { return cmpopts.IgnoreFields(record.Record{}, "Details") }

// TestRowsReordered: rows within 50 ms may come in any order (CDR's rows, which
// are put together by call, in any at all), and any may come twice, at once or
// after the rest.
func TestRowsReordered(t *testing.T) {
	eachCapture(t, func(t *testing.T, read reader, source string, rows []string) {
		want, _ := tell(t, read, rows)
		for seed := range uint64(20) {
			mixed := disorder(rows, source == "cdr", rand.New(rand.NewPCG(seed, 3)))
			got, _ := tell(t, read, mixed)
			if diff := cmp.Diff(want, got, outside()); diff != "" {
				t.Fatalf("seed %d:\n%s\n%s", seed, diff, strings.Join(mixed, "\n"))
			}
		}
		for i, row := range rows {
			for what, twice := range map[string][]string{
				"at once": slices.Insert(slices.Clone(rows), i, row), "at the end": append(slices.Clone(rows), row),
			} {
				got, _ := tell(t, read, twice)
				if diff := cmp.Diff(want, got, outside()); diff != "" {
					t.Fatalf("row %d told twice, %s: %s\n%s", i, what, row, diff)
				}
			}
		}
	})
}

// disorder swaps neighbours, and tells some rows twice.
func disorder(rows []string, anyTime bool, r *rand.Rand) []string {
	out := slices.Clone(rows)
	for range 2 * len(out) {
		i := r.IntN(max(1, len(out)-1))
		if i+1 < len(out) && (anyTime || celTime(out[i]).Sub(celTime(out[i+1])).Abs() <= 50*time.Millisecond) {
			out[i], out[i+1] = out[i+1], out[i]
		}
	}
	if len(out) > 0 {
		i := r.IntN(len(out))
		out = slices.Insert(out, i, out[i])
	}
	return out
}

func celTime(row string) time.Time {
	cells := strings.SplitN(row, `"`, 5)
	var sec, micro int64
	if _, err := fmt.Sscanf(cells[3], "%d.%d", &sec, &micro); err != nil {
		panic(err) // a row of the captures
	}
	return time.Unix(sec, micro*1000)
}

// TestMalformedRows: a bad row costs only itself and is counted.
func TestMalformedRows(t *testing.T) {
	bad := map[string][]string{
		"cel": {`"CHAN_START","not a time","","","","","","","","PJSIP/101-1","","","1.1","1.1","","",""`, `"CHAN_START"`, `garbage`,
			`"CHAN_START","1795366163.058725","`, strings.Repeat("x", 1<<20), "\x00\xff",
			`"HANGUP","1795366163.058725","","","","","","","","PJSIP/101-1","","","1.1","1.1","","","{not json"`,
			`"CHAN_START","1795366163.058725","","","","","","","","PJSIP/101-1","","","","","","",""`},
		"cdr": {`"a","b"`, `garbage`, `"","1","2","c","PJSIP/101-1","","Dial","","2026-11-22 16:49:52","","2026-11-22 16:49:51","0","0","ANSWERED","D","","1.1","1.1","1","",""`,
			`"","1","2","c","PJSIP/101-1","","Dial","","2026-11-22 16:49:52","","2026-11-22 16:49:58","0","0","MAYBE","D","","1.1","1.1","1","",""`,
			`"open,`, strings.Repeat(`"x",`, 1<<18)},
	}
	for source, read := range readers() {
		rows := lines(t, captures+"22/in-ringgroup/"+source+".csv.gz")
		want, whole := tell(t, read, rows)
		for _, row := range bad[source] {
			for i := range rows {
				got, stats := tell(t, read, slices.Insert(slices.Clone(rows), i, row))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: %.80s before row %d: %s", source, row, i, diff)
				}
				if stats.Malformed != 1 || stats.Rows != whole.Rows {
					t.Errorf("%s: %.80s: counted %+v, want 1 malformed and %d rows", source, row, stats, whole.Rows)
				}
			}
		}
	}
}

// FuzzRows: whatever the rows are, invariants hold, nothing is told in
// another's name, and every line is counted once.
func FuzzRows(f *testing.F) {
	for _, source := range []string{"cel", "cdr"} {
		for _, name := range []string{"22/xfer-attended", "16/park-retrieve", "22/conference", "16/queue-linear-local"} {
			f.Add(source == "cel", []byte(strings.Join(lines(f, captures+name+"/"+source+".csv.gz"), "\n")))
		}
	}
	f.Fuzz(func(t *testing.T, cel bool, text []byte) {
		read, source := backfill.ReadCDR, record.SourceCDR
		if cel {
			read, source = backfill.ReadCEL, record.SourceCEL
		}
		m := record.New(numbers.Default())
		stats, err := read(strings.NewReader(string(text)), backfill.Options{}, func(e record.Event) {
			if e.Source != source || e.At.Location() != time.UTC {
				t.Fatalf("%+v", e)
			}
			m.Apply(nil, e)
			if err := m.Check(); err != nil {
				t.Fatalf("after %+v: %v", e, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for line := range strings.Lines(string(text)) {
			if strings.Trim(line, "\r\n") != "" {
				rows++
			}
		}
		if n := stats.Rows + stats.Malformed; n != rows && n != rows-1 { // a line of names is no row
			t.Fatalf("%d rows, and %+v", rows, stats)
		}
	})
}
