package api_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// happen writes n events of a call.
func (o *office) happen(n int, kind, id string) {
	o.t.Helper()
	b := &store.Batch{}
	for range n {
		b.Changes = append(b.Changes, store.Change{At: o.now, Kind: kind, CallID: id, Body: []byte(`{"call":{"callId":"` + id + `"}}`)})
	}
	if err := o.db.Commit(context.Background(), b); err != nil {
		o.t.Fatal(err)
	}
}

// reader follows the live stream over SSE or a WebSocket, and gives "SEQ TYPE"
// of each event, and at the end why it ended.
func (o *office) reader(kind, query string, header ...string) (events <-chan string, leave func()) {
	o.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	o.t.Cleanup(cancel)
	h := http.Header{"Authorization": {"Bearer " + token}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	out := make(chan string, 10_000)
	note := func(data string) {
		var e struct {
			ID, Type, Reason string
			Seq              int64
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.Reason == "" && !strings.HasSuffix(e.ID, fmt.Sprint("-", e.Seq)) {
			o.t.Errorf("event %s (%v)", data, err)
		}
		out <- strings.TrimSpace(fmt.Sprint(e.Seq, " ", e.Type, e.Reason))
	}
	if kind == "websocket" {
		conn, res, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(o.server.URL, "http")+"/v1/events"+query, h)
		if err != nil {
			o.t.Fatalf("%v: %v", err, res)
		}
		go func() {
			defer close(out)
			for {
				_, data, err := conn.ReadMessage()
				if err != nil {
					out <- err.Error()
					return
				}
				note(string(data))
			}
		}()
		return out, func() { conn.Close() }
	}
	req, err := http.NewRequestWithContext(ctx, "GET", o.server.URL+"/v1/events"+query, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	req.Header = h
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		o.t.Fatalf("%v %v", res, err)
	}
	go func() {
		defer close(out)
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				note(data)
			}
		}
	}()
	return out, cancel
}

func next(t *testing.T, events <-chan string, n int) []string {
	t.Helper()
	var got []string
	for timeout := time.After(20 * time.Second); len(got) < n; {
		select {
		case e, open := <-events:
			if !open {
				t.Fatalf("the stream ended after %q", got)
			}
			got = append(got, e)
		case <-timeout:
			t.Fatalf("only %q came", got)
		}
	}
	return got
}

// TestFollow: a reader has what happens from now on, resumes where it was, and
// misses nothing in between.
func TestFollow(t *testing.T) {
	for _, kind := range []string{"sse", "websocket"} {
		t.Run(kind, func(t *testing.T) {
			o := newOffice(t)
			o.happen(1, "call.started", "1.1")
			events, leave := o.reader(kind, "")
			o.happen(2, "call.held", "1.1")
			if got := next(t, events, 2); !slices.Equal(got, []string{"2 call.held", "3 call.held"}) {
				t.Errorf("got %q", got)
			}
			leave()
			o.happen(250, "call.resumed", "1.1")
			events, leave = o.reader(kind, "?after=3")
			if got := next(t, events, 250); got[0] != "4 call.resumed" || got[249] != "253 call.resumed" {
				t.Errorf("from %q to %q", got[0], got[249])
			}
			leave()
			events, _ = o.reader(kind, "?after=1", "Last-Event-ID", "252")
			o.happen(1, "call.ended", "1.1")
			if got := next(t, events, 2); !slices.Equal(got, []string{"253 call.resumed", "254 call.ended"}) {
				t.Errorf("got %q", got)
			}
			close(o.halt)
			want := "0 voipd stops"
			if kind == "websocket" {
				want = "websocket: close 1001 (going away): voipd stops"
			}
			if got := next(t, events, 1); got[0] != want {
				t.Errorf("the end is %q, want %q", got, want)
			}
		})
	}
}

