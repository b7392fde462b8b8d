package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/contract"
)

type membersOutput struct {
	Body struct {
		Members []contract.Member `json:"members" nullable:"false"`
		Age
	}
}

// Age says of when a state is.
type Age struct {
	AsOf  time.Time `json:"asOf" doc:"Of when this is"`
	Stale bool      `json:"stale" doc:"The PBX is away: what has happened since asOf is not in this"`
}

func (s *server) age() Age {
	if s.opt.Away != nil {
		if since := s.opt.Away(); !since.IsZero() {
			return Age{since.UTC(), true}
		}
	}
	return Age{s.opt.Now().UTC(), false}
}

func (s *server) listMembers(ctx context.Context, _ *struct{}) (*membersOutput, error) {
	out := &membersOutput{}
	out.Body.Age = s.age()
	out.Body.Members = s.opt.Members(ctx)
	return out, nil
}

type placeInput struct {
	Body struct {
		SrcPhone string `json:"srcPhone" doc:"The operator's extension" maxLength:"64"`
		DstPhone string `json:"dstPhone" doc:"The number to dial for him; a tel: link, blanks, brackets and an extension behind it (;ext=12 or ,12) are understood" maxLength:"128"`
	}
}

type placeOutput struct {
	Body struct {
		CallID      string `json:"callId" doc:"Of the record to come; GET /v1/calls/{callId} says at once how the call stands"`
		DstPhone    string `json:"dstPhone" doc:"The number that is dialled"`
		DstPhoneExt string `json:"dstPhoneExt,omitempty" doc:"The extension that stood behind it: voipd does not dial it"`
	}
}

func (s *server) placeCall(ctx context.Context, in *placeInput) (*placeOutput, error) {
	number, extension := readDial(in.Body.DstPhone)
	id, err := s.opt.Originate(ctx, tokenOf(ctx), in.Body.SrcPhone, number)
	if err != nil {
		return nil, s.refused(ctx, "place a call", err)
	}
	s.orders.put(id, order{s.opt.Now(), strings.TrimSpace(in.Body.SrcPhone), number})
	out := &placeOutput{}
	out.Body.CallID, out.Body.DstPhone, out.Body.DstPhoneExt = id, number, extension
	return out, nil
}

type endInput struct {
	CallID string `path:"callId" maxLength:"256"`
}

func (s *server) endCall(ctx context.Context, in *endInput) (*struct{}, error) {
	if err := s.opt.Hangup(ctx, tokenOf(ctx), in.CallID); err != nil {
		return nil, s.refused(ctx, "end a call", err)
	}
	return nil, nil
}

// refused says why a call was not placed or ended.
func (s *server) refused(ctx context.Context, what string, err error) error {
	var refusal *contract.Refusal
	if !errors.As(err, &refusal) {
		return s.internal(ctx, what, err)
	}
	status := map[string]int{
		contract.CallsOff: http.StatusForbidden, contract.SourceRefused: http.StatusForbidden, contract.NumberRefused: http.StatusForbidden,
		contract.OperatorBusy: http.StatusConflict, contract.OperatorUnreachable: http.StatusConflict,
		contract.TooManyCalls: http.StatusTooManyRequests, contract.PBXUnreachable: http.StatusBadGateway, contract.UnknownCall: http.StatusNotFound,
	}[refusal.Code]
	return problem(status, refusal.Code, "Not done", refusal.Why)
}
