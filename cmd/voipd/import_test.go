package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
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
		lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(stdout.String()), "\n"), func(line string) bool { return strings.HasPrefix(line, "  approximate: ") })
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

// TestImportReasons: an import says why it left rows out and why records are
// approximate, and fails where it understood nothing.
func TestImportReasons(t *testing.T) {
	dir := t.TempDir()
	cdr, conf := filepath.Join(dir, "cdr.csv"), filepath.Join(dir, "voipd.toml")
	if err := os.WriteFile(conf, []byte("[store]\npath = '"+dir+"/voipd.db'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	unpack(t, "in-ringgroup/cdr.csv.gz", cdr)
	text, err := os.ReadFile(cdr)
	if err != nil {
		t.Fatal(err)
	}
	row := strings.SplitAfter(string(text), "\n")[0]
	bad := "one,two,three\n" + `"not closed` + "\n" + strings.Replace(row, "ANSWERED", "NO SUCH THING", 1) + strings.ReplaceAll(row, "2026-", "soon-")
	bad = strings.Replace(bad, "NO ANSWER", "NO SUCH THING", 1)
	for _, c := range []struct {
		name, text string
		code       int
		want       []string
	}{
		{"some rows", string(text) + bad, exitOK, []string{"3 rows, 1 calls: 1 new, 0 replaced, 0 kept; 4 rows malformed",
			"\n  left out: 1 rows: no known layout has as many columns", "\n  left out: 1 rows: quotes that do not fit", "\n  left out: 1 rows: a time that is none",
			"\n  left out: 1 rows: no event, channel or disposition", "\n  approximate: 1 calls: told by CDR"}},
		{"nothing", bad, exitFailed, []string{"0 rows, 0 calls", "nothing was understood of 4 rows"}},
	} {
		if err := os.WriteFile(cdr, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if code := run([]string{"import", "-c", conf, "--zone", "UTC", "--cdr", cdr}, &out, &out); code != c.code {
			t.Errorf("%s: exit %d, want %d", c.name, code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: got\n%s\nwithout %q", c.name, &out, want)
			}
		}
	}
}

// TestImportFindsRecordings: recordings that CEL and CDR do not know are found
// by their names, once, and explain says so.
func TestImportFindsRecordings(t *testing.T) {
	const file, callID = "q-610-79031000013-20261122-164938-1795366178.7.wav", "1795366178.7"
	for _, kind := range []string{"cel", "cdr"} {
		dir := t.TempDir()
		rows, conf, day := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "voipd.toml"), filepath.Join(dir, "monitor/2026/11/22")
		unpack(t, "queue-second-agent/"+kind+".csv.gz", rows)
		if kind == "cdr" { // recordingfile was set on another channel
			text, err := os.ReadFile(rows)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(rows, bytes.ReplaceAll(text, []byte(file), nil), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		audio, err := os.ReadFile("../../record/testdata/captures/22/out-9-prefix/out-79161000009-20261122-165005-1795366204.28.WAV")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(day, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "[store]\npath = '" + dir + "/voipd.db'\n[[recordings.directories]]\npath = '" + dir + "/monitor'\n[[backfill]]\nkind = '" + kind +
			"'\ndriver = 'csv'\nzone = 'UTC'\npath = '" + rows + "'\n"
		for _, f := range []struct {
			path string
			data []byte
		}{{conf, []byte(text)}, {filepath.Join(day, file), audio}, {filepath.Join(day, "0"+file[:len(file)-4]+"1.wav"), audio}} {
			if err := os.WriteFile(f.path, f.data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"1 new, 0 replaced, 0 kept", "0 new, 0 replaced, 1 kept"} {
			status, out, stderr := voipd("import", "-c", conf, "--from", "2026-01-01")
			if status != 0 || !strings.Contains(out, want) || stderr != "" {
				t.Errorf("%s: import: %d %s%s, want %q", kind, status, out, stderr, want)
			}
		}
		db, err := store.OpenReadOnly(t.Context(), dir+"/voipd.db")
		if err != nil {
			t.Fatal(err)
		}
		r, err := db.Record(t.Context(), callID)
		if rec := r.FirstRecording(); err != nil || len(r.Details.Recordings) != 1 || rec == nil || !rec.Found || rec.Path != filepath.Join(day, file) {
			t.Errorf("%s: kept %+v (%v)", kind, r.Details.Recordings, err)
		}
		if status, out, stderr := voipd("explain", "-c", conf, callID); status != 0 || !strings.Contains(out, "found on the disk by its name") ||
			!strings.Contains(out, "told by "+kind) || !strings.Contains(out, "answered: a conversation took place") {
			t.Errorf("%s: explain: %d %s%s", kind, status, out, stderr)
		}
		if status, _, stderr := voipd("export", "-c", conf, callID); status != 1 || !strings.Contains(stderr, "CEL or CDR told it") {
			t.Errorf("%s: export: %d %s", kind, status, stderr)
		}
		// Erased as any other recording.
		if status, out, stderr := voipd("forget", "-c", conf, "--yes", "79031000013"); status != 0 {
			t.Errorf("%s: forget: %d %s%s", kind, status, out, stderr)
		}
		if _, err := os.Stat(filepath.Join(day, file)); !os.IsNotExist(err) {
			t.Errorf("%s: forgotten, and its recording is there: %v", kind, err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
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
