package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// planted is a number that stands wherever one can, and no answer to a masked token has
// even its last seven digits.
const planted = "79035554433"

var leaked = regexp.MustCompile(`5[^0-9]{0,3}5[^0-9]{0,3}5[^0-9]{0,3}4[^0-9]{0,3}4[^0-9]{0,3}3[^0-9]{0,3}3`)

// plant fills an office with it.
func plant(o *office) {
	r := o.missed("1.1", 0, planted)
	at := r.Details.StartedAt
	path := "/spool/in-" + planted + "-101.wav"
	d := &r.Details
	d.CallerName, d.Asked, d.HangupBy, d.Queue, d.WaitMS = "Anna +7 (903) 555-44-33", planted, planted, "q"+planted, 9000
	d.Rang = []record.Rang{{Phone: planted, At: at}}
	d.Conversations = []record.Conversation{{A: planted, B: "101", At: at}}
	d.Transfers = []record.Transfer{{Kind: "blind", By: planted, To: planted, At: at}}
	d.Why = []record.Reason{{Field: "srcPhone", Rule: "the caller ID was " + planted, At: at}}
	d.Approximate = []string{"no word of " + planted}
	d.Recordings = []record.Recording{{ID: record.RecordingID(path), Path: path, At: at, State: record.Ready, Talk: true}}
	back := r
	back.CallID, back.Direction, back.SrcPhone, back.DstPhone, back.Disposition = "1.0", record.Out, "101", planted, record.Failed
	back.Details.Recordings = nil
	o.put(r, back)
	whole, err := os.ReadFile(filepath.Join(o.dir, "x.wav"))
	if err == nil {
		err = os.WriteFile(filepath.Join(o.dir, "in-"+planted+"-101.wav"), whole, 0o600)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	o.open = []record.Live{{Record: r, State: record.LiveState("ringing"), Ringing: []string{planted}, Talking: []string{planted}, HeldBy: planted}}
	o.open[0].Record.CallID = "1.2"
	body, err := json.Marshal(contract.Body{Call: contract.EventCall{CallID: "1.1", SrcPhone: planted, Phone: planted, Other: planted}, Record: new(contract.FromRecord(r))})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.db.Commit(o.t.Context(), &store.Batch{Changes: []store.Change{{At: at, Kind: contract.RecordCreated, CallID: "1.1", Body: body}}}); err != nil {
		o.t.Fatal(err)
	}
}

// TestMaskedEverywhere asks each route that the API describes, with a planted number:
// a masked token sees it nowhere, and another does where it should.
func TestMaskedEverywhere(t *testing.T) {
	o := newOffice(t)
	o.audio("x")
	plant(o)
	var doc struct {
		Paths map[string]map[string]any
	}
	if _, _, body := o.get("/openapi.json"); json.Unmarshal(body, &doc) != nil || len(doc.Paths) < 15 {
		t.Fatalf("%d routes", len(doc.Paths))
	}
	paths := []string{"/v1/records?after=0", "/v1/records?fields=srcPhone,details.rang,details.callerName", "/v1/records.csv?fields=srcPhone,callerName", "/v1/calls/1.2", "/v1/records/1.1", "/v1/records/none-" + planted[:4], "/v1/missed?count=true",
		"/v1/stats?from=-30d", "/v1/stats.csv?from=-30d", "/metrics"}
	for path, item := range doc.Paths {
		if _, is := item["get"]; is && path != "/v1/events" {
			paths = append(paths, strings.NewReplacer("{callId}", "1.1", "{name}", "crm", "{number}", "1.1", "{id}", "x").Replace(path))
		}
	}
	seen := 0
	for _, scopes := range [][]string{nil, {contract.ScopeRecords, contract.ScopeRecordings, contract.ScopeHooksRead, contract.ScopeMasked},
		append(contract.Scopes(), contract.ScopeMasked)} {
		o.scopes(scopes...)
		for _, path := range paths {
			for _, accept := range []string{"", "text/csv", "application/x-ndjson"} {
				status, header, body := o.do("GET", path, "", "Authorization", "Bearer "+token, "Accept", accept)
				if shown := leaked.Match(body) || leaked.MatchString(fmt.Sprint(header)); shown && scopes != nil {
					t.Errorf("%s (%s) shows the number: %d %s", path, accept, status, body)
				} else if shown {
					seen++
				}
				if strings.Contains(header.Get("Content-Type"), "json") && !strings.Contains(header.Get("Content-Type"), "ndjson") && !json.Valid(body) {
					t.Errorf("%s: %s is no JSON", path, body)
				}
			}
		}
	}
	if seen < 15 {
		t.Errorf("without a mask the number is in %d answers: it is not planted", seen)
	}
}

// TestMaskedStreamsAndFiles: events, also by a ticket, and names of files.
func TestMaskedStreamsAndFiles(t *testing.T) {
	o := newOffice(t)
	o.audio("x")
	plant(o)
	o.scopes(contract.ScopeRecords, contract.ScopeRecordings, contract.ScopeMasked)
	conn, _, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(o.server.URL, "http")+"/v1/events?after=0", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, e, err := conn.ReadMessage(); err != nil || leaked.Match(e) || !strings.Contains(string(e), "7903•••••33") {
		t.Errorf("the event: %s (%v)", e, err)
	}
	for _, query := range []string{"", "&ticket=" + o.ticket()} {
		ask, err := http.NewRequestWithContext(t.Context(), "GET", o.server.URL+"/v1/events?after=0"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if query == "" {
			ask.Header.Set("Authorization", "Bearer "+token)
		}
		r, err := http.DefaultClient.Do(ask)
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for some := make([]byte, 4096); !strings.Contains(text, "record.created") || !strings.HasSuffix(text, "}\n\n"); {
			n, err := r.Body.Read(some)
			if text += string(some[:n]); err != nil {
				t.Fatal(err)
			}
		}
		r.Body.Close()
		if leaked.MatchString(text) || !strings.Contains(text, "7903•••••33") {
			t.Errorf("%q: %s", query, text)
		}
	}
	status, _, body := o.link(`{"callId":"1.1"}`)
	var link struct{ Link string }
	if err := json.Unmarshal(body, &link); status != 200 || err != nil {
		t.Fatalf("%d %s", status, body)
	}
	get := func(link string) *http.Response {
		r, err := http.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r
	}
	if r := get(link.Link + "&download=1"); r.StatusCode != 200 || leaked.MatchString(fmt.Sprint(r.Header)) || !strings.Contains(r.Header.Get("Content-Disposition"), "in-7903") {
		t.Errorf("the file: %d %v", r.StatusCode, r.Header)
	}
	if r := get(strings.Replace(link.Link, "&masked=1", "", 1)); r.StatusCode != 403 {
		t.Errorf("without its mark the link gives %d", r.StatusCode)
	}
}

// TestMaskedSearch: what is not shown is not found.
func TestMaskedSearch(t *testing.T) {
	o := newOffice(t)
	o.audio("x")
	plant(o)
	o.scopes(contract.ScopeRecords, contract.ScopeHooksWrite, contract.ScopeMissed, contract.ScopeMasked)
	for query, want := range map[string]string{
		"number=903": "2", "number=7903": "2", "number=790": "2", "number=101": "2", "number=%2B7%20903": "2",
		"number=035": "0", "number=555": "0", "number=443": "0", "number=433": "0", "number=5554": "0",
		"number=79035": "refused", "number=" + planted: "refused", "phone=" + planted: "refused", "operator=" + planted: "refused", "name=555-44": "refused", "phone=101," + planted: "refused",
		"phone=101": "2", "name=anna": "2", "operator=101": "2",
	} {
		for _, path := range []string{"/v1/records?count=true&", "/v1/records?callId=1.1&", "/v1/stats?from=-30d&", "/v1/records.ndjson?"} {
			status, _, body := o.get(path + query)
			got := "refused"
			if status == 200 {
				got = fmt.Sprint(strings.Count(string(body), `"call":{`))
			} else if status != 403 || !strings.Contains(string(body), "numbers-masked") {
				t.Errorf("%s%s: %d %s", path, query, status, body)
			}
			wanted := want
			switch {
			case want == "refused":
			case strings.Contains(path, "callId"):
				wanted = map[string]string{"0": "0", "2": "1"}[want]
			case strings.Contains(path, "stats"):
				wanted = "0"
				if want == "2" != strings.Contains(string(body), `"calls":2`) {
					t.Errorf("%s%s: %s", path, query, body)
				}
			case strings.Contains(path, "count") && !strings.Contains(string(body), `"count":{"records":`+want):
				t.Errorf("%s%s: %s", path, query, body)
			}
			if got != wanted {
				t.Errorf("%s%s: %s, want %s", path, query, got, wanted)
			}
		}
	}
	for _, c := range []struct {
		path, body string
		want       int
	}{{"/v1/webhooks", `{"name":"mine","url":"https://example.com/"}`, 403}, {"/v1/missed/" + planted + "/dismiss", `{}`, 403}, {"/v1/missed/79030000000/dismiss", `{}`, 403}, {"/v1/missed/1.1/dismiss", `{}`, 204}} {
		if status, _, body := o.do("POST", c.path, c.body, "Authorization", "Bearer "+token); status != c.want {
			t.Errorf("%s: %d %s, want %d", c.path, status, body, c.want)
		}
	}
	if slices.Contains(contract.Scopes(), contract.ScopeMasked) {
		t.Error("a token that names no scope is masked")
	}
}
