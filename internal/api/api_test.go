package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const (
	token     = "the-token-of-the-crm"
	signInKey = "the-key-of-links"
)

// office is an API over a real store and real files.
type office struct {
	t      *testing.T
	db     *store.DB
	dir    string
	now    time.Time
	server *httptest.Server
	hooks  *webhook.Worker
	links  time.Duration // link_ttl of the app's token
	open   []record.Live
	halt   chan struct{}
	hold   sync.Mutex // held: readers of changes wait

	convert *convert.Transcoder // nil: none
	away    time.Time           // since when the PBX is; zero: it is there
	placed  int                 // calls
	refuse  error               // why the next call is not placed
}

// heldChanges are the store's, which wait while the office holds them.
type heldChanges struct {
	*store.DB
	o *office
}

func (h heldChanges) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	h.o.hold.Lock()
	defer h.o.hold.Unlock()
	return h.DB.Changes(ctx, after, limit)
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{t: t, dir: t.TempDir(), now: time.Unix(1_795_400_000, 0), halt: make(chan struct{})}
	var err error
	if o.db, err = store.Open(context.Background(), filepath.Join(t.TempDir(), "voipd.db")); err != nil {
		t.Fatal(err)
	}
	if o.hooks, err = webhook.New(context.Background(), webhook.Options{Store: o.db, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	o.server = httptest.NewServer(nil)
	o.scopes()
	t.Cleanup(func() { o.server.Close(); o.db.Close() })
	return o
}

// scopes begins the API anew; the app's token has these scopes.
func (o *office) scopes(scopes ...string) {
	if len(scopes) == 1 && scopes[0] == "" {
		scopes = nil
	}
	o.server.Config.Handler = api.New(api.Options{
		Members: func(context.Context) []contract.Member { return []contract.Member{{ID: "101", State: "idle"}} },
		Originate: func(_ context.Context, _, _, dst string) (string, error) {
			if o.refuse != nil {
				return "", o.refuse
			}
			o.placed++
			return fmt.Sprintf("voipd-1.%d", o.placed), nil
		},
		Hangup:  func(context.Context, string, string) error { return nil },
		Records: o.db, Changes: heldChanges{o.db, o}, Answers: o.db, CallBacks: o.db, Figures: o.db, Facts: o.db, Webhooks: o.hooks, Live: func() ([]record.Live, int64) { return o.open, 7 }, Halt: o.halt, Library: recording.New([]recording.Directory{{Path: o.dir, AsteriskPath: "/spool"}}),
		Transcoder: o.convert,
		Signer:     recording.Signer{Key: []byte("key"), Base: o.server.URL, TTL: time.Hour},
		Tokens:     []api.Token{{Name: "other", Hash: sha256.Sum256([]byte("x"))}, {Name: "crm", Hash: sha256.Sum256([]byte(token)), Scopes: scopes, LinkTTL: o.links}},
		LinkKey:    o.db.LinkKey,
		Health:     func(context.Context) contract.Health { return contract.Health{Status: "ok"} },
		Away:       func() time.Time { return o.away },
		Hosts:      []string{"pbx.example.com"}, Origins: []string{"https://crm.example.com"},
		Metrics: prometheus.NewRegistry(), Now: func() time.Time { return o.now }, Version: "test", Page: fakePage{}, SignInKey: []byte(signInKey),
	})
}

// call puts a record there, with a recording in the given state.
func (o *office) call(id string, minute int, state record.RecordingState) record.Record {
	o.t.Helper()
	r := o.made(id, minute)
	start := r.Details.StartedAt
	if state != "" {
		path := "/spool/" + id + ".wav"
		r.Details.Recordings = []record.Recording{{ID: record.RecordingID(path), Path: path, At: start, State: state, Talk: true}}
	}
	o.put(r)
	return r
}

// put writes records.
func (o *office) put(all ...record.Record) {
	o.t.Helper()
	var b store.Batch
	b.Put(all...)
	if err := o.db.Commit(context.Background(), &b); err != nil {
		o.t.Fatal(err)
	}
}

// made is a record without recordings.
func (o *office) made(id string, minute int) record.Record {
	start := time.Unix(1_795_366_192, 0).UTC().Add(time.Duration(minute) * time.Minute)
	return record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101", Duration: 4,
		Details: record.Details{StartedAt: start, BeganBy: "external", Source: "ami"}}
}

func (o *office) audio(id string) []byte {
	o.t.Helper()
	sound := bytes.Repeat([]byte{1, 2, 3, 4}, 4000)
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+len(sound)))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, []uint32{16, 1<<16 | 1, 8000, 16000, 16<<16 | 2})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(len(sound)))
	b.Write(sound)
	if err := os.WriteFile(filepath.Join(o.dir, id+".wav"), b.Bytes(), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return b.Bytes()
}

