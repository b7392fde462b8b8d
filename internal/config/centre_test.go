package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCentreProblems: each mistake of [centre], and of the centre's own file, is told by its
// key, and no secret is.
func TestCentreProblems(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	if err := os.WriteFile(token, []byte("a b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	edge := func(lines string) error {
		path := filepath.Join(dir, "config.toml")
		if err := os.WriteFile(path, []byte("[asterisk]\nsecret = \"x\"\n"+lines), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		return err
	}
	centre := func(lines string) error {
		path := filepath.Join(dir, "centre.toml")
		if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadCentre(path)
		return err
	}
	for _, c := range []struct {
		read  func(string) error
		lines string
		want  string // part of the error; empty: there is none
	}{
		{edge, "[centre]\naddress = \"https://c.example.com\"\ntoken = \"hush\"\n", ""},
		{edge, "[centre]\naddress = \"\"\n", ""},
		{edge, "[centre]\naddress = \"https://c.example.com\"\n", "centre.token: not set"},
		{edge, "[centre]\ntoken = \"hush\"\n", "centre.address: not set"},
		{edge, "[centre]\naddress = \"c.example.com\"\ntoken = \"hush\"\n", "config.toml:4: centre.address: want an address"},
		{edge, "[centre]\naddress = \"https://c.example.com\"\ntoken = \"hush\"\ntoken_file = \"/x\"\n", "centre.token_file: token is set as well"},
		{edge, "[centre]\naddress = \"https://c.example.com\"\ntoken_file = \"/nowhere\"\n", "centre.token_file: stat /nowhere"},
		{edge, "[centre]\naddress = \"https://c.example.com\"\ntoken_file = \"" + token + "\"\n", "does not hold one line"},
		{edge, "[centre]\nadress = \"x\"\n", `did you mean "address"?`},
		{centre, "[database]\ndsn = \"postgres://hush@127.0.0.1/voipd\"\n", ""},
		{centre, "", "database.dsn: not set"},
		{centre, "[database]\ndsn = \"hush\"\ndsn_file = \"/x\"\n", "database.dsn_file: dsn is set as well"},
		{centre, "[database]\ndsn = \"hush\"\nowner_dsn_file = \"/nowhere\"\n", "database.owner_dsn_file: stat /nowhere"},
		{centre, "[database]\ndsn = \"hush\"\n[http]\nlisten = \"8790\"\n", "centre.toml:4: http.listen: want host:port"},
		{centre, "[database]\ndsn = \"hush\"\n[log]\nlevel = \"loud\"\n", "log.level: want one of"},
		{centre, "[database]\ndsn = \"hush\"\n[s3]\n", "s3: unknown key"},
	} {
		err := c.read(c.lines)
		switch {
		case err == nil && c.want != "":
			t.Errorf("%q: no error, want %q", c.lines, c.want)
		case err != nil && (c.want == "" || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%q: %v, want %q", c.lines, err, c.want)
		case err != nil && strings.Contains(err.Error(), "hush"):
			t.Errorf("%q: a secret is told: %v", c.lines, err)
		}
	}
}
