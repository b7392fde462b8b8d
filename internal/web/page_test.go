package web_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
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
	pbx    *sim.PBX
	taking *atomic.Bool // whether the webhook takes its events
	config config.Config
	daemon *daemon.Daemon
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir := t.TempDir()
	pbx, err := sim.New(sim.Options{Speed: 1, Monitor: filepath.Join(dir, "monitor"), Endpoints: []sim.Endpoint{
		{Name: "101", Auths: "101", Context: "from-internal", CallerID: `"Irina" <101>`},
		{Name: "102", Auths: "102", Context: "from-internal", CallerID: `"<b>Олег</b> 😀" <102>`, State: "Unavailable"},
		{Name: "trunk-a", OutboundAuth: "trunk-a", Context: "from-trunk"}}})
	if err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.Asterisk.Address, c.Asterisk.Secret = pbx.Addr(), "voipd"
	c.Store.Path = filepath.Join(dir, "voipd.db")
	c.HTTP.Listen = "127.0.0.1:0"
	for _, token := range []config.Token{{Name: "all"}, {Name: "reader", Scopes: []string{"records:read"}},
		{Name: "masked", Scopes: []string{"records:read", "recordings:read", "calls:write", "missed:write", "admin", "numbers:masked"}}} {
		sum := sha256.Sum256([]byte(token.Name + "-token"))
		token.SHA256 = hex.EncodeToString(sum[:])
		c.HTTP.Tokens = append(c.HTTP.Tokens, token)
	}
	taking := &atomic.Bool{}
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !taking.Load() {
			http.Error(w, "no such office", http.StatusBadRequest)
		}
	}))
	t.Cleanup(crm.Close)
	c.Webhooks = []config.Webhook{{Name: "crm", URL: crm.URL, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Timeout: time.Minute, MaxAge: time.Hour, Events: []string{"record.created"}}}
	c.Recordings.Directories = []config.Directory{{Path: filepath.Join(dir, "monitor")}}
	fill(t, c.Store.Path)
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
	return &office{pbx, taking, c, d}
}