// do asks and gives the status, the header and the body.
func (o *office) do(method, path, body string, header ...string) (int, http.Header, []byte) {
	o.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = o.server.URL + path
	}
	req, err := http.NewRequest(method, path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
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
	return res.StatusCode, res.Header, data
}

func (o *office) get(path string) (int, http.Header, []byte) {
	o.t.Helper()
	return o.do("GET", path, "", "Authorization", "Bearer "+token)
}

func problemOf(t *testing.T, header http.Header, body []byte) (kind string, text string) {
	t.Helper()
	var p struct {
		Type   string
		Title  string
		Detail string
	}
	if ct := header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("content type %q, want problem+json: %s", ct, body)
	}
	if err := json.Unmarshal(body, &p); err != nil || p.Title == "" || p.Detail == "" {
		t.Errorf("not a problem: %s (%v)", body, err)
	}
	return strings.TrimPrefix(p.Type, "urn:voipd:problem:"), string(body)
}

// TestRecordIsTheAppsRecord: field for field, optional ones absent, not empty.
func TestRecordIsTheAppsRecord(t *testing.T) {
	o := newOffice(t)
	r := o.call("1795366192.23", 0, record.Ready)
	o.call("1795366192.24", 1, "")
	for id, want := range map[string]string{
		"1795366192.23": fmt.Sprintf(`{"call":{"callId":"1795366192.23","recording":%q},"callId":"1795366192.23","direction":"in","disposition":"answered","dstPhone":"101","duration":4,"srcPhone":"79031000001","details":{`, r.Details.Recordings[0].ID),
		"1795366192.24": `{"call":{"callId":"1795366192.24"},"callId":"1795366192.24","direction":"in","disposition":"answered","dstPhone":"101","duration":4,"srcPhone":"79031000001","details":{`,
	} {
		status, _, body := o.get("/v1/records/" + id)
		if status != 200 || !strings.HasPrefix(string(body), want) {
			t.Errorf("got %d %s\nwant %s…", status, body, want)
		}
	}
}

func TestPages(t *testing.T) {
	o := newOffice(t)
	for i := range 7 {
		o.call(fmt.Sprintf("1.%d", i), i, "")
	}
	var got []string
	path := "/v1/records?limit=3&phone=101&cursor=" // as a loop over pages gives it at first
	for pages := 0; path != "" && pages < 5; pages++ {
		status, _, body := o.get(path)
		var page struct {
			Records []struct{ CallID string }
			Next    string
		}
		if err := json.Unmarshal(body, &page); err != nil || status != 200 {
			t.Fatalf("%d %s: %v", status, body, err)
		}
		for _, r := range page.Records {
			got = append(got, r.CallID)
		}
		if path = ""; page.Next != "" {
			path = "/v1/records?limit=3&phone=101&cursor=" + page.Next
		}
	}
	if want := "1.6 1.5 1.4 1.3 1.2 1.1 1.0"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if _, _, body := o.get("/v1/records?phone=none"); string(bytes.TrimSpace(body)) != `{"records":[]}` {
		t.Errorf("an empty page is %s", body)
	}
}

// TestBadRequests: each is told by name, and nothing is served.
func TestBadRequests(t *testing.T) {
	o := newOffice(t)
	o.call("1.1", 0, "")
	for path, want := range map[string]string{
		"/v1/records?phnoe=101":                                             "query.phnoe",
		"/v1/records?limit=0":                                               "query.limit",
		"/v1/records?limit=100000":                                          "query.limit",
		"/v1/records?limit=ten":                                             "query.limit",
		"/v1/records?direction=inbound":                                     "query.direction",
		"/v1/records?disposition=ANSWERED":                                  "query.disposition",
		"/v1/records?from=whenever":                                         "query.from",
		"/v1/records?from=2026-11-22T10:00:00Z&to=2026-11-22T09:00:00Z":     "query.to",
		"/v1/records?cursor=%27%20OR%201%3D1":                               "query.cursor",
		"/v1/records?cursor=AAAA":                                           "query.cursor",
		"/v1/records?direction=in&direction=out":                            "query.direction",
		"/v1/records?phone=" + strings.Repeat("1", 200):                     "query.phone",
		"/v1/health?verbose=1":                                              "query.verbose",
		"/v1/records?phone=%27%3B%20DROP%20TABLE%20records%3B--&colour=red": "query.colour",
	} {
		status, header, body := o.get(path)
		if kind, text := problemOf(t, header, body); status != 422 || kind != "bad-request" || !strings.Contains(text, want) {
			t.Errorf("%s: got %d %s, want a 422, bad-request, that names %s", path, status, body, want)
		}
	}
	for _, path := range []string{"/index.html", "/v1", "/v1/record", "/v1/records/", "/v1/records/1.1/x", "/v1/recordings/", "/../etc/passwd"} {
		if status, header, body := o.get(path); status != 404 {
			t.Errorf("%s: got %d %s, want 404", path, status, body)
		} else {
			problemOf(t, header, body)
		}
	}
	if status, _, body := o.get("/v1/records?phone=%27%20OR%20%271%27%3D%271"); status != 200 || !strings.Contains(string(body), `"records":[]`) {
		t.Errorf("a quote in a phone: %d %s", status, body)
	}
}

