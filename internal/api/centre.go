package api

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Centre is what makes an API that of a centre. Records and Changes of [Options] then
// are those of the tenant that [TenantOf] tells.
type Centre struct {
	// Token gives the token of a hash; nil: there is none.
	Token func(ctx context.Context, hash [sha256.Size]byte) (*Token, error)
	// PBXs lists those of the tenant.
	PBXs func(context.Context) ([]contract.PBX, error)
	// SessionKey keys sessions and tickets, so that every process of the centre knows
	// them.
	SessionKey []byte
}

type pbxsOutput struct {
	Body struct {
		PBXs []contract.PBX `json:"pbxs" nullable:"false"`
	}
}

// centreRoutes are those that a centre alone has, and what it says where a PBX's voipd
// has others.
func (s *server) centreRoutes(api huma.API, mux *http.ServeMux) {
	huma.Register(api, huma.Operation{OperationID: "list-pbxs", Method: http.MethodGet, Path: "/v1/pbxs",
		Summary: "The PBXs of the tenant, and how far their records are here"}, s.listPBXs)
	for _, pattern := range []string{"/v1/calls", "/v1/calls/", "/v1/members", "/v1/call-link", "/v1/webhooks", "/v1/webhooks/", "/v1/missed", "/v1/missed/", "/v1/stats", "/v1/stats.csv"} {
		mux.HandleFunc(pattern, notHere)
	}
}

// notHere answers where only the voipd beside the PBX can do what is asked for.
func notHere(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/v1/call-link" {
		writeProblem(w, problem(http.StatusNotImplemented, "recording-at-edge", "Recording at the PBX",
			"The recording is at the voipd beside the PBX, which gives links to it; the centre has the record alone."))
		return
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1/"), "/")
	writeProblem(w, problem(http.StatusNotImplemented, "not-at-centre", "Not at the centre",
		"A centre has no /v1/"+path+": ask the voipd beside the PBX. GET /v1/pbxs lists the PBXs."))
}

func (s *server) listPBXs(ctx context.Context, _ *struct{}) (*pbxsOutput, error) {
	all, err := s.opt.Centre.PBXs(ctx)
	if err != nil {
		return nil, s.internal(ctx, "list PBXs", err)
	}
	out := &pbxsOutput{}
	out.Body.PBXs = append([]contract.PBX{}, all...)
	return out, nil
}

// recordOf is record at a centre, where two PBXs may have calls of the same id.
func (s *server) recordOf(ctx context.Context, callID string, pbxs []string) (r record.Record, err error) {
	list, _, err := s.opt.Records.Rows(ctx, store.Query{CallID: callID, PBXs: pbxs, Limit: 2})
	switch {
	case err != nil:
		return r, s.internal(ctx, "read record", err)
	case len(list) == 0:
		return r, unknownCall(callID)
	case len(list) > 1:
		return r, problem(http.StatusConflict, "several-calls", "Several calls",
			fmt.Sprintf("The PBXs %s and %s both have a call of the id %q: say by pbx= which is meant.", list[0].PBX, list[1].PBX, callID))
	}
	if r, err = list[0].Whole(); err != nil {
		return r, s.internal(ctx, "read record", err)
	}
	return r, nil
}
