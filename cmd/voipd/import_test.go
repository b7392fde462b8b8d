package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/store"
)

// unpack writes a file of a capture without its compression.
func unpack(t *testing.T, name, to string) {
	t.Helper()
	text, err := capture.ReadFile("../../record/testdata/captures/22/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestImport: what the command says at each step of an import.
func TestImport(t *testing.T) {
	dir := t.TempDir()
	cel, cdr, conf := filepath.Join(dir, "cel.csv"), filepath.Join(dir, "cdr.csv"), filepath.Join(dir, "voipd.toml")
	unpack(t, "in-ringgroup/cel.csv.gz", cel)
	unpack(t, "in-ringgroup/cdr.csv.gz", cdr)
	text := "[store]\npath = '" + dir + "/voipd.db'\n[[backfill]]\nkind = 'cdr'\ndriver = 'csv'\nzone = 'UTC'\npath = '" + cdr + "'\n" +
		"[[backfill]]\nkind = 'cel'\ndriver = 'csv'\npath = '" + cel + "'\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want []string // of each line, the beginning
	}{
		{"dry", []string{"--dry-run"}, []string{"cel: 23 rows, 1 calls: 1 new, 0 replaced, 0 kept; 0 rows malformed, nothing written", "cdr: 3 rows, 1 calls: 1 new"}},
		{"one source", []string{"--source", "cdr"}, []string{"cdr: 3 rows, 1 calls: 1 new, 0 replaced, 0 kept; 0 rows malformed"}},
		{"a file", []string{"--cel", cel}, []string{cel + ": 23 rows, 1 calls: 0 new, 1 replaced, 0 kept; 0 rows malformed"}},
		{"all", nil, []string{"cel: 23 rows, 1 calls: 0 new, 0 replaced, 1 kept", "cdr: 3 rows, 1 calls: 0 new, 0 replaced, 1 kept"}},
		{"gone on with", []string{"--source", "cel"}, []string{"cel: 23 rows, 1 calls: 0 new, 0 replaced, 1 kept; 0 rows malformed, from 2026-11-22T"}},
		{"another time", []string{"--from", "2027-01-01"}, []string{"cel: 0 rows, 0 calls", "cdr: 0 rows, 0 calls"}},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(append([]string{"import", "-c", conf}, c.args...), &stdout, &stderr); code != exitOK {
			t.Fatalf("%s: exit %d: %s", c.name, code, &stderr)
		}
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		if len(lines) != len(c.want) {
			t.Fatalf("%s: got %q", c.name, lines)
		}
		for i, want := range c.want {
			if !strings.HasPrefix(lines[i], want) {
				t.Errorf("%s: got\n%s\nwant\n%s…", c.name, lines[i], want)
			}
		}
	}
	db, err := store.OpenReadOnly(t.Context(), dir+"/voipd.db")
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := db.Records(t.Context(), store.Query{})
	if err != nil || len(list) != 1 || list[0].Details.Source != "cel" {
		t.Errorf("kept %+v (%v), want one record by CEL", list, err)
	}
}

// TestImportMistakes: what cannot be imported is told in one line.
func TestImportMistakes(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "voipd.toml")
	if err := os.WriteFile(conf, []byte("[store]\npath = '"+t.TempDir()+"/voipd.db'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		args []string
		code int
	}{
		"nothing to import":       {nil, exitFailed},
		"no such file":            {[]string{"--cel", "/none.csv"}, exitFailed},
		`"yesterday" is no date`:  {[]string{"--from", "yesterday"}, exitUsage},
		"read configuration":      {[]string{"-c", "/none.toml"}, exitFailed},
		"give files alone":        {[]string{"--cel", "/none.csv", "--source", "cel"}, exitUsage},
		"unknown flag":            {[]string{"--cdrs", "x"}, exitUsage},
		"unknown time zone Mars/": {[]string{"--cdr", "/none.csv", "--zone", "Mars/North"}, exitFailed},
	} {
		var stdout, stderr bytes.Buffer
		code := run(append([]string{"import", "-c", conf}, c.args...), &stdout, &stderr)
		if code != c.code || !strings.Contains(stderr.String(), want) {
			t.Errorf("%v: exit %d, %s; want %d, %q", c.args, code, &stderr, c.code, want)
		}
	}
}
