package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/contract"
)

// ticket asks for one.
func (o *office) ticket() string {
	o.t.Helper()
	status, _, body := o.do("POST", "/v1/tickets", "", "Authorization", "Bearer "+token)
	var got struct {
		Ticket    string
		ExpiresAt time.Time
	}
	if err := json.Unmarshal(body, &got); err != nil || status != 201 || got.Ticket == "" || !got.ExpiresAt.Equal(o.now.Add(time.Minute)) {
		o.t.Fatalf("%d %s (%v)", status, body, err)
	}
	return got.Ticket
}

// dial opens a WebSocket as a page of an origin does.
func (o *office) dial(path, origin string, header ...string) (int, error) {
	h := http.Header{"Origin": {origin}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, res, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(o.server.URL, "http")+path, h)
	if res == nil {
		return 0, err
	}
	defer res.Body.Close()
	if err == nil {
		conn.Close()
	}
	return res.StatusCode, nil
}

// TestTicket: it opens one stream, once, within a minute, and nothing else.
func TestTicket(t *testing.T) {
	o := newOffice(t)
	const origin = "https://crm.example.com"
	first := o.ticket()
	for _, c := range []struct {
		name   string
		status int
		ask    func() (int, error)
	}{
		{"a page of a configured origin", 101, func() (int, error) { return o.dial("/v1/events?ticket="+first, origin) }},
		{"the same again", 401, func() (int, error) { return o.dial("/v1/events?ticket="+first, origin) }},
		{"another origin", 403, func() (int, error) { return o.dial("/v1/events?ticket="+o.ticket(), "https://evil.example.com") }},
		{"our own page", 101, func() (int, error) { return o.dial("/v1/events?ticket="+o.ticket(), o.server.URL) }},
		{"a made up one", 401, func() (int, error) { return o.dial("/v1/events?ticket=AAAA", origin) }},
		{"a token from a configured origin", 101, func() (int, error) { return o.dial("/v1/events", origin, "Authorization", "Bearer "+token) }},
		{"another path", 401, func() (int, error) {
			status, _, _ := o.do("GET", "/v1/records?ticket="+o.ticket(), "")
			return status, nil
		}},
		{"too late", 401, func() (int, error) {
			late := o.ticket()
			o.now = o.now.Add(time.Minute)
			return o.dial("/v1/events?ticket="+late, origin)
		}},
	} {
		o.now = o.now.Add(time.Minute) // wrong tokens may not come too fast
		if c.name == "a page of a configured origin" {
			first = o.ticket()
		}
		if status, err := c.ask(); status != c.status || err != nil {
			t.Errorf("%s: %d (%v), want %d", c.name, status, err, c.status)
		}
	}
	o.scopes(contract.ScopeCalls)
	if status, _, _ := o.do("POST", "/v1/tickets", "", "Authorization", "Bearer "+token); status != 403 {
		t.Errorf("a token that may not read: %d", status)
	}
}

// TestSession: the cookie of our own page stands for the token, for our own page
// alone.
func TestSession(t *testing.T) {
	o := newOffice(t)
	status, header, body := o.do("POST", "/v1/session", "", "Authorization", "Bearer "+token, "Origin", o.server.URL)
	cookie := header.Get("Set-Cookie")
	if status != 201 || !strings.Contains(string(body), `"name":"crm"`) || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, token) {
		t.Fatalf("%d %s %s", status, cookie, body)
	}
	value, _, _ := strings.Cut(cookie, ";")
	order := `{"srcPhone":"101","dstPhone":"102"}`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		header                   []string
	}{
		{"it reads", "GET", "/v1/records", "", 200, nil},
		{"it says who it is", "GET", "/v1/session", "", 200, nil},
		{"it writes", "POST", "/v1/calls", order, 202, []string{"Origin", o.server.URL}},
		{"it writes without an origin", "POST", "/v1/calls", order, 401, nil},
		{"a configured origin reads", "GET", "/v1/records", "", 401, []string{"Origin", "https://crm.example.com"}},
		{"a configured origin writes", "POST", "/v1/calls", order, 401, []string{"Origin", "https://crm.example.com"}},
		{"a foreign origin writes", "POST", "/v1/calls", order, 403, []string{"Origin", "https://evil.example.com"}},
		{"another site's image", "GET", "/v1/records", "", 401, []string{"Sec-Fetch-Site", "same-site"}},
	} {
		o.now = o.now.Add(time.Minute)
		if status, _, body := o.do(c.method, c.path, c.body, append(c.header, "Cookie", value)...); status != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, status, body, c.status)
		}
	}
	if status, err := o.dial("/v1/events", o.server.URL, "Cookie", value); status != 101 || err != nil {
		t.Errorf("its stream: %d (%v)", status, err)
	}
	o.now = o.now.Add(time.Minute)
	if status, err := o.dial("/v1/events", "https://crm.example.com", "Cookie", value); status != 401 || err != nil {
		t.Errorf("another's stream with it: %d (%v)", status, err)
	}
	if status, header, _ := o.do("DELETE", "/v1/session", "", "Cookie", value, "Origin", o.server.URL); status != 204 || !strings.Contains(header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("signing out: %d %v", status, header)
	}
	if status, _, _ := o.do("GET", "/v1/records", "", "Cookie", value); status != 401 {
		t.Errorf("after signing out: %d", status)
	}
}
