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
	case underWebhooks(r.URL.Path) && reads(r):
		return contract.ScopeHooksRead
	case underWebhooks(r.URL.Path):
		return contract.ScopeHooksWrite
	case strings.HasPrefix(r.URL.Path, missedPath) && !reads(r):
		return contract.ScopeMissed
	case strings.HasPrefix(r.URL.Path, "/v1/calls") && !reads(r):
		return contract.ScopeCalls
	}
	return contract.ScopeRecords
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

func underWebhooks(path string) bool {
	return path == webhooksPath || strings.HasPrefix(path, webhooksPath+"/")
}

// may tells whether a token may do what a request wants. Who may change webhooks may
// see them.
func (t *Token) may(r *http.Request) bool {
	scope := scopeOf(r)
	return t.has(scope) || scope == contract.ScopeHooksRead && t.has(contract.ScopeHooksWrite)
}

func (t *Token) has(scope string) bool {
	return scope == "" || len(t.Scopes) == 0 || slices.Contains(t.Scopes, scope)
}
