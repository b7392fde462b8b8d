package api

import (
	"net/http"
	"slices"
	"strings"
)

// parameters refuses a query that gives a parameter twice, of which one would be
// ignored silently, or gives one without a value, which would ask for everything. An
// empty cursor is that of the first page, for clients that always give one.
// A plus that a client did not escape, and that therefore reads as a blank, is
// taken for one where a number or a time has it.
func parameters(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if raw := plusses(r.URL.RawQuery); raw != r.URL.RawQuery {
			r = r.Clone(r.Context())
			r.URL.RawQuery = raw
		}
		query := r.URL.Query()
		var wrong []string
		for name, values := range query {
			if len(values) > 1 || values[0] == "" && name != "" && name != "cursor" {
				wrong = append(wrong, name)
			}
		}
		if len(wrong) == 0 {
			next.ServeHTTP(w, r)
			return
		}
		slices.Sort(wrong)
		if values := query[wrong[0]]; len(values) > 1 {
			writeProblem(w, badParameter(wrong[0], "is given more than once; several values are separated by commas", values))
			return
		}
		writeProblem(w, badParameter(wrong[0], "is empty; leave it out to ask for everything", ""))
	})
}

// plusses escapes the plusses of parameters that are numbers or times.
func plusses(raw string) string {
	if !strings.Contains(raw, "+") {
		return raw
	}
	parts := strings.Split(raw, "&")
	for i, part := range parts {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "phone", "number", "operator", "did", "from", "to":
			parts[i] = name + "=" + strings.ReplaceAll(value, "+", "%2B")
		}
	}
	return strings.Join(parts, "&")
}
