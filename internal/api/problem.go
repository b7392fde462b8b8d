package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// problemType is the "type" of a problem (RFC 9457): programs go by it.
func problemType(name string) string { return "urn:voipd:problem:" + name }

func problem(status int, name, title, detail string) error {
	return &huma.ErrorModel{Type: problemType(name), Title: title, Status: status, Detail: detail}
}

// typed makes huma's own problems, of what a request may not be, like ours: with a
// type for each cause, the request's id, and nothing of a body but what is short.
func typed(hc huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if p.Type == "" && p.Status < http.StatusInternalServerError {
		p.Type = problemType(typeOf(p.Status))
	}
	for _, e := range p.Errors {
		e.Value = short(e.Value)
	}
	p.Instance = instance(requestOf(hc.Context()))
	if again(p.Status) {
		hc.SetHeader("Retry-After", retryAfter)
	}
	return v, nil
}

// typeOf is the name of huma's problems of a status.
func typeOf(status int) string {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return "body-too-large"
	case http.StatusUnsupportedMediaType:
		return "unsupported-media-type"
	case http.StatusNotAcceptable:
		return "not-acceptable"
	case http.StatusRequestTimeout:
		return "body-too-slow"
	}
	return "bad-request"
}

// shortest is how much of a wrong value is told.
const shortest = 100

// short is a value as a problem tells it: a body is not sent back.
func short(v any) any {
	switch v := v.(type) {
	case string:
		if runes := []rune(v); len(runes) > shortest {
			return string(runes[:shortest]) + "…"
		}
		return v
	case []string:
		if len(strings.Join(v, "")) <= shortest {
			return v
		}
		return nil
	case nil, bool, int, int64, float64:
		return v
	}
	return nil
}

// again tells whether a status means that the same may be asked for later.
func again(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// instance names a request in a problem.
func instance(request string) string {
	if request == "" {
		return ""
	}
	return "urn:voipd:request:" + request
}

// internal logs an error and makes a problem that does not tell it.
func (s *server) internal(ctx context.Context, what string, err error) error {
	s.opt.Log.Error(what, "request", requestOf(ctx), "error", err)
	return problem(http.StatusInternalServerError, "internal", "Internal error", "voipd could not "+what+"; its log says why, beside the id of this request.")
}

// writeProblem answers with a problem from outside of huma's routes.
func writeProblem(w http.ResponseWriter, err error) {
	var p *huma.ErrorModel
	if !errors.As(err, &p) {
		p = &huma.ErrorModel{Type: problemType("internal"), Title: "Internal error", Status: http.StatusInternalServerError}
	}
	h := w.Header()
	for _, e := range p.Errors {
		e.Value = short(e.Value)
	}
	p.Instance = instance(h.Get(requestHeader))
	body, _ := json.Marshal(p) // texts and numbers only: it cannot fail
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if again(p.Status) && h.Get("Retry-After") == "" {
		h.Set("Retry-After", retryAfter)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client may be gone; there is nobody to tell
}

// elsewhere answers where no route is: 405 where the path has one of another
// method, else 404.
func elsewhere(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
			if _, pattern := mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
				allowed = append(allowed, method)
			}
		}
		if len(allowed) > 0 {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			writeProblem(w, problem(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed",
				r.URL.Path+" takes "+strings.Join(allowed, ", ")+", not "+r.Method+"."))
			return
		}
		writeProblem(w, problem(http.StatusNotFound, "unknown-path", "No such path", r.Method+" "+r.URL.Path+" is not part of the API."))
	})
}

// Problem answers with a problem, for handlers beside the API's: code is its name for
// programs, detail says what happened and what to do.
func Problem(w http.ResponseWriter, status int, code, title, detail string) {
	writeProblem(w, problem(status, code, title, detail))
}
