package centre_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
)

// checkSessionOfEveryProcess: a page that one process of the centre signed in is signed in at
// another, until its token is revoked; a session that nobody sealed is none.
func checkSessionOfEveryProcess(t *testing.T, server *databases.PostgresServer) {
	h, edgeA, _, appA, _ := two(t, server, "session")
	other := &head{dsn: h.dsn}
	other.open(t)
	other.serve(t)
	t.Cleanup(func() { other.server.Close(); other.Close() })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/session", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+appA)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	res.Body.Close()
	if res.StatusCode != http.StatusCreated || len(res.Cookies()) != 1 {
		t.Fatalf("HTTP %d, cookies %v", res.StatusCode, res.Cookies())
	}
	list := func(at *head, cookie string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at.url+"/v1/records", nil)
		must(t, err)
		req.AddCookie(&http.Cookie{Name: res.Cookies()[0].Name, Value: cookie})
		res, err := http.DefaultClient.Do(req)
		must(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	sealed := res.Cookies()[0].Value
	turned := strings.NewReplacer("A", "B", "B", "A").Replace(sealed)
	for _, c := range []struct {
		name   string
		at     *head
		cookie string
		want   int
	}{{"the same process", h, sealed, 200}, {"another process", other, sealed, 200}, {"another token's", other, "A" + sealed[1:] + "A", 401}, {"changed", other, turned, 401}, {"an edge's token", other, edgeA, 401}} {
		if got := list(c.at, c.cookie); got != c.want {
			t.Errorf("%s: HTTP %d, want %d", c.name, got, c.want)
		}
	}
	must(t, h.RevokeToken(t.Context(), "a", "app"))
	if got := list(other, sealed); got != 401 {
		t.Errorf("after its token was revoked: HTTP %d", got)
	}
}

// checkPage: the page shows the calls of a tenant with the names of their PBXs, finds
// those of one PBX, and has no view of what goes on (testdata/page.mjs, in Chromium).
func checkPage(t *testing.T, server *databases.PostgresServer) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium; scripts/chromium.sh installs it")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node; scripts/node.sh installs it")
	}
	modules, err := filepath.Abs("../web/node_modules/playwright-core")
	must(t, err)
	if _, err := os.Stat(modules); err != nil {
		t.Skip("there is no playwright-core; scripts/node.sh installs it")
	}
	h := copied(t, server, "page")
	must(t, h.AddTenant(t.Context(), "acme"))
	for pbx, call := range map[string]string{"berlin": "1795366192.1", "kazan": "1795366193.1"} {
		if got := h.ask(t, http.MethodPost, "/v1/ship", h.join(t, "acme", pbx), pack(t, contract.ShipHead{Batch: 1, Instance: pbx, Begin: true}, shipped(call, "7903000000"+pbx[:1], 1))); got.status != 200 {
			t.Fatalf("HTTP %d %s", got.status, got.text)
		}
	}
	app, err := h.AddToken(t.Context(), "acme", "app", nil)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "testdata/page.mjs")
	cmd.Env = append(os.Environ(), "CENTRE="+h.url, "TOKEN="+app, "CHROMIUM="+browser, "PLAYWRIGHT="+modules)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