// TestScopes: a token may do what its scopes say, and one without any all.
func TestScopes(t *testing.T) {
	o := newOffice(t)
	o.call("1.1", 0, record.Ready)
	o.audio("1.1")
	for scope, want := range map[string][5]int{
		"":                       {200, 200, 202, 204, 200},
		contract.ScopeRecords:    {200, 403, 403, 403, 403},
		contract.ScopeRecordings: {403, 200, 403, 403, 403},
		contract.ScopeCalls:      {403, 403, 202, 204, 403},
		contract.ScopeAdmin:      {403, 403, 403, 403, 200},
	} {
		o.scopes(scope)
		for i, c := range []struct{ method, path, body string }{{"GET", "/v1/records", ""}, {"POST", "/v1/call-link", `{"call":{"callId":"1.1"}}`},
			{"POST", "/v1/calls", `{"srcPhone":"101","dstPhone":"102"}`}, {"DELETE", "/v1/calls/1.1", ""}, {"GET", "/metrics", ""}} {
			status, _, body := o.do(c.method, c.path, c.body, "Authorization", "Bearer "+token)
			if status != want[i] {
				t.Errorf("%s %s with scope %q: %d %s, want %d", c.method, c.path, scope, status, body, want[i])
			}
		}
	}
}

// TestToken: everything but health and signed links asks for one.
func TestToken(t *testing.T) {
	o := newOffice(t)
	o.call("1.1", 0, record.Ready)
	for _, path := range []string{"/v1/records", "/v1/records/1.1", "/metrics", "/openapi.json", "/nowhere"} {
		for name, header := range map[string]string{"none": "", "wrong": "Bearer wrong", "empty": "Bearer ", "basic": "Basic " + token, "bare": token, "hash": fmt.Sprintf("Bearer %x", sha256.Sum256([]byte(token)))} {
			o.now = o.now.Add(time.Minute) // wrong tokens may not come too fast
			status, head, body := o.do("GET", path, "", "Authorization", header)
			if kind, _ := problemOf(t, head, body); status != 401 || kind != "unauthorised" || head.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: got %d %s", path, name, status, body)
			}
		}
	}
	if status, _, body := o.do("GET", "/v1/health", ""); status != 200 || !bytes.Contains(body, []byte(`"status":"ok"`)) {
		t.Errorf("health without a token: %d %s", status, body)
	}
	for _, path := range []string{"/metrics", "/openapi.json"} {
		if status, _, body := o.get(path); status != 200 {
			t.Errorf("%s with a token: %d %s", path, status, body)
		}
	}
}

func (o *office) link(call string) (int, http.Header, []byte) {
	o.t.Helper()
	return o.do("POST", "/v1/call-link", `{"call":`+call+`}`, "Authorization", "Bearer "+token)
}

// TestCallLink: what a record's call holds gives a link that works alone until
// it expires, and no longer.
func TestCallLink(t *testing.T) {
	o := newOffice(t)
	want := o.audio("1.1")
	o.call("1.1", 0, record.Ready)
	_, _, body := o.get("/v1/records/1.1")
	var r struct{ Call json.RawMessage }
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	status, _, body := o.link(string(r.Call))
	var got struct {
		Link      string
		ExpiresAt time.Time
	}
	if err := json.Unmarshal(body, &got); err != nil || status != 200 || !got.ExpiresAt.Equal(o.now.Add(time.Hour)) {
		t.Fatalf("%d %s: %v", status, body, err)
	}
	status, header, audio := o.do("GET", got.Link, "")
	if status != 200 || !bytes.Equal(audio, want) || header.Get("Content-Type") != "audio/wav" || header.Get("X-Content-Type-Options") != "nosniff" ||
		header.Get("Content-Disposition") != "inline; filename=1.1.wav" {
		t.Errorf("got %d, %d bytes, %v", status, len(audio), header)
	}
	etag := header.Get("ETag")
	for _, c := range []struct {
		name, method string
		header       []string
		status, size int
	}{
		{"head", "HEAD", nil, 200, 0},
		{"range", "GET", []string{"Range", "bytes=100-199"}, 206, 100},
		{"last bytes", "GET", []string{"Range", "bytes=-10"}, 206, 10},
		{"range if unchanged", "GET", []string{"Range", "bytes=0-9", "If-Range", etag}, 206, 10},
		{"range if changed", "GET", []string{"Range", "bytes=0-9", "If-Range", `"other"`}, 200, len(want)},
		{"range behind the end", "GET", []string{"Range", "bytes=999999-"}, 416, -1},
		{"not modified", "GET", []string{"If-None-Match", etag}, 304, 0},
	} {
		status, _, body := o.do(c.method, got.Link, "", c.header...)
		if status != c.status || c.size >= 0 && len(body) != c.size {
			t.Errorf("%s: got %d with %d bytes, want %d with %d", c.name, status, len(body), c.status, c.size)
		}
	}
	if status, _, _ := o.do("POST", got.Link, ""); status != 405 {
		t.Errorf("POST on a link: %d", status)
	}
	o.now = o.now.Add(time.Hour)
	status, header, body = o.do("GET", got.Link, "")
	if kind, _ := problemOf(t, header, body); status != 403 || kind != "link-expired" {
		t.Errorf("after its time: %d %s", status, body)
	}
}

