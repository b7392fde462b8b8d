package backfill_test

import (
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// relaid writes the rows of a capture with other columns, in the given order.
func relaid(t *testing.T, rows, from, to []string, change func(name, value string) string) []string {
	t.Helper()
	place := map[string]int{}
	for i, name := range from {
		place[name] = i
	}
	var out []string
	for _, row := range rows {
		cells, err := csv.NewReader(strings.NewReader(row)).Read()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		var fresh []string
		for _, name := range to {
			value := ""
			if i, ok := place[name]; ok {
				value = cells[i]
			}
			fresh = append(fresh, change(name, value))
		}
		if err := w.Write(fresh); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		out = append(out, strings.TrimRight(b.String(), "\n"))
	}
	return out
}

func same(_, value string) string { return value }

// TestLayouts: each built-in layout, and a line of names, gives the records of
// the layout that the captures have, as far as its columns go.
func TestLayouts(t *testing.T) {
	for source, layouts := range map[string][][]string{"cel": backfill.CELLayouts(), "cdr": backfill.CDRLayouts()} {
		read := readers()[source]
		rows := lines(t, captures+"22/in-answered/"+source+".csv.gz")
		want, _ := tell(t, read, rows)
		for _, columns := range layouts {
			fresh := relaid(t, rows, layouts[0], columns, same)
			for what, text := range map[string][]string{"alone": fresh, "with names": append([]string{strings.Join(columns, ",")}, fresh...)} {
				got, stats := tell(t, read, text)
				if stats.Malformed > 0 || stats.Rows != len(rows) {
					t.Fatalf("%s %s of %d columns: %+v", source, what, len(columns), stats)
				}
				for i := range got {
					if strings.Contains(got[i].CallID, "@") { // no uniqueid at all
						got[i].CallID = want[i].CallID
					}
				}
				if diff := cmp.Diff(want, got, outside()); diff != "" {
					t.Errorf("%s %s of %d columns:\n%s", source, what, len(columns), diff)
				}
			}
		}
	}
}

// TestColumnsGiven: the configuration's columns are taken, whatever their order.
func TestColumnsGiven(t *testing.T) {
	rows := lines(t, captures+"22/in-answered/cel.csv.gz")
	columns := []string{"linkedid", "uniqueid", "extra", "channame", "eventtime", "ignored", "eventtype", "exten", "context", "cid_num", "cid_name", "appname", "appdata"}
	text := strings.Join(relaid(t, rows, backfill.CELLayouts()[0], columns, same), "\n")
	stats, err := backfill.ReadCEL(strings.NewReader(text), backfill.Options{Columns: columns}, func(record.Event) {})
	if err != nil || stats.Malformed != 0 || stats.Rows != len(rows) {
		t.Fatal(stats, err)
	}
	if stats, err = backfill.ReadCEL(strings.NewReader(text), backfill.Options{}, func(record.Event) {}); err != nil || stats.Rows != 0 || stats.Malformed != len(rows) {
		t.Fatal("rows of a layout that nobody told were read:", stats, err)
	}
}

// TestZone: dates are read in the zone that the configuration says.
func TestZone(t *testing.T) {
	rows := lines(t, captures+"22/in-answered/cdr.csv.gz")
	zone := time.FixedZone("UTC+3", 3*60*60)
	first := func(o backfill.Options) (at time.Time) {
		if _, err := backfill.ReadCDR(strings.NewReader(rows[0]), o, func(e record.Event) {
			if at.IsZero() {
				at = e.At
			}
		}); err != nil {
			t.Fatal(err)
		}
		return at
	}
	utc := time.Date(2026, 11, 22, 16, 49, 52, 0, time.UTC)
	if got := first(backfill.Options{}); !got.Equal(utc) {
		t.Errorf("without a zone %v, want %v", got, utc)
	}
	if got := first(backfill.Options{Zone: zone}); !got.Equal(utc.Add(-3 * time.Hour)) {
		t.Errorf("in UTC+3 %v, want %v", got, utc.Add(-3*time.Hour))
	}
}
