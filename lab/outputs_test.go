//go:build lab

package lab

import (
	"context"
	"encoding/csv"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// outputs looks at everything that voipd writes of the run's callers: nothing
// in it may move a terminal's cursor or be run by a spreadsheet.
func (r *run) outputs(ctx context.Context, t *testing.T) {
	t.Helper()
	d := r.daemon
	res, err := d.get(ctx, d.base+"/v1/records.csv", true)
	if err != nil || res.status != http.StatusOK {
		t.Fatalf("records as CSV: %d, %v", res.status, err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(res.body))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("records as CSV: %d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=-@\t\r") || strings.HasPrefix(cell, "+") && strings.Trim(cell[1:], "0123456789") != "" {
				t.Errorf("a cell of the CSV is a formula: %q", cell)
			}
		}
	}
	conf := filepath.Join(d.dir, "voipd.toml")
	written := map[string]string{"voipd records": d.command(ctx, t, "records", "-c", conf, "--limit", "0")}
	for _, p := range r.played {
		if strings.HasPrefix(p.Name, "hostile-") {
			written["voipd explain of "+p.Name] = d.command(ctx, t, "explain", "-c", conf, p.ids[0])
		}
	}
	log, err := os.ReadFile(filepath.Join(d.dir, "voipd.log"))
	if err != nil {
		t.Error(err)
	}
	written["the log"] = string(log)
	for what, text := range written {
		for _, c := range text {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Errorf("%s has the character %U", what, c)
				break
			}
		}
	}
}

// command runs voipd beside the daemon and gives what it prints.
func (d *Daemon) command(ctx context.Context, t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, d.binary, args...).CombinedOutput()
	if err != nil {
		t.Errorf("voipd %v: %v\n%s", args, err, out)
	}
	return string(out)
}
