package api

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
)

// A token with numbers:masked sees of numbers of people outside no more than
// contract.MaskText leaves, wherever they stand. Answers in JSON are masked as they go
// out, so that no route forgets it; files and streams mask what they write.

// masked tells whether numbers are masked for a token. One that names no scope has all
// that give something, and not this one.
func (t *Token) masked() bool { return slices.Contains(t.Scopes, contract.ScopeMasked) }

func masked(ctx context.Context) bool {
	t, ok := ctx.Value(tokenKey{}).(*Token)
	return ok && t.masked()
}

// masking masks the answers to tokens for which numbers are masked.
func masking(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own := slices.Contains([]string{csvPath, ndjsonPath, statsCSVPath, eventsPath}, r.URL.Path) // they mask what they write
		if !masked(r.Context()) || own || !strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, recording.LinkPath) {
			next.ServeHTTP(w, r)
			return
		}
		m := &maskedAnswer{ResponseWriter: w}
		next.ServeHTTP(m, r)
		m.end()
	})
}

// maskedAnswer keeps an answer until it is whole: a page of records at most.
type maskedAnswer struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (m *maskedAnswer) WriteHeader(code int) {
	if m.code == 0 {
		m.code = code
	}
}

func (m *maskedAnswer) Write(some []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	return m.body.Write(some)
}

func (m *maskedAnswer) end() {
	if m.code == 0 {
		m.code = http.StatusOK
	}
	body := m.body.Bytes()
	if strings.Contains(m.Header().Get("Content-Type"), "json") {
		body = contract.Mask(body)
	}
	m.Header().Del("Content-Length")
	m.ResponseWriter.WriteHeader(m.code)
	if len(body) > 0 {
		_, _ = m.ResponseWriter.Write(body) // the client may be gone; there is nobody to tell
	}
}

// numbersMasked is the problem of who asks for more than he may see.
func numbersMasked(remedy string) error {
	return problem(http.StatusForbidden, "numbers-masked", "Numbers are masked", "Numbers of people outside are masked for this token. "+remedy)
}

// unseen refuses filters by more of a number than is shown. Shorter parts are looked
// for in what is shown alone.
func unseen(f *Filters) error {
	const remedy = "It may look for four digits from the beginning of a number."
	long := func(all ...string) bool {
		return slices.ContainsFunc(all, func(s string) bool { return contract.MaskText(s) != s })
	}
	switch {
	case countDigits(f.Number) > contract.ShownPart, long(values(f.Phone)...), long(f.Operator...), long(f.Queue...), countDigits(f.Name) > 2:
		return numbersMasked(remedy)
	}
	return nil
}