// TestFollowFromNowhere: who asks for what is not kept is told so, and what to
// do; not silently given the rest.
func TestFollowFromNowhere(t *testing.T) {
	o := newOffice(t)
	o.happen(5, "call.started", "1.1")
	if _, err := o.db.PruneChanges(context.Background(), time.Now().Add(time.Hour), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.happen(2, "call.ended", "1.1") // 6 and 7
	for _, c := range []struct {
		path   string
		status int
		kind   string
	}{
		{"/v1/events?after=3", 410, "events-gone"},
		{"/v1/events?after=8", 410, "events-gone"},
		{"/v1/records?after=3", 410, "events-gone"},
		{"/v1/events?after=x", 422, ""},
		{"/v1/events?after=-2", 422, ""},
		{"/v1/records?after=6&phone=101", 422, "bad-request"},
	} {
		status, header, body := o.get(c.path)
		if kind, _ := problemOf(t, header, body); status != c.status || c.kind != "" && kind != c.kind {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	if status, _, body := o.do("GET", "/v1/events", "", "Authorization", "Bearer "+token, "Last-Event-ID", "x"); status != 422 {
		t.Errorf("%d %s", status, body)
	}
	if status, _, _ := o.do("GET", "/v1/events", ""); status != 401 {
		t.Errorf("without token: %d", status)
	}
	events, _ := o.reader("sse", "?after=0")
	if got := next(t, events, 2); !slices.Equal(got, []string{"6 call.ended", "7 call.ended"}) {
		t.Errorf("got %q", got)
	}
}

// TestReaderLosesWhatIsPruned: a reader who was so slow that its place is gone
// is told, not given what is left.
func TestReaderLosesWhatIsPruned(t *testing.T) {
	o := newOffice(t)
	events, _ := o.reader("sse", "")
	o.hold.Lock() // the reader's next read waits
	o.happen(3, "call.started", "1.1")
	if _, err := o.db.PruneChanges(context.Background(), time.Now().Add(time.Hour), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	o.happen(1, "call.ended", "1.1")
	o.hold.Unlock()
	got := next(t, events, 1)
	if got[0] != "0 the events behind the last one are not kept any more" {
		t.Errorf("got %q", got)
	}
}

// TestPull: changed records, each once, and where to go on.
func TestPull(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"1.1", "1.2", "1.1"} {
		r := o.call(id, 0, "")
		b := &store.Batch{Records: []*record.Record{&r}, Changes: []store.Change{{Record: &r, KindOf: contract.RecordKind, CallID: id, Body: []byte(`{}`)}}}
		if err := o.db.Commit(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		o.happen(1, "call.ended", id)
	}
	pull := func(query string, after int64, ids ...string) {
		t.Helper()
		status, _, body := o.get("/v1/records?" + query)
		var p struct {
			Records []struct{ CallID string }
			After   int64
		}
		if err := json.Unmarshal(body, &p); err != nil || status != 200 || p.After != after || len(p.Records) != len(ids) {
			t.Fatalf("%s: %d %s (%v)", query, status, body, err)
		}
		for i, id := range ids {
			if p.Records[i].CallID != id {
				t.Errorf("%s: %s", query, body)
			}
		}
	}
	pull("after=0", 5, "1.1", "1.2")
	pull("after=0&limit=1", 1, "1.1")
	pull("after=1", 5, "1.2", "1.1")
	pull("after=5", 5)
}

func TestCallsGoingOn(t *testing.T) {
	o := newOffice(t)
	o.open = []record.Live{{State: record.Rings, Ringing: []string{"101", "102"},
		Record: record.Record{CallID: "1.1", Direction: record.In, SrcPhone: "79031000001", DstPhone: "101", Details: record.Details{StartedAt: o.now.UTC()}}}}
	_, _, body := o.get("/v1/calls")
	want := `{"calls":[{"callId":"1.1","direction":"in","state":"ringing","srcPhone":"79031000001","dstPhone":"101","startedAt":"` +
		o.now.UTC().Format(contract.TimeLayout) + `","ringing":["101","102"]}],"after":7,"asOf":"2026-11-23T02:13:20.000Z","stale":false}`
	if got := strings.TrimSpace(string(body)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	o.open = nil
	if _, _, body := o.get("/v1/calls"); !strings.HasPrefix(string(body), `{"calls":[],`) {
		t.Errorf("got %s", body)
	}
}

// TestStreamEndsWithItsToken: what happens after a token was taken out, or got other
// scopes, is not told to the stream that it began; another token's goes on.
func TestStreamEndsWithItsToken(t *testing.T) {
	for name, c := range map[string]struct {
		tokens []api.Token
		ends   bool
	}{
		"taken out":    {nil, true},
		"other scopes": {[]api.Token{{Name: "crm", Hash: sha256.Sum256([]byte(token)), Scopes: []string{contract.ScopeRecords, contract.ScopeMasked}}}, true},
		"another name": {[]api.Token{{Name: "wallboard", Hash: sha256.Sum256([]byte(token))}}, false},
	} {
		for _, kind := range []string{"sse", "websocket"} {
			t.Run(name+" "+kind, func(t *testing.T) {
				o := newOffice(t)
				o.happen(1, "call.ended", "1.1")
				events, leave := o.reader(kind, "?after=0")
				defer leave()
				if got := <-events; got != "1 call.ended" {
					t.Fatalf("the first event is %q", got)
				}
				o.server.Config.Handler.(*api.API).SetTokens(c.tokens)
				o.happen(1, "call.ended", "1.2")
				if got := <-events; strings.Contains(got, "the token is none any more") != c.ends {
					t.Errorf("after the change: %q", got)
				}
			})
		}
	}
}
