package api

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// requestHeader has the id of a request: the client's, or one of ours. It is in the
// answer, in a problem's "instance", and in the log.
const requestHeader = "X-Request-Id"

// requestKey is where a request's context has its id.
type requestKey struct{}

// about is what a request's context has of it.
type about struct {
	id   string
	base string // scheme and host under which voipd was asked
}

// requestOf is a request's id; empty: it has none.
func requestOf(ctx context.Context) string {
	a, _ := ctx.Value(requestKey{}).(about)
	return a.id
}

// base is the address of the API for links.
func (s *server) base(ctx context.Context) string {
	if a, ok := ctx.Value(requestKey{}).(about); ok && s.opt.FromHost {
		return a.base
	}
	return s.opt.Signer.Base
}

// baseOf is the address under which a request came. The host has been looked at
// before a link is made of it (hosts).
func baseOf(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// identified gives each request an id, and logs it: one that failed here as an
// error (by who makes the problem), all others where debugging is on.
func (s *server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestHeader)
		if !sane(id) {
			id = rand.Text()[:16]
		}
		w.Header().Set(requestHeader, id)
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, about{id, baseOf(r)}))
		if !s.opt.Log.Enabled(r.Context(), slog.LevelDebug) {
			next.ServeHTTP(w, r)
			return
		}
		began := s.opt.Now()
		seen := &status{ResponseWriter: w}
		defer func() {
			s.opt.Log.Debug("request", "request", id, "method", r.Method, "path", r.URL.Path, "status", seen.code, "took", s.opt.Now().Sub(began).Round(time.Millisecond))
		}()
		next.ServeHTTP(seen, r)
	})
}

// sane tells whether a client's id may stand in the log.
func sane(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:") == ""
}

// status notes the status of an answer.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap lets a stream at the connection.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }
