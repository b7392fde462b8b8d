package daemon_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// office is a whole voipd beside a fake PBX.
type office struct {
	t       *testing.T
	pbx     *sim.PBX
	config  config.Config
	daemon  *daemon.Daemon
	changes chan record.Change
	tap     store.Tap     // of the store; nil: none
	bound   int           // of facts that wait; 0: the usual one
	apart   time.Duration // how far the PBX's time may run ahead of ours
	stop    func() error
}

func newOffice(t *testing.T) *office { return newOfficeAt(t, 10) }

// newOfficeAt is an office whose time runs so much faster than ours.
func newOfficeAt(t *testing.T, speed float64) *office {
	return newOfficeOf(t, sim.Options{Speed: speed})
}

// newOfficeOf is an office with such a PBX.
func newOfficeOf(t *testing.T, opt sim.Options) *office {
	t.Helper()
	dir := t.TempDir()
	opt.Monitor = filepath.Join(dir, "monitor")
	pbx, err := sim.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = pbx.Run(ctx) }()
	t.Cleanup(func() { cancel(); pbx.Close(); <-done })
	o := &office{t: t, pbx: pbx, config: officeConfig(dir, pbx.Addr())}
	if opt.Speed > 1 {
		o.apart = time.Hour // on a slow machine, too, nobody has set its clock
	}
	return o
}

// officeConfig is what an office is set up with.
func officeConfig(dir, pbx string) config.Config {
	sum := sha256.Sum256([]byte("token"))
	c := config.Default()
	c.Asterisk.Address, c.Asterisk.Secret = pbx, "voipd"
	c.Store.Path = filepath.Join(dir, "voipd.db")
	c.HTTP.Listen = "127.0.0.1:0"
	c.HTTP.Tokens = []config.Token{{Name: "test", SHA256: hex.EncodeToString(sum[:])}}
	c.Recordings.Directories = []config.Directory{{Path: filepath.Join(dir, "monitor")}}
	return c
}

func (o *office) start() {
	o.t.Helper()
	o.changes = make(chan record.Change, 10_000)
	changes := o.changes
	d, err := daemon.New(context.Background(), o.config, daemon.Options{Version: "test", Log: slog.New(slog.DiscardHandler), RepairDelay: 50 * time.Millisecond, Tap: o.tap, Bound: o.bound, ClockApart: o.apart,
		OnChange: func(all []record.Change) {
			for _, c := range all {
				changes <- c
			}
		}})
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	o.daemon, o.stop = d, func() error { cancel(); return <-done }
	o.health("up")
	// A test that holds the disk from now on must not hold the replay of the
	// journal, which reads through the one connection that writes.
	o.untilHealth(func(h bounded) bool { return h.Status != "starting" })
}

// health waits until the link to the PBX is in that state.
func (o *office) health(state string) map[string]any {
	o.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		status, body := o.get("GET", "/v1/health", "")
		var h map[string]any
		if err := json.Unmarshal(body, &h); err != nil {
			o.t.Fatalf("%d %s: %v", status, body, err)
		}
		if h["ami"].(map[string]any)["state"] == state {
			return h
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("the link does not come %s: %s", state, body)
		}
	}
}

func (o *office) until(kind record.ChangeKind) record.Change {
	o.t.Helper()
	timeout := time.After(30 * time.Second)
	for {
		select {
		case c := <-o.changes:
			if c.Kind == kind {
				return c
			}
		case <-timeout:
			o.t.Fatalf("no change %v came", kind)
		}
	}
}

func (o *office) get(method, path, body string) (int, []byte) {
	o.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = o.daemon.BaseURL() + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	return res.StatusCode, data
}

func (o *office) play(name string) *sim.Playing {
	o.t.Helper()
	c, err := sim.Load(os.DirFS("../sim/morning"), name)
	if err != nil {
		o.t.Fatal(err)
	}
	return o.pbx.Play(c, 0)
}

// TestACallBecomesARecordBehindALink is the main job, end to end.
func TestACallBecomesARecordBehindALink(t *testing.T) {
	o := newOffice(t)
	o.start()
	call := o.play("in-answered").IDs()[0]
	o.until(record.CallEnded)
	for r := o.until(record.RecordRevised).Record; r.FirstRecording() == nil || r.FirstRecording().State != record.Ready; {
		r = o.until(record.RecordRevised).Record
	}
	_, body := o.get("GET", "/v1/records/"+call, "")
	var r struct {
		Call                                       json.RawMessage
		Direction, Disposition, SrcPhone, DstPhone string
		Duration                                   int
	}
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	if r.Direction != "in" || r.Disposition != "answered" || r.SrcPhone != "79031000001" || r.DstPhone != "101" || r.Duration != 4 {
		t.Errorf("got %s", body)
	}
	status, body := o.get("POST", "/v1/call-link", `{"call":`+string(r.Call)+`}`)
	var link struct{ Link string }
	if err := json.Unmarshal(body, &link); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if status, audio := o.get("GET", link.Link, ""); status != 200 || !bytes.HasPrefix(audio, []byte("RIFF")) || len(audio) < 3*16000 {
		t.Errorf("the link gives %d, %d bytes", status, len(audio))
	}
	if status, metrics := o.get("GET", "/metrics", ""); status != 200 || !bytes.Contains(metrics, []byte("voipd_pbx_up 1")) {
		t.Errorf("metrics: %d", status)
	}
	began := time.Now()
	if err := o.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %v", took)
	}
}

// TestLinkLost: the link breaks in the middle of a call; health says so, voipd
// comes back by itself, and the call has one record.
func TestLinkLost(t *testing.T) {
	o := newOffice(t)
	o.start()
	playing := o.play("in-answered")
	o.until(record.CallAnswered)
	o.pbx.Away(true)
	o.pbx.Cut()
	if h := o.health("down"); h["status"] != "failing" || len(h["problems"].([]any)) == 0 {
		t.Errorf("health does not tell: %v", h)
	}
	o.pbx.Away(false)
	o.health("up")
	o.until(record.CallEnded)
	<-playing.Done()
	_, body := o.get("GET", "/v1/records", "")
	var page struct {
		Records []struct{ CallID, Disposition string }
	}
	if err := json.Unmarshal(body, &page); err != nil || len(page.Records) != 1 || page.Records[0].CallID != playing.IDs()[0] || page.Records[0].Disposition != "answered" {
		t.Errorf("got %s (%v), want one answered record of %s", body, err, playing.IDs()[0])
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestRestartInACall: voipd stops and starts again while people talk; the call
// goes on under its id.
func TestRestartInACall(t *testing.T) {
	o := newOffice(t)
	o.start()
	playing := o.play("ivr-101")
	o.until(record.CallAnswered)
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	o.start()
	if r := o.until(record.CallEnded).Record; r.CallID != playing.IDs()[0] || r.Disposition != record.Answered || r.DstPhone != "101" {
		t.Errorf("got %+v", r)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestStartFailures: each is one clear line, and nothing is left open.
func TestStartFailures(t *testing.T) {
	for name, spoil := range map[string]func(*config.Config){
		"listen for the API (http.listen)": func(c *config.Config) { c.HTTP.Listen = "203.0.113.1:80" },
		"open store":                       func(c *config.Config) { c.Store.Path = "/proc/voipd.db" },
		"read asterisk.tls_ca_file":        func(c *config.Config) { c.Asterisk.TLS, c.Asterisk.TLSCAFile = true, "/nonexistent" },
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			spoil(&o.config)
			_, err := daemon.New(context.Background(), o.config, daemon.Options{Log: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
		})
	}
}
