package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/voipd/voipd/internal/contract"
)

type membersOutput struct {
	Body struct {
		Members []contract.Member `json:"members" nullable:"false"`
	}
}

func (s *server) listMembers(ctx context.Context, _ *struct{}) (*membersOutput, error) {
	out := &membersOutput{}
	out.Body.Members = s.opt.Members(ctx)
	return out, nil
}

type placeInput struct {
	Body struct {
		SrcPhone string `json:"srcPhone" doc:"The operator's extension" maxLength:"64"`
		DstPhone string `json:"dstPhone" doc:"The number to dial for him" maxLength:"64"`
	}
}

type placeOutput struct {
	Body struct {
		CallID string `json:"callId" doc:"Of the record to come"`
	}
}

func (s *server) placeCall(ctx context.Context, in *placeInput) (*placeOutput, error) {
	id, err := s.opt.Originate(ctx, tokenOf(ctx), in.Body.SrcPhone, in.Body.DstPhone)
	if err != nil {
		return nil, s.refused("place a call", err)
	}
	out := &placeOutput{}
	out.Body.CallID = id
	return out, nil
}

type endInput struct {
	CallID string `path:"callId" maxLength:"200"`
}

func (s *server) endCall(ctx context.Context, in *endInput) (*struct{}, error) {
	if err := s.opt.Hangup(ctx, tokenOf(ctx), in.CallID); err != nil {
		return nil, s.refused("end a call", err)
	}
	return nil, nil
}

// refused says why a call was not placed or ended.
func (s *server) refused(what string, err error) error {
	var refusal *contract.Refusal
	if !errors.As(err, &refusal) {
		return s.internal(what, err)
	}
	status := map[string]int{
		contract.CallsOff: http.StatusForbidden, contract.SourceRefused: http.StatusForbidden, contract.NumberRefused: http.StatusForbidden,
		contract.OperatorBusy: http.StatusConflict, contract.OperatorUnreachable: http.StatusConflict,
		contract.TooManyCalls: http.StatusTooManyRequests, contract.PBXUnreachable: http.StatusBadGateway, contract.UnknownCall: http.StatusNotFound,
	}[refusal.Code]
	return problem(status, refusal.Code, "Not done", refusal.Why)
}
