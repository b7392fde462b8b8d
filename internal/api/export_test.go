package api_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/voipd/voipd/record"
)

// TestExport: all records in one answer, whatever way it is asked for, and
// nothing in a cell that a spreadsheet would run.
func TestExport(t *testing.T) {
	o := newOffice(t)
	const calls = 2500
	batch := make([]record.Record, 0, calls)
	for i := range calls {
		r := o.made(fmt.Sprintf("1.%d", i), i)
		if i == 7 {
			r.Details.CallerName, r.SrcPhone = "=HYPERLINK(\"http://evil\")\r\n", "@SUM(A1)"
		}
		batch = append(batch, r)
	}
	o.put(batch...)
	for _, c := range []struct{ path, accept string }{{"/v1/records.csv", ""}, {"/v1/records", "text/csv"}, {"/v1/records", "text/csv;q=0.9, */*"}} {
		status, head, body := o.do("GET", c.path, "", "Authorization", "Bearer "+token, "Accept", c.accept)
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if status != 200 || err != nil || len(rows) != calls+1 || !strings.HasPrefix(head.Get("Content-Type"), "text/csv") {
			t.Fatalf("%v: %d, %d rows, %v, %s", c, status, len(rows), err, head.Get("Content-Type"))
		}
		for _, row := range rows[1:] {
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=@-\t\r") {
					t.Errorf("a cell begins a formula: %q", cell)
				}
			}
		}
	}
	status, _, body := o.do("GET", "/v1/records", "", "Authorization", "Bearer "+token, "Accept", "application/x-ndjson")
	n, lines := 0, bufio.NewScanner(strings.NewReader(string(body)))
	for lines.Scan() {
		var r struct{ CallID string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil || r.CallID == "" {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		n++
	}
	if status != 200 || n != calls {
		t.Errorf("%d, %d lines", status, n)
	}
	if status, _, _ := o.get("/v1/records.csv?from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z"); status != 422 {
		t.Errorf("to before from: %d", status)
	}
}
