package web_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/web"
)

// most is how much a browser may have to load, packed.
const most = 60 << 10

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	page, err := web.New()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	page.ServeHTTP(w, r)
	return w.Result()
}

// TestFiles: the document is asked for anew, the files that it names are kept for ever,
// all of them come with the policy, and packed they are small.
func TestFiles(t *testing.T) {
	document, err := os.ReadFile("dist/index.html")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(document), "<style") || regexp.MustCompile(`<script[^>]*>[^<]`).Match(document) {
		t.Error("there is a script or a style inside the document, which its policy forbids")
	}
	paths := []string{"/"}
	for _, found := range regexp.MustCompile(`(?:src|href)="\.(/assets/[^"]+)"`).FindAllStringSubmatch(string(document), -1) {
		paths = append(paths, found[1])
	}
	if len(paths) != 4 {
		t.Errorf("the page is %v", paths)
	}
	var size int64
	for _, path := range paths {
		res := get(t, path, "Accept-Encoding", "gzip, br")
		size += res.ContentLength
		cached := map[bool]string{true: "no-cache", false: "public, max-age=31536000, immutable"}[path == "/"]
		if h := res.Header; res.StatusCode != 200 || h.Get("Cache-Control") != cached || h.Get("Content-Encoding") != "gzip" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") {
			t.Errorf("%s: %d %v", path, res.StatusCode, h)
		}
		if res := get(t, path); res.Header.Get("Content-Encoding") != "" || res.ContentLength == 0 {
			t.Errorf("%s to who takes nothing packed: %v", path, res.Header)
		}
	}
	if size > most {
		t.Errorf("the page is %d bytes packed, want at most %d", size, most)
	}
	t.Logf("the page is %d bytes packed", size)
	if res := get(t, "/assets/other.js"); res.StatusCode != 404 {
		t.Errorf("a file that is not there: %d", res.StatusCode)
	}
}
