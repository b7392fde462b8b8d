package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// problemType is the "type" of a problem (RFC 9457): programs go by it.
func problemType(name string) string { return "urn:voipd:problem:" + name }

func problem(status int, name, title, detail string) error {
	return &huma.ErrorModel{Type: problemType(name), Title: title, Status: status, Detail: detail}
}

// typed gives huma's own problems, of what a request may not be, the type that
// ours have for it.
func typed(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*huma.ErrorModel); ok && p.Type == "" && p.Status < http.StatusInternalServerError {
		p.Type = problemType("bad-request")
	}
	return v, nil
}

// internal logs an error and makes a problem that does not tell it.
func (s *server) internal(what string, err error) error {
	s.opt.Log.Error(what, "error", err)
	return problem(http.StatusInternalServerError, "internal", "Internal error", "voipd could not "+what+"; its log says why.")
}

// writeProblem answers with a problem from outside of huma's routes.
func writeProblem(w http.ResponseWriter, err error) {
	var p *huma.ErrorModel
	if !errors.As(err, &p) {
		p = &huma.ErrorModel{Type: problemType("internal"), Title: "Internal error", Status: http.StatusInternalServerError}
	}
	body, _ := json.Marshal(p) // texts and numbers only: it cannot fail
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone; there is nobody to tell
}

func notFound(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, problem(http.StatusNotFound, "unknown-path", "No such path", r.Method+" "+r.URL.Path+" is not part of the API."))
}
