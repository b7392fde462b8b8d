package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
)

func voipd(args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(args, &out, &err)
	return status, out.String(), err.String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const captures = "../../record/testdata/captures/22/"

// TestExitStatus: what did not work ends with 1 and says why, what makes no
// sense with 2; nothing of it is on standard output.
func TestExitStatus(t *testing.T) {
	bad := write(t, "bad.toml", "[asterisk]\nadress = \"x\"\n[log]\nlevel = \"loud\"\n")
	for _, c := range []struct {
		args   []string
		status int
		stderr string
	}{
		{[]string{"nonsense"}, 2, `unknown command "nonsense"`},
		{[]string{"serve", "--colour"}, 2, "unknown flag: --colour"},
		{[]string{"serve", "extra"}, 2, `unknown command "extra"`},
		{[]string{"replay"}, 2, "requires at least 1 arg"},
		{[]string{"replay", "nowhere.txt"}, 1, "nowhere.txt: no such file"},
		{[]string{"replay", "-c", bad, captures + "in-answered/ami.txt.gz"}, 1, "bad.toml:2: asterisk.adress"},
		{[]string{"serve", "-c", bad}, 1, "bad.toml:4: log.level"},
		{[]string{"serve", "-c", "nowhere.toml"}, 1, "nowhere.toml: no such file"},
		{[]string{"capture", "-c", bad, "x.txt"}, 1, "bad.toml:2"},
		{[]string{"explain", "-c", "nowhere.toml", "1.1"}, 1, "nowhere.toml"},
		{[]string{"export"}, 2, "accepts 1 arg"},
		{[]string{"demo", "--speed", "0"}, 2, "--speed"},
		{[]string{"token", "new"}, 2, "accepts 1 arg"},
		{[]string{"init", "--json"}, 2, "--json does not ask"},
		{[]string{"init", "--dry-run", "--secret-file", "x"}, 2, "--secret-file is for --remote"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			status, stdout, stderr := voipd(c.args...)
			if status != c.status || !strings.Contains(stderr, c.stderr) || stdout != "" {
				t.Errorf("got %d, %q, %q; want %d and %q", status, stdout, stderr, c.status, c.stderr)
			}
		})
	}
}

// TestReplay: a table for people; with --json one record a line and nothing
// else on standard output; a file that cannot be read costs only itself.
func TestReplay(t *testing.T) {
	conf := write(t, "voipd.toml", "[numbers]\nextensions = ['^1\\d\\d$']\n[[numbers.rewrite]]\nmatch = '^9(\\d{10,})$'\nreplace = '$1'\n")
	files := []string{captures + "out-9-prefix/ami.txt.gz", captures + "out-9-prefix/ari.jsonl.gz"}
	for _, file := range files {
		status, stdout, stderr := voipd("replay", "-c", conf, "--json", file)
		var r struct{ Direction, SrcPhone, DstPhone string }
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || strings.Count(stdout, "\n") != 1 || r.DstPhone != "79161000009" || status != 0 || stderr != "" {
			t.Errorf("%s: got %d, %q, %q (%v)", file, status, stdout, stderr, err)
		}
	}
	status, stdout, stderr := voipd("replay", "-c", conf, "nowhere.txt", captures+"in-answered/ami.txt.gz")
	if status != 1 || !strings.Contains(stderr, "nowhere.txt") || !regexp.MustCompile(`(?m)^2026-11-22 16:49:52 +in +79031000001 +101 +answered +4 +yes +1795366192\.23$`).MatchString(stdout) {
		t.Errorf("got %d\n%s\n%s", status, stdout, stderr)
	}
}

// TestOpenCallsAreTold: a capture that ends in the middle of a call.
func TestOpenCallsAreTold(t *testing.T) {
	cut := write(t, "cut.txt", "Event: Newchannel\r\nChannel: PJSIP/101-01\r\nChannelState: 4\r\nCallerIDNum: 101\r\nExten: 102\r\nUniqueid: 1795366192.1\r\nLinkedid: 1795366192.1\r\nTimestamp: 1795366192.5\r\n\r\n")
	_, stdout, _ := voipd("replay", "--json", cut)
	if !strings.Contains(stdout, `"disposition":"unknown"`) || !strings.Contains(stdout, "the capture ends before the call") {
		t.Errorf("got %s", stdout)
	}
}

// TestHostileTable: what callers chose cannot move the cursor of a terminal.
func TestHostileTable(t *testing.T) {
	r := record.Record{SrcPhone: "\x1b[2J\r\nroot", DstPhone: "101\t102", DstPhoneExt: "\u202e7"}
	if row := tableRow(r); strings.ContainsAny(row, "\x1b\r\n") || strings.Count(row, "\t") != 7 || strings.Contains(row, "\u202e") {
		t.Errorf("got %q", row)
	}
}

// untilUp waits until voipd at base follows its PBX: a call that is played
// earlier has no beginning.
func untilUp(t *testing.T, base string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		var h contract.Health
		ask, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		ask.Header.Set("Authorization", "Bearer token")
		answer, err := http.DefaultClient.Do(ask)
		if err == nil {
			err = errors.Join(json.NewDecoder(answer.Body).Decode(&h), answer.Body.Close())
		}
		if err == nil && h.AMI != nil && h.AMI.State == "up" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the PBX does not come up: %+v %v", h, err)
		}
	}
}

// TestExplainAndExport on the store of a real daemon: the trace that export
// writes replays to the same record, with other numbers.
func TestExplainAndExport(t *testing.T) {
	pbx, err := sim.New(sim.Options{Speed: 20})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = pbx.Run(ctx) }()
	dir := t.TempDir()
	conf := filepath.Join(dir, "voipd.toml")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "[asterisk]\naddress = %q\nsecret = \"voipd\"\n[store]\npath = %q\n[http]\nlisten = \"127.0.0.1:0\"\n[[http.tokens]]\nname = \"test\"\nsha256 = \"%x\"\n[[recordings.directories]]\npath = %q\n",
		pbx.Addr(), filepath.Join(dir, "voipd.db"), sha256.Sum256([]byte("token")), dir), 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, err := config.Load(conf)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 10)
	d, err := daemon.New(ctx, loaded, daemon.Options{Log: slog.New(slog.DiscardHandler), OnChange: func(all []record.Change) {
		for _, c := range all {
			if c.Kind == record.CallEnded {
				ended <- c.CallID
			}
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	call, err := sim.Load(os.DirFS("../../internal/sim/morning"), "xfer-attended")
	if err != nil {
		t.Fatal(err)
	}
	untilUp(t, d.BaseURL())
	pbx.Play(call, 0)
	var id string
	select {
	case id = <-ended:
	case err := <-done:
		t.Fatalf("the daemon ended: %v", err)
	}

	status, explained, stderr := voipd("explain", "-c", conf, id)
	if status != 0 || !strings.Contains(explained, "101 hands over to 102") || !strings.Contains(explained, "dstPhone: the first operator who talked") {
		t.Errorf("explain: %d\n%s\n%s", status, explained, stderr)
	}
	status, exported, stderr := voipd("export", "-c", conf, id)
	if status != 0 || strings.Contains(exported, "79031000044") {
		t.Errorf("export: %d\n%s\n%s", status, exported, stderr)
	}
	_, replayed, _ := voipd("replay", "--json", write(t, "bug.trace", exported))
	if !strings.Contains(replayed, `"callId":"`+id+`","direction":"in","disposition":"answered","dstPhone":"101","duration":9`) {
		t.Errorf("the export replays to %s", replayed)
	}
	status, listed, stderr := voipd("records", "-c", conf, "--direction", "in", "--json")
	if status != 0 || strings.Count(listed, "\n") != 1 || !strings.Contains(listed, `"callId":"`+id+`"`) {
		t.Errorf("records: %d\n%s\n%s", status, listed, stderr)
	}
	for _, none := range [][]string{{"--direction", "out"}, {"--from", "2100-01-01"}, {"--phone", "nobody"}} {
		if status, listed, stderr := voipd(append([]string{"records", "-c", conf, "--json"}, none...)...); status != 0 || listed != "" {
			t.Errorf("records %v: %d\n%s\n%s", none, status, listed, stderr)
		}
	}
	if status, _, stderr := voipd("records", "-c", conf, "--from", "yesterday"); status != 1 || !strings.Contains(stderr, "is no time") {
		t.Errorf("records --from yesterday: %d %s", status, stderr)
	}
	if status, _, stderr := voipd("explain", "-c", conf, "17.1"); status != 1 || !strings.Contains(stderr, "no record of the call") {
		t.Errorf("an unknown call: %d %s", status, stderr)
	}
	cancel()
	pbx.Close()
	<-served
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestToken: what goes into the configuration loads, and does not hold the
// token itself.
func TestToken(t *testing.T) {
	status, lines, told := voipd("token", "new", "crm")
	token := strings.TrimSpace(told[strings.LastIndex(told, ":")+1:])
	if status != 0 || len(token) < 20 || strings.Contains(lines, token) {
		t.Fatalf("got %d, %q, %q", status, lines, told)
	}
	example, err := os.ReadFile("../../config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("config.toml", string(example)+lines)
	if err != nil || len(c.HTTP.Tokens) != 1 || c.HTTP.Tokens[0].Name != "crm" {
		t.Errorf("got %+v (%v)", c.HTTP.Tokens, err)
	}
	_, limited, _ := voipd("token", "new", "wallboard", "--scope", "records:read")
	path := write(t, "config.toml", lines+limited)
	if status, listed, stderr := voipd("token", "list", "-c", path); status != 0 || !strings.Contains(listed, "crm        all") || !strings.Contains(listed, "wallboard  records:read") {
		t.Errorf("list: %d %s %s", status, listed, stderr)
	}
	if status, _, stderr := voipd("token", "revoke", "-c", path, "crm"); status != 0 {
		t.Errorf("revoke: %s", stderr)
	}
	if _, listed, _ := voipd("token", "list", "-c", path); strings.Contains(listed, "crm") || !strings.Contains(listed, "wallboard") {
		t.Errorf("after revoke: %s", listed)
	}
	_, keeps, _ := voipd("token", "new", "brix", "--link-ttl", "never")
	path = write(t, "config.toml", limited+keeps+fmt.Sprintf("\n[store]\npath = %q\n", filepath.Join(t.TempDir(), "voipd.db")))
	if status, out, stderr := voipd("token", "revoke-links", "-c", path, "brix"); status != 0 || !strings.Contains(out, "void") {
		t.Errorf("revoke-links: %s%s", out, stderr)
	}
	for _, name := range []string{"wallboard", "nobody"} {
		if status, _, stderr := voipd("token", "revoke-links", "-c", path, name); status == 0 || !strings.Contains(stderr, name) {
			t.Errorf("revoke-links of %s: %d %s", name, status, stderr)
		}
	}
	if status, _, _ := voipd("token", "new", "x", "--link-ttl", "always"); status == 0 {
		t.Error("a time that is none was taken")
	}
	if status, _, _ := voipd("token", "new", "x", "--scope", "everything"); status == 0 {
		t.Error("an unknown scope was taken")
	}
}
