package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

// TestHealthForStrangers: without a token, health says no more than how it is.
func TestHealthForStrangers(t *testing.T) {
	o := newOffice(t)
	status, _, body := o.do("GET", "/v1/health", "")
	if got := strings.TrimSpace(string(body)); status != 200 || got != `{"status":"ok"}` {
		t.Errorf("without a token: %d %s", status, got)
	}
	if status, _, body := o.get("/v1/health"); status != 200 || !strings.Contains(string(body), `"version"`) {
		t.Errorf("with a token: %d %s", status, body)
	}
}

// TestPathsAreForAdmins: only a token of an admin is told where a recording lies
// on the server.
func TestPathsAreForAdmins(t *testing.T) {
	o := newOffice(t)
	r := o.made("1.1", 1)
	r.Details.Recordings = []record.Recording{{ID: "r", Path: "/var/spool/asterisk/monitor/2026/11/a.wav", At: time.Unix(1_795_400_000, 0), State: record.Ready}}
	o.put(r)
	for _, row := range []struct {
		scopes []string
		path   string
	}{{[]string{contract.ScopeRecords}, `"path":"a.wav"`}, {[]string{contract.ScopeRecords, contract.ScopeAdmin}, `"path":"/var/spool/asterisk/monitor/2026/11/a.wav"`}} {
		o.scopes(row.scopes...)
		for _, path := range []string{"/v1/records/1.1", "/v1/records", "/v1/records.ndjson"} {
			if status, _, body := o.get(path); status != 200 || !strings.Contains(string(body), row.path) {
				t.Errorf("%s with %v: %d %s", path, row.scopes, status, body)
			}
		}
	}
}

// TestHead: what streams answers HEAD at once.
func TestHead(t *testing.T) {
	o := newOffice(t)
	o.put(o.made("1.1", 1))
	for path, kind := range map[string]string{"/v1/events": "text/event-stream", "/v1/records.csv": "text/csv; charset=utf-8", "/v1/records.ndjson": "application/x-ndjson"} {
		answer := o.ask(http.MethodHead, path, func(*http.Request) {})
		if answer.StatusCode != 200 || answer.Header.Get("Content-Type") != kind {
			t.Errorf("%s: %d %s", path, answer.StatusCode, answer.Header.Get("Content-Type"))
		}
	}
}

// TestCSVIsInert: no cell begins a formula, whichever of the usual separators a
// spreadsheet takes, and none holds a control character.
func TestCSVIsInert(t *testing.T) {
	o := newOffice(t)
	for i, name := range []string{"=1+1", "a;=1+1", "a; @x", "a\t=1+1", "\x00=1+1", "a\r\n=1+1", "\u0085=1", "+x", "|calc", "a;;-1"} {
		r := o.made("1."+string(rune('a'+i)), i)
		r.Details.CallerName = name
		o.put(r)
	}
	_, _, body := o.get("/v1/records.csv")
	for _, line := range strings.Split(strings.TrimSpace(string(body)), "\n")[1:] {
		for _, cell := range strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' }) {
			if cell = strings.Trim(cell, "\" "); cell != "" && strings.ContainsAny(cell[:1], "=@-|%") {
				t.Errorf("%q holds the formula %q", line, cell)
			}
		}
		if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }); i >= 0 {
			t.Errorf("%q holds the control character %q", line, line[i])
		}
	}
}
