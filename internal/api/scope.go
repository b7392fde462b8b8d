package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/voipd/voipd/internal/contract"
)

// scopeOf is what a request needs; empty: any token. A path that does not exist needs the least.
func scopeOf(r *http.Request) string {
	switch {
	case r.URL.Path == "/metrics":
		return contract.ScopeAdmin
	case r.URL.Path == sessionPath:
		return ""
	case r.URL.Path == "/v1/call-link":
		return contract.ScopeRecordings
	case strings.HasPrefix(r.URL.Path, "/v1/calls") && r.Method != http.MethodGet && r.Method != http.MethodHead:
		return contract.ScopeCalls
	}
	return contract.ScopeRecords
}

// may tells whether a token may do what a request wants.
func (t *Token) may(r *http.Request) bool {
	return t.has(scopeOf(r))
}

func (t *Token) has(scope string) bool {
	return scope == "" || len(t.Scopes) == 0 || slices.Contains(t.Scopes, scope)
}
