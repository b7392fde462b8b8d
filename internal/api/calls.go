package api

import (
	"context"

	"github.com/voipd/voipd/internal/contract"
)

type callsOutput struct {
	Body struct {
		Calls []contract.OpenCall `json:"calls" nullable:"false"`
		After int64               `json:"after" doc:"GET /v1/events?after= this goes on from here"`
		Age
	}
}

func (s *server) calls(context.Context, *struct{}) (*callsOutput, error) {
	open, last := s.opt.Live()
	out := &callsOutput{}
	out.Body.Age = s.age()
	out.Body.Calls, out.Body.After = make([]contract.OpenCall, len(open)), last
	for i, l := range open {
		out.Body.Calls[i] = contract.FromLive(l)
	}
	return out, nil
}
