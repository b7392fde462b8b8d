package api

import (
	"context"
	"net/http"

	"github.com/voipd/voipd/internal/contract"
)

type healthOutput struct {
	Status int
	Body   any // contract.Health, or contract.Status without a token
}

// health answers 200, or 503 where something is failing, so that a monitor
// needs no JSON. Without a token it says no more than that.
func (s *server) health(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	h := s.opt.Health(ctx)
	out := &healthOutput{Status: http.StatusOK, Body: h}
	if tokenOf(ctx) == "" {
		out.Body = contract.Status{Status: h.Status}
	}
	if h.Status != contract.OK {
		out.Status = http.StatusServiceUnavailable
	}
	return out, nil
}
