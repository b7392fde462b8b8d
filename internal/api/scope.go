package api

import (
	"net/http"
	"slices"
	"strings"
)

// The scopes that a token may have. A token without any has all of them.
const (
	ScopeRecords    = "records:read"    // records, calls that go on, members, events
	ScopeRecordings = "recordings:read" // links to audio
	ScopeCalls      = "calls:write"     // place calls and end them
	ScopeAdmin      = "admin"           // metrics
)

// Scopes are all scopes, for whoever checks a configuration.
func Scopes() []string { return []string{ScopeRecords, ScopeRecordings, ScopeCalls, ScopeAdmin} }

// scopeOf is what a request needs. A path that does not exist needs the least.
func scopeOf(r *http.Request) string {
	switch {
	case r.URL.Path == "/metrics":
		return ScopeAdmin
	case r.URL.Path == "/v1/call-link":
		return ScopeRecordings
	case strings.HasPrefix(r.URL.Path, "/v1/calls") && r.Method != http.MethodGet && r.Method != http.MethodHead:
		return ScopeCalls
	}
	return ScopeRecords
}

// may tells whether a token may do what a request wants.
func (t *Token) may(r *http.Request) bool {
	return len(t.Scopes) == 0 || slices.Contains(t.Scopes, scopeOf(r))
}
