package centre

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
)

// The paths of edges.
const (
	shipPath  = "/v1/ship"
	hoursPath = "/v1/ship/hours"
	joinPath  = "/v1/join"
)

const (
	// packedLimit is how long a batch may be as it comes. Batches pack to a tenth.
	packedLimit = 8 << 20
	// longestHours is how much time GET /v1/ship/hours counts at once.
	longestHours = 32 * 24 * time.Hour
)

// Edges handles what edges ask for.
func (c *Centre) Edges() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+shipPath, c.ofEdge(c.servePlace))
	mux.HandleFunc("POST "+shipPath, c.ofEdge(c.serveBatch))
	mux.HandleFunc("GET "+hoursPath, c.ofEdge(c.serveHours))
	mux.HandleFunc("POST "+joinPath, c.serveJoin)
	return mux
}

// IsEdges tells whether a path is one of [Centre.Edges].
func IsEdges(path string) bool { return path == shipPath || path == hoursPath || path == joinPath }

// ofEdge lets the tokens of edges in. Whose records a request is about is told by its
// token alone.
func (c *Centre) ofEdge(serve func(http.ResponseWriter, *http.Request, edge)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := c.token(r.Context(), sha256.Sum256([]byte(bearer(r))))
		switch {
		case errors.Is(err, ErrNotFound):
			w.Header().Set("WWW-Authenticate", `Bearer realm="voipd"`)
			api.Problem(w, http.StatusUnauthorized, "unauthorised", "Unauthorised", "Send the token that voipd join wrote: Authorization: Bearer …")
		case err != nil:
			c.failed(w, r, err)
		case t.PBX == "":
			api.Problem(w, http.StatusForbidden, "scope-missing", "Scope missing", "This is no token of an edge: voipd join makes one.")
		default:
			api.Trust(r)
			serve(w, r, edge{t.Tenant, t.PBX})
		}
	}
}

func (c *Centre) servePlace(w http.ResponseWriter, r *http.Request, of edge) {
	p, err := c.place(r.Context(), of)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, p)
}

func (c *Centre) serveBatch(w http.ResponseWriter, r *http.Request, of edge) {
	b, err := readBatch(http.MaxBytesReader(w, r.Body, packedLimit), of.pbx)
	if err != nil {
		status := http.StatusUnprocessableEntity
		if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
			status = http.StatusRequestEntityTooLarge
		}
		api.Problem(w, status, "bad-request", http.StatusText(status), err.Error())
		return
	}
	place, err := c.ingest(r.Context(), of, b)
	switch {
	case errors.Is(err, errPlace):
		answer(w, http.StatusConflict, place)
	case err != nil:
		c.failed(w, r, err)
	default:
		for _, refused := range place.Refused {
			c.log.Warn("a record was refused", "tenant", of.tenant, "pbx", of.pbx, "call", refused.CallID, "reason", refused.Why)
		}
		answer(w, http.StatusOK, place)
	}
}

func (c *Centre) serveHours(w http.ResponseWriter, r *http.Request, of edge) {
	from, err := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
	to, err2 := time.Parse(time.RFC3339, r.URL.Query().Get("to"))
	if err != nil || err2 != nil || !from.Before(to) || to.Sub(from) > longestHours {
		api.Problem(w, http.StatusUnprocessableEntity, "bad-request", "Unprocessable Entity", "from and to are times of RFC 3339, at most 32 days apart.")
		return
	}
	out, err := c.hours(r.Context(), of, from, to)
	if err != nil {
		c.failed(w, r, err)
		return
	}
	answer(w, http.StatusOK, out)
}

func (c *Centre) serveJoin(w http.ResponseWriter, r *http.Request) {
	var in contract.Joining
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&in); err != nil || in.Code == "" {
		api.Problem(w, http.StatusUnprocessableEntity, "bad-request", "Unprocessable Entity", `Send {"code": "…"} as JSON.`)
		return
	}
	j, err := c.join(r.Context(), in.Code)
	switch {
	case errors.Is(err, ErrNotFound):
		api.Problem(w, http.StatusForbidden, "code-refused", "Code refused", "There is no such code, or it was used, or a day has passed. voipd centre edge add makes another.")
	case err != nil:
		c.failed(w, r, err)
	default:
		c.log.Info("an edge has joined", "tenant", j.Tenant, "pbx", j.PBX)
		answer(w, http.StatusOK, j)
	}
}

// failed answers what is not the client's fault: it comes again.
func (c *Centre) failed(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
		return // the client is gone
	}
	c.log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	api.Problem(w, http.StatusServiceUnavailable, "internal", "Not now", "The centre could not do it now; its log says why. Come again.")
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := contract.Encode(body)
	if err != nil { // its times are checked
		api.Problem(w, http.StatusInternalServerError, "internal", "Internal error", "The answer cannot be written.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may be gone; there is nobody to tell
}
