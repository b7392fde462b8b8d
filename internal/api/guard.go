package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
)

// Token lets an app in. Only its hash is known here.
type Token struct {
	Name   string
	Hash   [sha256.Size]byte
	Scopes []string // none: all
	// LinkTTL is how long links to recordings work that it asks for, which then are
	// signed by a key of its own; recording.Never: until that is another. 0: they are
	// like everybody's.
	LinkTTL time.Duration
	Tenant  string // whose records it is for; empty where there are one PBX's alone
}

// authorised asks for a token on everything but health, signed links and the page.
func (s *server) authorised(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open := r.URL.Path == "/v1/health" || strings.HasPrefix(r.URL.Path, recording.LinkPath) || s.ofPage(r)
		token, err := s.bearer(r)
		if err != nil && !open {
			writeProblem(w, s.internal(r.Context(), "look the token up", err))
			return
		}
		if token != nil {
			trust(r.Context())
			r = r.WithContext(context.WithValue(r.Context(), tokenKey{}, token))
		}
		switch {
		case open || token != nil && token.may(r):
			next.ServeHTTP(w, r)
			return
		case token != nil:
			writeProblem(w, problem(http.StatusForbidden, "scope-missing", "Scope missing", "This token needs the scope "+scopeOf(r)+" for that."))
			return
		}
		if s.wrong.one(r, s.opt.Now()) {
			w.Header().Set("Retry-After", strconv.Itoa(int(wrongEvery/time.Second)))
			writeProblem(w, problem(http.StatusTooManyRequests, "too-many-wrong-tokens", "Too many wrong tokens", "Wait, and send a token of the configuration."))
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="voipd"`)
		writeProblem(w, problem(http.StatusUnauthorized, "unauthorised", "Unauthorised",
			"Send a token of the configuration: Authorization: Bearer …"))
	})
}

// tokenKey is where a request's context has its token.
type tokenKey struct{}

// tokenOf is the name of the token with which a request came; empty: none.
func tokenOf(ctx context.Context) string {
	if t, ok := ctx.Value(tokenKey{}).(*Token); ok {
		return t.Name
	}
	return ""
}

// TenantOf is the tenant of the token with which a request came; empty: it has none.
func TenantOf(ctx context.Context) string {
	if t, ok := ctx.Value(tokenKey{}).(*Token); ok {
		return t.Tenant
	}
	return ""
}

// tokenIn is the token with which a request came, where none is let in without.
func tokenIn(ctx context.Context) *Token { return ctx.Value(tokenKey{}).(*Token) }

// admin tells whether a request came with an admin's token.
func admin(ctx context.Context) bool {
	t, ok := ctx.Value(tokenKey{}).(*Token)
	return ok && t.has(contract.ScopeAdmin)
}

// known compares in constant time with every token, so that the time tells
// nothing of which of them is near, and gives the right one; nil: none is.
func (s *server) known(ctx context.Context, header string) (*Token, error) {
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, nil
	}
	return s.byHash(ctx, sha256.Sum256([]byte(token)))
}

// byHash is the token of a hash; nil: there is none.
func (s *server) byHash(ctx context.Context, hash [sha256.Size]byte) (*Token, error) {
	if s.opt.Centre != nil {
		return s.opt.Centre.Token(ctx, hash)
	}
	found := -1
	tokens := *s.tokens.Load()
	for i, t := range tokens {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], t.Hash[:]), i, found)
	}
	if found < 0 {
		return nil, nil
	}
	return &tokens[found], nil
}

// hardened sets what every answer carries, and bounds every request.
func hardened(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; media-src 'self'; sandbox")
		h.Set("Referrer-Policy", "no-referrer")
		r.Body = http.MaxBytesReader(w, r.Body, bodyLimit)
		next.ServeHTTP(w, r)
	})
}
