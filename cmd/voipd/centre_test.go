package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/databases"
)

// TestCentre: a centre is set up by the commands of docs/centre.md, a voipd joins it and
// gets another token, an app reads, and all of them are revoked.
func TestCentre(t *testing.T) {
	dir := t.TempDir()
	address := free(t)
	conf, edge := filepath.Join(dir, "centre.toml"), filepath.Join(dir, "config.toml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(conf, fmt.Sprintf("[database]\ndsn = %q\n[http]\nlisten = %q\n", databases.Postgres(t), address))
	write(edge, "[asterisk]\nsecret = \"hush\"\n")
	voipd := func(want int, args ...string) (string, string) {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(args, &out, &errs); got != want {
			t.Fatalf("%q: status %d, want %d: %s", args, got, want, &errs)
		}
		return strings.TrimSpace(out.String()), errs.String()
	}
	centre := func(want int, args ...string) string {
		t.Helper()
		out, errs := voipd(want, append(append([]string{"centre"}, args...), "-c", conf)...)
		if want != exitOK {
			return errs
		}
		return out
	}
	if said := centre(exitFailed, "tenant", "list"); !strings.Contains(said, "run voipd centre migrate") {
		t.Errorf("without tables: %s", said)
	}
	centre(exitOK, "migrate")
	centre(exitOK, "tenant", "add", "acme")
	for _, wrong := range [][]string{{"tenant", "add", "acme"}, {"tenant", "add", "../b"}, {"edge", "add", "nobody", "a"}, {"edge", "add", "acme", "A B"},
		{"token", "add", "acme", "app", "--scope", "all"}, {"token", "revoke", "acme", "app"}, {"edge", "revoke", "acme", "a"}, {"forget", "acme", "101"}} {
		centre(exitFailed, wrong...)
	}
	stop := serveTestCentre(t, conf, address)
	code := centre(exitOK, "edge", "add", "acme", "berlin")
	lines, _ := voipd(exitOK, "join", "http://"+address, code, "-c", edge)
	token := filepath.Join(dir, "centre.token")
	if want := fmt.Sprintf("[centre]\naddress = %q\ntoken_file = %q", "http://"+address, token); lines != want {
		t.Errorf("join prints %q, want %q", lines, want)
	}
	first, err := os.ReadFile(token)
	if err != nil || len(bytes.TrimSpace(first)) < 26 {
		t.Fatalf("the token is %q (%v)", first, err)
	}
	write(edge, "[asterisk]\nsecret = \"hush\"\n"+lines+"\n")
	if _, said := voipd(exitFailed, "join", "http://"+address, code, "-c", edge); !strings.Contains(said, "no such code") {
		t.Errorf("the code works twice: %s", said)
	}
	if kept, _ := os.ReadFile(token); !bytes.Equal(kept, first) {
		t.Error("a code that was refused cost the token")
	}
	if lines, _ := voipd(exitOK, "join", "http://"+address+"/", centre(exitOK, "edge", "add", "acme", "berlin"), "-c", edge); lines != "" {
		t.Errorf("lines that are there are printed again: %q", lines)
	}
	second, err := os.ReadFile(token)
	if err != nil || bytes.Equal(first, second) {
		t.Errorf("the token was not changed (%v)", err)
	}
	status := func(path string, token []byte) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+string(bytes.TrimSpace(token)))
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	app := []byte(centre(exitOK, "token", "add", "acme", "app", "--scope", "records:read"))
	for _, c := range []struct {
		path  string
		token []byte
		want  int
	}{{"/v1/ship", first, 200}, {"/v1/ship", second, 200}, {"/v1/records", app, 200}, {"/v1/pbxs", app, 200}, {"/v1/health", nil, 200}, {"/", nil, 200}, {"/v1/calls", app, 501}} {
		if got := status(c.path, c.token); got != c.want {
			t.Errorf("GET %s: HTTP %d, want %d", c.path, got, c.want)
		}
	}
	for what, want := range map[string]string{"tenant list": "acme    1", "edge list acme": "berlin  new", "token list acme": "ship the records of berlin"} {
		if said := centre(exitOK, strings.Fields(what)...); !strings.Contains(said, want) {
			t.Errorf("%s: %s", what, said)
		}
	}
	centre(exitOK, "token", "revoke", "acme", "app")
	centre(exitOK, "edge", "revoke", "acme", "berlin")
	if got := [3]int{status("/v1/records", app), status("/v1/ship", first), status("/v1/ship", second)}; got != [3]int{401, 401, 401} {
		t.Errorf("after they were revoked: %v", got)
	}
	centre(exitOK, "token", "add", "acme", "app")
	centre(exitOK, "tenant", "revoke", "acme")
	if said := centre(exitOK, "forget", "acme", "79031234567"); said != "0 calls are forgotten" {
		t.Errorf("forget: %s", said)
	}
	stop()
}

// TestCentreDocs runs what docs/centre.md prints, in its order.
func TestCentreDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/centre.md")
	if err != nil {
		t.Fatal(err)
	}
	dsn := databases.Postgres(t)
	conf := filepath.Join(t.TempDir(), "centre.toml")
	blocks := regexp.MustCompile("(?s)```(sql|toml|sh)\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 6 {
		t.Fatalf("docs/centre.md has %d blocks, want 6", len(blocks))
	}
	for _, b := range blocks {
		switch b[1] {
		case "sql":
			for _, statement := range strings.SplitAfter(strings.TrimSpace(b[2]), "\n") {
				psql(t, dsn, statement)
			}
		case "toml": // the server of the test listens on a socket
			host, _, _ := strings.Cut(strings.TrimPrefix(dsn, "host="), " ")
			lines := regexp.MustCompile(`"postgres://(\w+):[^"]*"`).ReplaceAllString(b[2], `"host=`+host+` user=$1 dbname=voipd"`)
			if err := os.WriteFile(conf, []byte(strings.Replace(lines, "127.0.0.1:8790", free(t), 1)), 0o600); err != nil {
				t.Fatal(err)
			}
		case "sh":
			for _, line := range strings.Split(strings.TrimSpace(b[2]), "\n") {
				args := append(strings.Fields(line)[1:], "-c", conf)
				ctx, cancel := context.WithCancel(t.Context())
				root := newRoot()
				root.SetArgs(args)
				root.SetOut(io.Discard)
				root.SetErr(stopAt{"the centre serves", cancel})
				if err := root.ExecuteContext(ctx); err != nil {
					t.Errorf("%s: %v", line, err)
				}
				cancel()
			}
		}
	}
}

// stopAt calls stop once a text was written.
type stopAt struct {
	text string
	stop func()
}

func (s stopAt) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.text) {
		s.stop()
	}
	return len(p), nil
}

func psql(t *testing.T, dsn, statement string) {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serveTestCentre runs voipd centre until stop is called.
func serveTestCentre(t *testing.T, conf, address string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	root := newRoot()
	root.SetArgs([]string{"centre", "-c", conf})
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	done := make(chan error, 1)
	go func() { done <- root.ExecuteContext(ctx) }()
	for every := time.NewTicker(20 * time.Millisecond); ; {
		if res, err := http.Get("http://" + address + "/v1/health"); err == nil {
			res.Body.Close()
			every.Stop()
			break
		}
		select {
		case <-every.C:
		case err := <-done:
			t.Fatalf("the centre ended: %v", err)
		}
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the centre ends with %v", err)
		}
	}
}
