package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/config"
)

func TestExampleIsTheDefaults(t *testing.T) {
	got, err := config.Read("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got); diff != "" {
		t.Errorf("config.example.toml is not the defaults:\n%s", diff)
	}
}

// TestCacheDir: the folder is the same for whoever reads the configuration.
func TestCacheDir(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "/var/lib/voipd/converted",
		"[store]\npath = \"/srv/voipd/x.db\"\n": "/srv/voipd/converted",
		"[recordings]\ncache = \"/var/cache/voipd\"":  "/var/cache/voipd",
		"[recordings]\nconverter = \"/opt/ffmpeg-7\"": "/var/lib/voipd/converted",
	} {
		c, err := config.Parse("f.toml", text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.CacheDir(); err != nil || got != want {
			t.Errorf("%q: got %s (%v), want %s", text, got, err, want)
		}
	}
}

// TestMistakes: every mistake of a file is told at once, with its line.
func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // in this order, and nothing else
	}{
		{"unknown key with a likely meaning", "[asterisk]\nadress = \"x:1\"\n", []string{`f.toml:2: asterisk.adress: unknown key; did you mean "address"?`}},
		{"unknown table", "[asterix]\nname = \"x\"\n", []string{`f.toml:1: asterix: unknown key; did you mean "asterisk"?`}},
		{"unknown key with none near", "[log]\ncolour = true\n", []string{`f.toml:2: log.colour: unknown key; known here: format, level`}},
		{"not TOML", "[asterisk\nname = 1\n", []string{`f.toml:2: expected`}},
		{"wrong types", "[asterisk]\naddress = 5038\ntls = \"yes\"\nping_every = 10\n[numbers]\nextensions = \"^1\"\n", []string{
			"f.toml:2: asterisk.address: want a text in quotes, have a number",
			"f.toml:3: asterisk.tls: want true or false, have a text",
			`f.toml:4: asterisk.ping_every: want a duration such as "10s", have a number`,
			"f.toml:6: numbers.extensions: want a list, have a text",
		}},
		{"kept too short", "[recordings]\nkeep = \"1h\"\n[store]\nkeep_records = \"48h\"\n", []string{
			`f.toml:2: recordings.keep: want at least "72h"`,
			`f.toml:4: store.keep_records: want at least "72h"`,
		}},
		{"converter", "[recordings]\nconverter = \"lame\"\ncache = \"/\"\ncache_mib = -1\n", []string{
			`f.toml:2: recordings.converter: want auto, off, or the absolute path of an ffmpeg or sox, have "lame"`,
			`f.toml:3: recordings.cache: want an absolute path of a folder`, `f.toml:4: recordings.cache_mib: want a whole number`,
		}},
		{"converter of another name", "[recordings]\nconverter = \"/usr/bin/lame\"\n", []string{`f.toml:2: recordings.converter: want auto`}},
		{"bad values", `[asterisk]
address = "pbx"
deadline = "0s"
[numbers]
extensions = ['^(1\d\d$']
[[numbers.rewrite]]
match = ''
[[recordings.directories]]
path = "monitor"
[http]
listen = "127.0.0.1:noport"
base_url = "pbx.example.com"
[[http.tokens]]
name = "crm"
sha256 = "abc"
[[http.tokens]]
name = "crm"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
[log]
level = "loud"
`, []string{
			`f.toml:2: asterisk.address: want host:port`, `f.toml:3: asterisk.deadline: want a duration above zero`,
			`f.toml:5: numbers.extensions[0]: is no regular expression`, `f.toml:7: numbers.rewrite[0].match: an empty pattern`,
			`f.toml:9: recordings.directories[0].path: want an absolute path`, `f.toml:11: http.listen: "noport" is no port`,
			`f.toml:12: http.base_url: want an address`, `f.toml:15: http.tokens[0].sha256: want the SHA-256`,
			`f.toml:17: http.tokens[1].name: want a name that no other token has`, `f.toml:20: log.level: want one of`,
		}},
		{"a line break for AMI", "[asterisk]\nusername = \"x\\r\\nAction: Originate\"\n", []string{"f.toml:2: asterisk.username: must be one line"}},
		{"links for ever", "[[http.tokens]]\nname = \"a\"\nsha256 = \"" + strings.Repeat("ab", 32) + "\"\nlink_ttl = \"always\"\n", []string{"f.toml:4: http.tokens[0].link_ttl: want a duration such as \"720h\", or \"never\", have \"always\""}},
		{"negative duration", "[recordings]\nlink_ttl = \"-1h\"\n", []string{"f.toml:2: recordings.link_ttl: want a duration above zero"}},
		{"webhooks", `[[webhooks]]
name = "crm"
url = "crm.example.com"
secret = "whsec_short"
events = ["call.started", "call.strated"]
template = "brixx"
[[webhooks]]
name = "crm"
url = "https://crm.example.com/x?y=z"
template = "plain"
body_template = "/x"
timeout = "0s"
`, []string{
			`f.toml:3: webhooks[0].url: want an address`, `f.toml:4: webhooks[0].secret: want whsec_`, `f.toml:5: webhooks[0].events[1]: want one of`,
			`f.toml:6: webhooks[0].template: want one of plain, brix`, `f.toml:7: webhooks[1].secret: not set`, `f.toml:8: webhooks[1].name: want a name`,
			`f.toml:11: webhooks[1].body_template: template is set as well`, `f.toml:12: webhooks[1].timeout: want a duration above zero`,
		}},
		{"a token that may do nothing, and a page that never matches", "[http]\norigins = [\"https://*.example.com\"]\n[[http.tokens]]\nname = \"crm\"\nscopes = []\nsha256 = \"" + strings.Repeat("0", 64) + "\"\n", []string{
			"f.toml:2: http.origins[0]: want an origin", "f.toml:5: http.tokens[0].scopes: is empty: say what the token may do",
		}},
		{"helpers and members", `[numbers]
helpers = ["Khomp", "Khomp/B0"]
[[members]]
extension = "121"
endpoints = ["PJSIP/anna-desk", "DAHDI/7"]
[[members]]
extension = "122"
endpoints = ["anna-desk", "DAHDI/7", "PJSIP/o'neil desk"]
[[members]]
extension = "123"
`, []string{
			`f.toml:2: numbers.helpers[1]: want a technology`, `f.toml:8: members[1].endpoints[0]: want a technology and an endpoint`,
			`f.toml:8: members[1].endpoints[1]: DAHDI/7 is another member's`, `f.toml:9: members[2].name: must not be empty`,
		}},
		{"the whole disk", "[[recordings.directories]]\npath = \"/\"\n", []string{"f.toml:2: recordings.directories[0].path: want an absolute path"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("f.toml", c.text)
			var problems *config.Error
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want a list of problems", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(c.want) {
				t.Fatalf("got %d problems, want %d:\n%v", len(lines), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("problem %d is\n%s\nwant\n%s…", i, lines[i], want)
				}
			}
		})
	}
}

