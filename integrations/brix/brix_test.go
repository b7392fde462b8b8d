package brix_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/sim"
)

const (
	token  = "token"
	narrow = "narrow" // may only read records
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// TestModule runs the module in Node, as an app would.
func TestModule(t *testing.T) { inNode(t, "test/voip.test.mjs", "test/openapi.test.mjs") }

// TestClient runs a client in Node that is generated from docs/openapi.json.
func TestClient(t *testing.T) { inNode(t, "test/client.test.mjs") }

// inNode runs tests of test/ in Node. They have voipd started, stopped and
// called by asking the address in OFFICE.
func inNode(t *testing.T, tests ...string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node; scripts/node.sh installs it")
	}
	if _, err := os.Stat("node_modules/openapi-typescript"); err != nil {
		t.Skip("its packages are not installed; scripts/node.sh does it")
	}
	seen(t)
	o := newOffice(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, append([]string{"--test", "--test-reporter=spec"}, tests...)...)
	cmd.Env = append(os.Environ(), "OFFICE="+o.control())
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
	t.Logf("\n%s", out.String())
}

// seen looks at the files that Node reads, so that Go runs the test again when
// one of them changes.
func seen(t *testing.T) {
	files := []string{"voip.ts", "app.d.ts", "tsconfig.json", "package-lock.json", "../../docs/openapi.json"}
	tests, err := filepath.Glob("test/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(files, tests...) {
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
}

// office is a whole voipd beside a fake PBX, told what to do over HTTP.
type office struct {
	t   *testing.T
	dir string
	pbx *sim.PBX

	mu     sync.Mutex
	stop   func() error // nil: voipd does not run
	orders []sim.Order
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, dir: t.TempDir()}
	pbx, err := sim.New(sim.Options{Speed: 10, Monitor: filepath.Join(o.dir, "monitor"), Originated: o.originated, Endpoints: []sim.Endpoint{
		{Name: "101", Auths: "101", Context: "from-internal", CallerID: `"Irina" <101>`},
		{Name: "108", Auths: "108", Context: "from-internal", State: "Unavailable"},
		{Name: "trunk-a", OutboundAuth: "trunk-a", Context: "from-trunk"}}})
	if err != nil {
		t.Fatal(err)
	}
	o.pbx = pbx
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = pbx.Run(ctx) }() // it ends because it was told to
	t.Cleanup(func() { o.end(); cancel(); pbx.Close(); <-done })
	return o
}

func (o *office) originated(order sim.Order) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.orders = append(o.orders, order)
}

// control is the address at which Node asks for things.
func (o *office) control() string {
	mux := http.NewServeMux()
	answer := func(path string, do func(ask map[string]string) (any, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			ask := map[string]string{}
			err := json.NewDecoder(r.Body).Decode(&ask)
			var out any
			if err == nil {
				out, err = do(ask)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			if err := json.NewEncoder(w).Encode(out); err != nil {
				o.t.Errorf("%s: %v", path, err)
			}
		})
	}
	answer("/start", func(ask map[string]string) (any, error) { return o.start(ask["url"]) })
	answer("/stop", func(map[string]string) (any, error) { return nil, o.end() })
	answer("/play", func(ask map[string]string) (any, error) { return o.play(ask["name"]) })
	answer("/cut", func(map[string]string) (any, error) {
		o.pbx.Away(true)
		o.pbx.Cut()
		return nil, nil
	})
	answer("/orders", func(map[string]string) (any, error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		return o.orders, nil
	})
	server := httptest.NewServer(mux)
	o.t.Cleanup(server.Close)
	return server.URL
}

// start starts voipd, which tells its events to that address; empty: to nobody.
func (o *office) start(url string) (any, error) {
	c := config.Default()
	c.Asterisk.Address, c.Asterisk.Secret = o.pbx.Addr(), "voipd"
	c.Store.Path = filepath.Join(o.dir, "voipd.db")
	c.HTTP.Listen = "127.0.0.1:0"
	c.HTTP.Tokens = []config.Token{{Name: "brix", SHA256: hashed(token)}, {Name: "narrow", SHA256: hashed(narrow), Scopes: []string{"records:read"}}}
	c.Recordings.Directories = []config.Directory{{Path: filepath.Join(o.dir, "monitor")}}
	if url != "" {
		c.Webhooks = []config.Webhook{{Name: "brix", URL: url, Secret: secret, Template: config.BRIX}}
	}
	c.Calls.Sources = []string{`1\d\d`}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := daemon.New(ctx, c, daemon.Options{Version: "test", Log: slog.New(slog.DiscardHandler), RepairDelay: 50 * time.Millisecond})
	if err != nil {
		cancel()
		return nil, err
	}
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stop = func() error { cancel(); return <-done }
	return map[string]string{"address": d.BaseURL(), "token": token, "narrow": narrow, "secret": secret}, nil
}

// end stops voipd, if it runs.
func (o *office) end() error {
	o.mu.Lock()
	stop := o.stop
	o.stop = nil
	o.mu.Unlock()
	if stop == nil {
		return nil
	}
	return stop()
}

// play plays a capture to its end.
func (o *office) play(name string) (any, error) {
	c, err := sim.Load(os.DirFS("../../internal/sim/morning"), name)
	if err != nil {
		return nil, err
	}
	playing := o.pbx.Play(c, 0)
	<-playing.Done()
	return map[string]string{"callId": playing.IDs()[0]}, nil
}

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
