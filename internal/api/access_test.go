package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// ask sends a request as another program on the network would.
func (o *office) ask(method, path string, change func(*http.Request)) *http.Response {
	o.t.Helper()
	r, err := http.NewRequest(method, o.server.URL+path, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	change(r)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// TestHosts: a page of another site cannot come in by a name of its own.
func TestHosts(t *testing.T) {
	o := newOffice(t)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:8780": 200, "127.0.0.1:8780": 200, "[::1]:8780": 200, "192.0.2.1": 200, "pbx.example.com": 200, "pbx.example.com:443": 200,
		"evil.example": 421, "pbx.example.com.evil.example": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "xpbx.example.com": 421,
	} {
		for _, path := range []string{"/v1/records", "/v1/health"} {
			if res := o.ask("GET", path, func(r *http.Request) { r.Host = host }); res.StatusCode != want {
				t.Errorf("%s as %q: %d, want %d", path, host, res.StatusCode, want)
			}
		}
	}
}

// TestOrigins: only pages of the configured origins may call.
func TestOrigins(t *testing.T) {
	o := newOffice(t)
	for origin, want := range map[string]int{
		"": 200, "https://crm.example.com": 200, o.server.URL: 200,
		"https://crm.example.com.evil.example": 403, "http://crm.example.com": 403, "null": 403, "https://crm.example.com:8443": 403, "x": 403,
	} {
		res := o.ask("GET", "/v1/records", func(r *http.Request) {
			if origin != "" {
				r.Header.Set("Origin", origin)
			}
		})
		allowed := res.Header.Get("Access-Control-Allow-Origin")
		if res.StatusCode != want || (allowed != "") != (origin == "https://crm.example.com") {
			t.Errorf("origin %q: %d, allowed %q, want %d", origin, res.StatusCode, allowed, want)
		}
	}
	// The browser asks first, without a token.
	res := o.ask("OPTIONS", "/v1/records", func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("Origin", "https://crm.example.com")
		r.Header.Set("Access-Control-Request-Method", "GET")
		r.Header.Set("Access-Control-Request-Headers", "authorization")
	})
	if res.StatusCode/100 != 2 || res.Header.Get("Access-Control-Allow-Headers") != "authorization" {
		t.Errorf("preflight: %d %v", res.StatusCode, res.Header)
	}
}

// TestWrongTokens: who guesses has to wait, and who has the right token never
// has, even from the same address.
func TestWrongTokens(t *testing.T) {
	o := newOffice(t)
	guess := func(i int) *http.Response {
		return o.ask("GET", "/v1/records", func(r *http.Request) { r.Header.Set("Authorization", fmt.Sprint("Bearer guess", i)) })
	}
	for i := range 10 {
		if res := guess(i); res.StatusCode != 401 {
			t.Fatalf("wrong token %d: %d", i, res.StatusCode)
		}
	}
	if res := guess(11); res.StatusCode != 429 || res.Header.Get("Retry-After") == "" {
		t.Errorf("the eleventh: %d %v", res.StatusCode, res.Header)
	}
	if res := o.ask("GET", "/v1/records", func(*http.Request) {}); res.StatusCode != 200 {
		t.Errorf("the right token: %d", res.StatusCode)
	}
	o.now = o.now.Add(7 * time.Second)
	if res := guess(12); res.StatusCode != 401 {
		t.Errorf("after the wait: %d", res.StatusCode)
	}
}

// TestGarbage: what no client means gets a short refusal.
func TestGarbage(t *testing.T) {
	o := newOffice(t)
	for name, change := range map[string]func(*http.Request){
		"a method of its own":  func(r *http.Request) { r.Method = "BREW" },
		"a path upwards":       func(r *http.Request) { r.URL.Path = "/v1/../../etc/passwd" },
		"a path with a line":   func(r *http.Request) { r.URL.Path = "/v1/records/x\r\nSet-Cookie: a=b" },
		"a query of rubbish":   func(r *http.Request) { r.URL.RawQuery = "limit=%zz&%00=%ff" },
		"an unknown parameter": func(r *http.Request) { r.URL.RawQuery = "x=1" },
		"a long token":         func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+strings.Repeat("x", 10_000)) },
	} {
		if res := o.ask("GET", "/v1/records", change); res.StatusCode < 400 || res.StatusCode >= 500 {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}
