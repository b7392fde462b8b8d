package clients_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/sim"
)

const token = "token"

// office is a whole voipd beside a fake PBX, with some calls kept.
type office struct {
	address string
	pbx     *sim.PBX
}

// newOffice starts it; pages of the origins may call it.
func newOffice(t *testing.T, origins ...string) *office {
	t.Helper()
	dir := t.TempDir()
	o := &office{}
	pbx, err := sim.New(sim.Options{Speed: 10, Originated: func(sim.Order) {}, Monitor: filepath.Join(dir, "monitor"), Endpoints: []sim.Endpoint{
		{Name: "101", Auths: "101", Context: "from-internal", CallerID: `"Irina" <101>`},
		{Name: "trunk-a", OutboundAuth: "trunk-a", Context: "from-trunk"}}})
	if err != nil {
		t.Fatal(err)
	}
	o.pbx = pbx
	c := config.Default()
	c.Asterisk.Address, c.Asterisk.Secret = pbx.Addr(), "voipd"
	c.Store.Path = filepath.Join(dir, "voipd.db")
	c.HTTP.Listen, c.HTTP.Origins = "127.0.0.1:0", origins
	sum := sha256.Sum256([]byte(token))
	c.HTTP.Tokens = []config.Token{{Name: "client", SHA256: hex.EncodeToString(sum[:])}}
	c.Recordings.Directories = []config.Directory{{Path: filepath.Join(dir, "monitor")}}
	c.Calls.Sources = []string{`1\d\d`}
	ctx, cancel := context.WithCancel(context.Background())
	d, err := daemon.New(ctx, c, daemon.Options{Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ran, played := make(chan error, 1), make(chan struct{})
	go func() { ran <- d.Run(ctx) }()
	go func() { defer close(played); _ = pbx.Run(ctx) }() // it ends because it was told to
	t.Cleanup(func() {
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
		pbx.Close()
		<-played
	})
	o.address = d.BaseURL()
	return o
}

// play plays a call to its end.
func (o *office) play(t *testing.T, name string) {
	t.Helper()
	c, err := sim.Load(os.DirFS("../sim/morning"), name)
	if err != nil {
		t.Fatal(err)
	}
	<-o.pbx.Play(c, 0).Done()
}

// example is the code of a language in docs/clients.md.
func example(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/clients.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(parts) != 1 {
		t.Fatalf("docs/clients.md has %d examples in %s, want one", len(parts), language)
	}
	return parts[0][1]
}

// TestPython runs the example in Python.
func TestPython(t *testing.T) {
	t.Parallel() // the order that the PBX is silent about ends after half a minute
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	o := newOffice(t)
	file := filepath.Join(t.TempDir(), "client.py")
	if err := os.WriteFile(file, []byte(example(t, "python")), 0o600); err != nil {
		t.Fatal(err)
	}
	o.ready(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, file)
	cmd.Env = append(os.Environ(), "VOIPD="+o.address, "TOKEN="+token)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"counted ", "placed once True ", "refused source-refused", "over 101 +79031234567"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

// ready waits until voipd follows the PBX.
func (o *office) ready(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for every := time.NewTicker(20 * time.Millisecond); ; {
		res, err := http.Get(o.address + "/v1/health")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				every.Stop()
				return
			}
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			t.Fatal("voipd is not ready", err)
		}
	}
}
