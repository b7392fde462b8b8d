// Package web is voipd's page: calls, recordings, what goes on now, and health, for
// people. It is a client of the API like any other.
//
// The page is written in TypeScript (src) and built by Vite; what is built (dist) is
// checked in, so that Go builds it without Node. scripts/page.sh builds it anew.
package web

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// policy is the page's Content-Security-Policy: nothing but what voipd serves itself,
// and no script or style inside the document.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; media-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// document is the path of the page itself. Every other file has the hash of its content
// in its name.
const document = "/"

// Page serves the page.
type Page struct{ files map[string]file } // by their paths

// file is one of the page, as it is and packed.
type file struct {
	kind         string
	text, packed []byte
}

// New makes the page of what is built in.
func New() (*Page, error) {
	p := &Page{map[string]file{}}
	err := fs.WalkDir(dist, "dist", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := dist.ReadFile(name)
		if err != nil {
			return err
		}
		kind, ok := kinds()[path.Ext(name)]
		if !ok {
			return fmt.Errorf("%s is of no kind that the page has", name)
		}
		at := strings.TrimPrefix(name, "dist")
		if at == "/index.html" {
			at = document
		}
		p.files[at] = file{kind, text, pack(text)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the page in the program: %w", err)
	}
	return p, nil
}

// kinds are the content types by the ends of names; the machine's own table may lack
// some.
func kinds() map[string]string {
	return map[string]string{".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
}

func pack(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	_, _ = w.Write(text)                                  // into memory, it cannot fail
	_ = w.Close()
	return b.Bytes()
}

// Has tells whether a path is the page's.
func (p *Page) Has(path string) bool { _, ok := p.files[path]; return ok }

// ServeHTTP serves a path that the page [Page.Has]. A browser asks for the document
// anew each time, and keeps the files that it names.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if r.URL.Path == document {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Content-Type", f.kind)
	h.Add("Vary", "Accept-Encoding")
	text := f.text
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		text = f.packed
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // the browser may be gone; there is nobody to tell
	}
}
