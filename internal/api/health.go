package api

import (
	"context"
	"net/http"

	"github.com/voipd/voipd/internal/contract"
)

type healthOutput struct {
	Status int
	Body   contract.Health
}

// health answers 200, or 503 where something is failing, so that a monitor
// needs no JSON.
func (s *server) health(ctx context.Context, _ *struct{}) (*healthOutput, error) {
	out := &healthOutput{Status: http.StatusOK, Body: s.opt.Health(ctx)}
	if out.Body.Status != contract.OK {
		out.Status = http.StatusServiceUnavailable
	}
	return out, nil
}
