package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/config"
)

// TestBackfillOfFreePBX: the block of config.example.toml, as it stands there
// behind its comment signs.
func TestBackfillOfFreePBX(t *testing.T) {
	text, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	_, block, found := strings.Cut(string(text), "# [[backfill]]\n")
	block, _, ends := strings.Cut(block, "\n\n")
	if !found || !ends {
		t.Fatal("config.example.toml has no block")
	}
	block = strings.ReplaceAll("\n# [[backfill]]\n"+block, "\n# ", "\n")
	got, err := config.Parse("f.toml", block)
	if err != nil {
		t.Fatal(err)
	}
	dsn := config.Secret("voipd:PASSWORD@tcp(127.0.0.1:3306)/asteriskcdrdb")
	want := []config.Backfill{{Name: "cel", Kind: "cel", Driver: "mysql", DSN: dsn}, {Name: "cdr", Kind: "cdr", Driver: "mysql", DSN: dsn}}
	if diff := cmp.Diff(want, got.Backfill); diff != "" {
		t.Error(diff)
	}
}

func TestBackfillMistakes(t *testing.T) {
	_, err := config.Parse("f.toml", `[[backfill]]
kind = "log"
driver = "oracle"
dsn = "x"
[[backfill]]
kind = "cdr"
driver = "csv"
path = "Master.csv"
columns = {src = "caller"}
[[backfill]]
kind = "cdr"
driver = "mysql"
path = "/x"
zone = "Moskau"
[[backfill]]
name = "third"
kind = "cel"
driver = "postgres"
layout = ["eventtype"]
[backfill.columns]
src = 5
`)
	if err == nil {
		t.Fatal("no mistake found")
	}
	want := `f.toml:2: backfill[0].kind: want one of cel, cdr, have "log"
f.toml:3: backfill[0].driver: want one of csv, sqlite, mysql, postgres, have "oracle"
f.toml:8: backfill[1].path: want the absolute path of the file, have "Master.csv"
f.toml:9: backfill[1].columns: is of databases; give a csv file's columns as layout
f.toml:10: backfill[2].name: want a name that no other [[backfill]] has, have "cdr"
f.toml:13: backfill[2].path: is of csv and sqlite; say in dsn how to reach the server
f.toml:14: backfill[2].zone: want a name such as "Europe/Moscow" or "UTC", have "Moskau"
f.toml:15: backfill[3].dsn: want one of dsn and dsn_file
f.toml:19: backfill[3].layout: is of csv files; say in columns what a database calls them`
	got := err.Error()
	if line, rest, ok := strings.Cut(got, "\n"); ok && strings.Contains(line, "want a text in quotes, have a number") {
		got = rest // it is in an inline place, whose line is not told
	} else {
		t.Errorf("a number for a column's name is not found: %s", got)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDSNFromAFile(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good, bad := write("dsn", "voipd:hunter2@tcp(db:3306)/x\n"), write("bad", "a\nb\n")
	load := func(file string) (config.Config, error) {
		return config.Load(write("voipd.toml", "[asterisk]\nsecret = \"s\"\n[[backfill]]\nkind = \"cel\"\ndriver = \"mysql\"\ndsn_file = \""+file+"\"\n"))
	}
	c, err := load(good)
	if err != nil || c.Backfill[0].DSN.Reveal() != "voipd:hunter2@tcp(db:3306)/x" {
		t.Errorf("got %v, %v", c.Backfill, err)
	}
	for _, file := range []string{bad, dir + "/none"} {
		if _, err := load(file); err == nil || !strings.Contains(err.Error(), "backfill[0].dsn_file") {
			t.Errorf("%s: %v", file, err)
		}
	}
}