// TestSecrets: from the file, a file of its own, or systemd; one place only.
func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	own := write("own.secret", "from a file\n")
	write("ami-secret", "from systemd")
	two := write("two.secret", "a\nb\n")
	for _, c := range []struct{ name, text, credentials, want, err string }{
		{"inline", `secret = "inline"`, "", "inline", ""},
		{"file", `secret_file = "` + own + `"`, "", "from a file", ""},
		{"credential", ``, dir, "from systemd", ""},
		{"nowhere", ``, "", "", "asterisk.secret: not set"},
		{"twice", `secret = "x"` + "\n" + `secret_file = "` + own + `"`, "", "", "keep one of the two"},
		{"missing file", `secret_file = "` + dir + `/none"`, "", "", "no such file"},
		{"two lines", `secret_file = "` + two + `"`, "", "", "does not hold one line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CREDENTIALS_DIRECTORY", c.credentials)
			got, err := config.Load(write("voipd.toml", "[asterisk]\n"+c.text+"\n"))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || got.Asterisk.Secret.Reveal() != c.want {
				t.Errorf("got %q (%v), want %q", got.Asterisk.Secret.Reveal(), err, c.want)
			}
		})
	}
}

// TestWebhookSecretFiles: each is read, and what is no secret is told.
func TestWebhookSecretFiles(t *testing.T) {
	dir := t.TempDir()
	good, bad, file := filepath.Join(dir, "good"), filepath.Join(dir, "bad"), filepath.Join(dir, "voipd.toml")
	for name, text := range map[string]string{
		good: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", bad: "hunter2\n",
		file: fmt.Sprintf("[asterisk]\nsecret = \"x\"\n[[webhooks]]\nname = \"a\"\nurl = \"http://a/\"\nsecret_file = %q\n", good),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Load(file)
	if err != nil || len(c.Webhooks) != 1 || c.Webhooks[0].Secret.Reveal() != "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" {
		t.Errorf("got %+v (%v)", c.Webhooks, err)
	}
	for _, path := range []string{bad, filepath.Join(dir, "none")} {
		text := fmt.Sprintf("[asterisk]\nsecret = \"x\"\n[[webhooks]]\nname = \"a\"\nurl = \"http://a/\"\nsecret_file = %q\n", path)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := config.Load(file); err == nil || !strings.Contains(err.Error(), "webhooks[0].secret_file") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestSecretNeverPrints(t *testing.T) {
	c := config.Default()
	c.Asterisk.Secret = "hunter2"
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "config", c, "secret", c.Asterisk.Secret)
	js, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %v %s %q %x", c, c, c, c.Asterisk.Secret, c.Asterisk.Secret, c.Asterisk.Secret), log.String(), string(js)} {
		if strings.Contains(s, "hunter2") || strings.Contains(s, "68756e7465723") {
			t.Errorf("the secret is in %s", s)
		}
	}
}