// TestNoLink: each reason has its own problem, and hostile call objects get a
// clear one too.
func TestNoLink(t *testing.T) {
	o := newOffice(t)
	o.call("plain", 0, "")
	o.call("growing", 1, record.Announced)
	o.call("gone", 2, record.Ready)
	o.call("lost", 3, record.Gone)
	if err := os.WriteFile(filepath.Join(o.dir, "text.wav"), []byte("root:x:0:0"), 0o600); err != nil {
		t.Fatal(err)
	}
	o.call("text", 4, record.Ready)
	outside := o.call("outside", 5, "")
	outside.Details.Recordings = []record.Recording{{ID: "r", Path: "/etc/passwd", State: record.Ready, Talk: true}}
	if err := o.db.Commit(context.Background(), &store.Batch{Records: []*record.Record{&outside}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		call   string
		status int
		kind   string
	}{
		{`{"callId":"plain"}`, 404, "not-recorded"},
		{`{"callId":"growing"}`, 409, "recording-growing"},
		{`{"callId":"gone"}`, 410, "recording-gone"},
		{`{"callId":"lost"}`, 410, "recording-gone"},
		{`{"callId":"none"}`, 404, "unknown-call"},
		{`{"callId":"gone","recording":"0000"}`, 404, "unknown-recording"},
		{`{"callId":"outside","recording":"r"}`, 403, "recording-refused"},
		{`{"callId":"../../etc/passwd"}`, 404, "unknown-call"},
		{`{"callId":"' OR 1=1 --"}`, 404, "unknown-call"},
		{`{"callId":"x\u0000y\r\nAction: Originate"}`, 404, "unknown-call"},
		{`{"callId":""}`, 422, ""},
		{`{"callId":7}`, 422, ""},
		{`{"callId":"gone","path":"/etc/passwd"}`, 422, ""},
		{`{}`, 422, ""},
		{`null`, 422, ""},
		{`"gone"`, 422, ""},
		{`[]`, 422, ""},
		{`{"callId":"` + strings.Repeat("1", 100_000) + `"}`, 413, ""},
		{`{"callId":`, 400, ""},
	} {
		status, header, body := o.link(c.call)
		kind, _ := problemOf(t, header, body)
		if status != c.status || c.kind != "" && kind != c.kind {
			t.Errorf("%.60s: got %d %s, want %d %s", c.call, status, body, c.status, c.kind)
		}
	}
}

// TestForgedLinks: no part of a link can be changed.
func TestForgedLinks(t *testing.T) {
	o := newOffice(t)
	o.audio("1.1")
	o.audio("1.10")
	a, b := o.call("1.1", 0, record.Ready), o.call("1.10", 1, record.Ready)
	_, _, body := o.link(`{"callId":"1.1"}`)
	var got struct{ Link string }
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	idA, idB := a.Details.Recordings[0].ID, b.Details.Recordings[0].ID
	for name, link := range map[string]string{
		"another call":      strings.Replace(got.Link, "/1.1/", "/1.10/", 1),
		"another recording": strings.Replace(got.Link, idA, idB, 1),
		"longer life":       strings.Replace(got.Link, "expires=1", "expires=2", 1),
		"no signature":      got.Link[:strings.Index(got.Link, "&signature")],
		"nothing":           o.server.URL + "/v1/recordings/1.1/" + idA,
	} {
		status, header, body := o.do("GET", link, "")
		if kind, _ := problemOf(t, header, body); status != 403 || kind != "link-invalid" {
			t.Errorf("%s: got %d %s", name, status, body)
		}
	}
	if status, _, _ := o.do("GET", got.Link, ""); status != 200 {
		t.Errorf("the real one: %d", status)
	}
}
