package centre_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/centre"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/daemon"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/internal/sim"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// head is a centre on a database of its own.
type head struct {
	*centre.Centre
	dsn string
	url string

	wrap   func(http.Handler) http.Handler // around the handler; nil: nothing is
	server *httptest.Server
	addr   string
}

// newHead makes the database, opens the centre and serves it.
func newHead(t testing.TB, server *databases.PostgresServer, name string) *head {
	t.Helper()
	dsn := server.Database(t, name)
	must(t, centre.Migrate(t.Context(), dsn))
	return headOn(t, dsn)
}

// copied does so on the server of TestCentre, where the tables are made already.
func copied(t testing.TB, server *databases.PostgresServer, name string) *head {
	t.Helper()
	return headOn(t, server.Copy(t, made, name))
}

func headOn(t testing.TB, dsn string) *head {
	t.Helper()
	h := &head{dsn: dsn}
	h.open(t)
	h.serve(t)
	t.Cleanup(func() { h.server.Close(); h.Close() })
	return h
}

func (h *head) open(t testing.TB) {
	t.Helper()
	var err error
	if h.Centre, err = centre.Open(t.Context(), centre.Options{DSN: h.dsn, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
}

// serve serves it, at the address of before.
func (h *head) serve(t testing.TB) {
	t.Helper()
	if h.addr == "" {
		h.addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := h.Handler(t.Context(), centre.HandlerOptions{Version: "test", Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	if h.wrap != nil {
		handler = h.wrap(handler)
	}
	h.server = httptest.NewUnstartedServer(handler)
	h.server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	h.server.Listener.Close()
	h.server.Listener = l
	h.server.Start()
	h.url, h.addr = h.server.URL, l.Addr().String()
}

// restart puts another process in the centre's place: what goes on is cut.
func (h *head) restart(t testing.TB) {
	t.Helper()
	h.server.CloseClientConnections()
	h.server.Close()
	h.Close()
	h.open(t)
	h.serve(t)
}

// must fails the test where an admin's command does.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// join makes a PBX of a tenant, and gives its edge's token.
func (h *head) join(t testing.TB, tenant, pbx string) string {
	t.Helper()
	code, err := h.AddEdge(t.Context(), tenant, pbx)
	must(t, err)
	j := h.joinBy(t, code)
	if j.Tenant != tenant || j.PBX != pbx || j.Token == "" {
		t.Fatalf("joined as %s/%s", j.Tenant, j.PBX)
	}
	return j.Token
}

// joinBy uses a code up.
func (h *head) joinBy(t testing.TB, code string) (j contract.Joined) {
	t.Helper()
	res, err := http.Post(h.url+"/v1/join", "application/json", strings.NewReader(`{"code":"`+code+`"}`))
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	must(t, json.Unmarshal(text, &j))
	return j
}

// office is a voipd beside a fake PBX, which ships to a centre.
type office struct {
	dir    string
	pbx    *sim.PBX
	config config.Config
	stop   func()
}

// newOffice makes one that does not run yet.
func newOffice(t testing.TB, h *head, token string) *office {
	t.Helper()
	o := &office{dir: t.TempDir()}
	pbx, err := sim.New(sim.Options{Speed: 50, Monitor: filepath.Join(o.dir, "monitor"), Endpoints: []sim.Endpoint{
		{Name: "101", Auths: "101", Context: "from-internal", CallerID: `"Irina" <101>`},
		{Name: "trunk-a", OutboundAuth: "trunk-a", Context: "from-trunk"}}})
	must(t, err)
	o.pbx = pbx
	ctx, cancel := context.WithCancel(context.Background())
	played := make(chan struct{})
	go func() { defer close(played); _ = pbx.Run(ctx) }() // it ends because it was told to
	t.Cleanup(func() { cancel(); pbx.Close(); <-played })
	c := config.Default()
	c.Asterisk.Address, c.Asterisk.Secret, c.Asterisk.Name = pbx.Addr(), "voipd", "here"
	c.Store.Path = filepath.Join(o.dir, "voipd.db")
	c.HTTP.Listen = "127.0.0.1:0"
	c.Recordings.Directories = []config.Directory{{Path: filepath.Join(o.dir, "monitor")}}
	c.Centre = config.Centre{Address: h.url, Token: config.Secret(token)}
	o.config = c
	return o
}

// start runs voipd until the test or stop ends it.
func (o *office) start(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d, err := daemon.New(ctx, o.config, daemon.Options{Version: "test", Log: slog.New(slog.DiscardHandler), ClockApart: time.Hour, ShipGather: 20 * time.Millisecond})
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- d.Run(ctx) }()
	stopped := false
	o.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(o.stop)
	eventually(t, "voipd follows the PBX", func() bool {
		res, err := http.Get(d.BaseURL() + "/v1/health")
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// play plays calls to their ends, all at once.
func (o *office) play(t testing.TB, names ...string) {
	t.Helper()
	for i, name := range names {
		c, err := sim.Load(os.DirFS("../sim/morning"), name)
		must(t, err)
		if i == len(names)-1 {
			<-o.pbx.Play(c, 0).Done()
			return
		}
		o.pbx.Play(c, 0)
	}
}

// records are what the office's database has.
func (o *office) records(t testing.TB) map[string]record.Record {
	t.Helper()
	return recordsOf(t, o.config.Store.Path)
}

func recordsOf(t testing.TB, path string) map[string]record.Record {
	t.Helper()
	db, err := store.Open(t.Context(), path)
	must(t, err)
	defer db.Close()
	list, more, err := db.Records(t.Context(), store.Query{Limit: 1000})
	must(t, err)
	if more {
		t.Fatal("there are more than 1000 records")
	}
	out := map[string]record.Record{}
	for _, r := range list {
		out[r.CallID] = r
	}
	return out
}

// eventually waits for what another goroutine or process does.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for !holds() {
		select {
		case <-every.C:
		case <-ctx.Done():
			t.Fatalf("not within its time: %s", what)
		}
	}
}

func hash(token string) [sha256.Size]byte { return sha256.Sum256([]byte(token)) }
