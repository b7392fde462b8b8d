package api_test

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/api"
)

// TestSignInCode: a code stands for its token once, within its time, for beginning a
// session and nothing else.
func TestSignInCode(t *testing.T) {
	o := newOffice(t)
	hash := sha256.Sum256([]byte(token))
	begin := func(code string) int {
		t.Helper()
		o.now = o.now.Add(10 * time.Second) // wrong ones may not come too fast
		status, _, _ := o.do("POST", "/v1/session", "", "Authorization", "Bearer "+code, "Origin", o.server.URL)
		return status
	}
	fresh := func(key string) string { return api.SignInCode([]byte(key), hash, o.now) }
	once := fresh(signInKey)
	for _, c := range []struct {
		name, code string
		status     int
	}{
		{"another key", fresh("another"), 401},
		{"cut", once[:len(once)-1], 401},
		{"without its sum", once[:strings.LastIndex(once, ".")+1], 401},
		{"moved on", strings.Replace(once, "once.", "once.1", 1), 401},
		{"a token that is gone", api.SignInCode([]byte(signInKey), sha256.Sum256([]byte("gone")), o.now), 401},
		{"before the start", api.SignInCode([]byte(signInKey), hash, o.now.Add(-time.Minute)), 401},
		{"of tomorrow", api.SignInCode([]byte(signInKey), hash, o.now.Add(24*time.Hour)), 401},
		{"as it should be", once, 201},
		{"again", once, 401},
	} {
		if status := begin(c.code); status != c.status {
			t.Errorf("%s: %d, want %d", c.name, status, c.status)
		}
	}
	late := fresh(signInKey)
	if status, _, _ := o.do("GET", "/v1/records", "", "Authorization", "Bearer "+late); status != 401 {
		t.Errorf("it reads records: %d", status)
	}
	o.now = o.now.Add(api.LinkFor - 10*time.Second)
	if status := begin(late); status != 401 {
		t.Errorf("too late: %d", status)
	}
}

// TestPageNeedsNoToken: the page and its files are served to everybody, under the names
// that voipd answers to, and nothing else is.
func TestPageNeedsNoToken(t *testing.T) {
	o := newOffice(t)
	for path, status := range map[string]int{"/": 200, "/assets/page.js": 200, "/assets/other.js": 401, "/v1/records": 401, "/index.html": 401} {
		if got, _, body := o.do("GET", path, ""); got != status {
			t.Errorf("GET %s: %d %s, want %d", path, got, body, status)
		}
	}
	if status, _, _ := o.do("POST", "/", ""); status != 401 {
		t.Errorf("POST /: %d", status)
	}
	answer := o.ask(http.MethodGet, "/", func(r *http.Request) { r.Host = "evil.example.com" })
	if answer.StatusCode != 421 {
		t.Errorf("under another name: %d", answer.StatusCode)
	}
}

// fakePage is a page of two files.
type fakePage struct{}

func (fakePage) Has(path string) bool                             { return path == "/" || path == "/assets/page.js" }
func (fakePage) ServeHTTP(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) }
