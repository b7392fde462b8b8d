package centre_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ship"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// filled is an edge's database with records of an office. told also writes the change log.
func filled(t testing.TB, from, to int, told bool) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	fill(t, db, from, to, told)
	return db
}

func fill(t testing.TB, db *store.DB, from, to int, told bool) {
	t.Helper()
	office := fixture.Office{Begin: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), PerDay: 300}
	for n := from; n < to; {
		b := &store.Batch{}
		for ; n < to && len(b.Records) < 500; n++ {
			r := office.Call(n)
			b.Put(r)
			if told {
				b.Changes = append(b.Changes, store.Change{At: r.Details.StartedAt, Kind: contract.RecordCreated, CallID: r.CallID, Body: []byte(`{}`)})
			}
		}
		must(t, db.Commit(t.Context(), b))
	}
}

// shipping ships a database to a centre until stop is called, or the test ends.
func shipping(t testing.TB, h *head, db *store.DB, token string) (s *ship.Shipper, stop func()) {
	t.Helper()
	s = ship.New(ship.Options{Store: db, Address: h.url, Token: func() (string, error) { return token, nil }, Version: "test",
		Gather: 10 * time.Millisecond, Retry: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return s, stop
}

// filters are queries of each kind.
func filters() []string {
	return []string{"", "sort=startedAt", "from=2026-10-02&to=2026-10-03T12:00:00Z", "direction=in", "direction=in,internal&disposition=busy,no_answer", "disposition=cancelled", "phone=" + fixture.OfficeClient(0),
		"phone=101,102", "number=903", "number=%2B7+(903)+1", "operator=101", "operator=101,103", "did=74950001000", "queue=sales", "queue=sales,vip&recorded=true", "recorded=false", "minDuration=60", "minDuration=77",
		"transferred=true", "transferred=false&direction=out", "approximate=true", "name=%D0%90%D0%BD", "name=smith", "name=%D0%BF%D1%91%D1%82%D1%80+%D0%BF%D0%BE%D0%BF%D0%BE%D0%B2", "number=903&name=anna&minDuration=3", "phone=%00", "name=a%00c", "callId=nothing"}
}

// checkSameFace: a centre answers as the edge does, record by record: to each filter, in
// pages and in exports.
func checkSameFace(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "face")
	must(t, h.AddTenant(t.Context(), "acme"))
	db := filled(t, 0, 450, false) // no change tells them: they come by being compared
	edge := httptest.NewServer(api.New(api.Options{Records: db, Changes: db, Tokens: []api.Token{{Name: "app", Hash: hash("x")}}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(edge.Close)
	shipping(t, h, db, h.join(t, "acme", "office"))
	app, err := h.AddToken(t.Context(), "acme", "app", nil)
	must(t, err)
	eventually(t, "all records have come", func() bool {
		p := h.pbx(t, app)
		n, _, err := h.Count(t.Context(), "acme", store.Query{}, 10_000)
		must(t, err)
		return n == 450 && p.State == contract.PBXCurrent
	})
	there := &head{url: edge.URL}
	for _, f := range filters() {
		want, have := there.pages(t, "x", f), h.pages(t, app, f)
		if diff := cmp.Diff(strings.ReplaceAll(want, `"source":"ami"`, `"pbx":"office","source":"ami"`), have); diff != "" {
			t.Errorf("%s: the centre answers otherwise (-edge +centre):\n%.2000s", f, diff)
		}
		if len(want) == 0 && f != "callId=nothing" && !strings.Contains(f, "%00") && !strings.Contains(f, "name=anna") {
			t.Errorf("%s: the edge finds nothing, so that this says nothing", f)
		}
		for _, path := range []string{"/v1/records.csv?", "/v1/records?count=true&limit=1&fields=callId&"} {
			if want, have := there.ask(t, "GET", path+f, "x", nil), h.ask(t, "GET", path+f, app, nil); tail(want.text) != tail(have.text) {
				t.Errorf("%s%s: the centre answers %.300q, the edge %.300q", path, f, have.text, want.text)
			}
		}
	}
}

// tail is an answer without cursors, which have the PBX's name at a centre.
func tail(text string) string {
	begin, end, ok := strings.Cut(text, `"next":"`)
	if !ok {
		return text
	}
	_, end, _ = strings.Cut(end, `"`)
	return begin + end
}

// pages are all records of a filter, one a line.
func (h *head) pages(t testing.TB, token, filter string) string {
	t.Helper()
	var out strings.Builder
	for cursor := ""; ; {
		got := h.ask(t, "GET", "/v1/records?limit=100&cursor="+url.QueryEscape(cursor)+"&"+filter, token, nil)
		var page struct {
			Records []json.RawMessage
			Next    string
		}
		if err := json.Unmarshal([]byte(got.text), &page); err != nil || got.status != 200 {
			t.Fatalf("%s: HTTP %d %.300s (%v)", filter, got.status, got.text, err)
		}
		for _, r := range page.Records {
			fmt.Fprintf(&out, "%s\n", r)
		}
		if cursor = page.Next; cursor == "" {
			return out.String()
		}
	}
}

// pbx is the only one of a tenant.
func (h *head) pbx(t testing.TB, token string) contract.PBX {
	t.Helper()
	var body struct{ PBXs []contract.PBX }
	got := h.ask(t, "GET", "/v1/pbxs", token, nil)
	if err := json.Unmarshal([]byte(got.text), &body); err != nil || len(body.PBXs) != 1 {
		t.Fatalf("HTTP %d %s", got.status, got.text)
	}
	return body.PBXs[0]
}

// checkSameCallOfTwoPBXs: two PBXs have a call of the same id, at the same time. Lists have both,
// also where a page ends between them; one alone is asked for by its PBX.
func checkSameCallOfTwoPBXs(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "twins")
	must(t, h.AddTenant(t.Context(), "acme"))
	const id = "1795366192.1"
	for pbx, phone := range map[string]string{"a": "7901", "b": "7902", "c": "7903"} {
		if got := h.ask(t, http.MethodPost, "/v1/ship", h.join(t, "acme", pbx), pack(t, contract.ShipHead{Batch: 1, Instance: pbx, Begin: true}, shipped(id, phone, 1))); got.status != 200 {
			t.Fatalf("HTTP %d %s", got.status, got.text)
		}
	}
	app, err := h.AddToken(t.Context(), "acme", "app", nil)
	must(t, err)
	for _, order := range []string{"startedAt", "-startedAt"} {
		var phones []string
		for cursor := ""; ; {
			var page struct {
				Records []contract.Record
				Next    string
			}
			got := h.ask(t, "GET", "/v1/records?limit=1&sort="+order+"&cursor="+cursor, app, nil)
			must(t, json.Unmarshal([]byte(got.text), &page))
			for _, r := range page.Records {
				phones = append(phones, r.Details.PBX+r.SrcPhone)
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if want := map[string]string{"startedAt": "[a7901 b7902 c7903]", "-startedAt": "[c7903 b7902 a7901]"}[order]; fmt.Sprint(phones) != want {
			t.Errorf("sort=%s: %v, want %s", order, phones, want)
		}
	}
	for path, want := range map[string]int{"/v1/records/" + id: 409, "/v1/records/" + id + "?pbx=b": 200, "/v1/records/" + id + "?pbx=d": 404, "/v1/records?pbx=a,c": 200, "/v1/records/x": 404} {
		got := h.ask(t, "GET", path, app, nil)
		if got.status != want || strings.HasSuffix(path, "pbx=b") && !strings.Contains(got.text, "7902") || strings.HasSuffix(path, "a,c") && strings.Contains(got.text, "7902") {
			t.Errorf("GET %s: HTTP %d %s", path, got.status, got.text)
		}
	}
}

// checkEventsAtCentre: a stream tells records as they come, each of its tenant alone, and
// goes on behind a position.
func checkEventsAtCentre(t *testing.T, server *databases.PostgresServer) {
	h, edgeA, _, appA, _ := two(t, server, "events")
	req, err := http.NewRequestWithContext(t.Context(), "GET", h.url+"/v1/events?after=0", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+appA)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() (kind, callID string) {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e struct {
					Type   string
					Record contract.Record
				}
				must(t, json.Unmarshal([]byte(data), &e))
				return e.Type, e.Record.CallID
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return "", ""
	}
	if kind, id := next(); kind != contract.RecordCreated || id != callOfA {
		t.Errorf("the first event is %s of %s", kind, id)
	}
	head := contract.ShipHead{Batch: 2, Instance: "db", After: 3, UpTo: 4, Mark: "m4"}
	if got := h.ask(t, http.MethodPost, "/v1/ship", edgeA, pack(t, head, shipped(callOfA, "79030000001", 6))); got.status != 200 {
		t.Fatalf("HTTP %d %s", got.status, got.text)
	}
	if kind, id := next(); kind != contract.RecordCorrected || id != callOfA {
		t.Errorf("the second event is %s of %s", kind, id)
	}
	// What comes after the token was revoked is not told to it.
	must(t, h.RevokeToken(t.Context(), "a", "app"))
	head.Batch, head.After, head.UpTo = 3, 4, 5
	if got := h.ask(t, http.MethodPost, "/v1/ship", edgeA, pack(t, head, shipped(callOfA, "79030000001", 7))); got.status != 200 {
		t.Fatalf("HTTP %d %s", got.status, got.text)
	}
	var rest []string
	for lines.Scan() {
		if text := lines.Text(); strings.HasPrefix(text, "data: ") {
			rest = append(rest, text)
		}
	}
	if len(rest) != 1 || !strings.Contains(rest[0], "the token is none any more") {
		t.Errorf("the stream goes on with %q", rest)
	}
}

// checkPruned: changes that the centre has not are pruned at the edge while it is
// away. The records come all the same, and what changed in silence does.
func checkPruned(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "pruned")
	must(t, h.AddTenant(t.Context(), "acme"))
	token := h.join(t, "acme", "office")
	db := filled(t, 0, 50, true)
	all := func() map[string]map[string]record.Record {
		list, _, err := db.Records(t.Context(), store.Query{Limit: 1000})
		must(t, err)
		out := map[string]record.Record{}
		for _, r := range list {
			out[r.CallID] = r
		}
		return map[string]map[string]record.Record{"office": asPBX(out, "office")}
	}
	_, stop := shipping(t, h, db, token)
	h.has(t, "acme", all)
	stop()
	fill(t, db, 50, 80, true)
	n, err := db.PruneChanges(t.Context(), time.Now().Add(time.Hour), time.Now())
	must(t, err)
	if n != 80 {
		t.Fatalf("%d changes were pruned, want 80", n)
	}
	fill(t, db, 80, 90, true)
	// A change that no log has: the audio of an old call went.
	list, _, err := db.Rows(t.Context(), store.Query{Recorded: new(true), Limit: 1, Oldest: true})
	must(t, err)
	must(t, db.RecordingsErased(t.Context(), []store.RecordingFile{{CallID: list[0].CallID, ID: list[0].Recordings[0].ID}}, 1))
	shipping(t, h, db, token)
	h.has(t, "acme", all)
}