// fill writes 1,200 calls that are all alike, and fourteen that are not.
func fill(t *testing.T, path string) {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	made := func(i int, at time.Time) record.Record {
		return record.Record{CallID: fmt.Sprintf("1.%d", i), Direction: record.In, Disposition: record.Answered, SrcPhone: "79000000000", DstPhone: "101", Duration: 4,
			Details: record.Details{StartedAt: at, AnsweredAt: at, EndedAt: at.Add(4 * time.Second), BeganBy: "external", Source: "ami"}}
	}
	var b store.Batch
	old := time.Date(2025, 12, 31, 21, 0, 0, 0, time.UTC) // midnight in the browser's zone
	for i := range 1200 {
		b.Put(made(i, old.Add(time.Duration(i)*time.Minute)))
	}
	special := []func(*record.Record){
		func(r *record.Record) {
			r.SrcPhone, r.Disposition, r.Duration, r.Details.AnsweredAt = "79166660000", record.NoAnswer, 0, time.Time{}
		},
		func(r *record.Record) {
			r.Direction, r.SrcPhone, r.DstPhone = record.Out, "101", "79166660000"
			r.Details.StartedAt = r.Details.StartedAt.Add(90 * time.Second)
			r.Details.AnsweredAt, r.Details.EndedAt = r.Details.StartedAt, r.Details.StartedAt.Add(4*time.Second)
		},
		func(r *record.Record) { r.Direction = record.Internal },
		func(r *record.Record) { r.Disposition = record.BusyLine },
		func(r *record.Record) { r.DstPhone = "107" },
		func(r *record.Record) { r.Details.Queue = "support" },
		func(r *record.Record) { r.Details.DID = "74950000001" },
		func(r *record.Record) { r.Duration = 600 },
		func(r *record.Record) {
			r.SrcPhone = "79037650000"
			r.Details.Approximate = []string{"the link to the PBX was down"}
			r.Details.Transfers = []record.Transfer{{Kind: "blind", By: "101", To: "102", At: r.Details.StartedAt}}
			r.Details.Recordings = []record.Recording{{ID: "gone", Path: "/gone.wav", At: r.Details.StartedAt, State: record.Ready, MS: 1000, Talk: true}}
		},
		func(r *record.Record) { r.Details.CallerName = "Zanzibar" },
		hostile(`<img src=x onerror="window.hit=1">`),
		hostile("АкционерноеОбществоСОченьДлиннымНазваниемБезПробеловКотороеНеКончаетсяНикогда!!"),
		hostile("\u202eمرحبا \u2067שלום\u202e 12345"),
		hostile("😀👩‍👩‍👧‍👦 Z̷̢̛a̸l̵g̶o̷ \u0000\u0007</script><script>hit=1</script>"),
	}
	at := time.Now().UTC().Add(-3 * 24 * time.Hour)
	for i, change := range special {
		r := made(10_000+i, at.Add(time.Duration(i)*time.Second))
		change(&r)
		b.Put(r)
	}
	fact := record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: "9.9", Linked: "9.9"}, Number: "79035554433"}
	err = db.Commit(t.Context(), &b)
	if err == nil {
		err = db.SetFactAside(t.Context(), store.Quarantine{CallID: "9.9", Fact: &fact, Reason: "nobody foresaw it"}, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func hostile(name string) func(*record.Record) {
	return func(r *record.Record) { r.SrcPhone, r.Details.CallerName = "79005550000", name }
}

// control does for the browser what happens outside of it.
func (o *office) control(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /play/{name}", func(_ http.ResponseWriter, r *http.Request) {
		c, err := sim.Load(os.DirFS("../sim/morning"), r.PathValue("name"))
		if err != nil {
			t.Error(err)
			return
		}
		<-o.pbx.Play(c, 0).Done()
	})
	mux.HandleFunc("POST /link", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, o.daemon.SignInLink(r.FormValue("name")))
	})
	mux.HandleFunc("POST /away", func(_ http.ResponseWriter, r *http.Request) {
		away := r.FormValue("on") != ""
		o.pbx.Away(away)
		if away {
			o.pbx.Cut()
		}
	})
	mux.HandleFunc("POST /take", func(http.ResponseWriter, *http.Request) { o.taking.Store(true) })
	mux.HandleFunc("POST /revoke", func(_ http.ResponseWriter, r *http.Request) {
		c := o.config
		c.HTTP.Tokens = nil
		for _, token := range o.config.HTTP.Tokens {
			if token.Name != r.FormValue("name") {
				c.HTTP.Tokens = append(c.HTTP.Tokens, token)
			}
		}
		if _, err := o.daemon.Reload(c); err != nil {
			t.Error(err)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// TestPage goes through the page in Chromium (testdata/page.mjs); ONLY=live takes the
// steps alone whose names have that.
func TestPage(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium; scripts/chromium.sh installs it")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node; scripts/node.sh installs it")
	}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		t.Skip("there is no playwright-core; scripts/node.sh installs it")
	}
	o := newOffice(t)
	control := o.control(t)
	axe, err := filepath.Abs("node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "testdata/page.mjs")
	cmd.Env = append(os.Environ(), "VOIPD="+o.daemon.BaseURL(), "CONTROL="+control.URL, "CHROMIUM="+browser, "AXE="+axe)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var step struct{ Name, Problem string }
		if err := json.Unmarshal(lines.Bytes(), &step); err != nil {
			t.Errorf("%s: %v", lines.Text(), err)
			continue
		}
		steps++
		t.Run(step.Name, func(t *testing.T) {
			if step.Problem != "" {
				t.Error(step.Problem)
			}
		})
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if steps < 10 && os.Getenv("ONLY") == "" {
		t.Errorf("%d steps were taken", steps)
	}
}
