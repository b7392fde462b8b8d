package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"mime"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Facts is what the API reads of the facts from which records were made: a
// [store.Journals].
type Facts interface {
	Trace(ctx context.Context, callID string) ([]record.Event, error)
	Quarantined(ctx context.Context, callID string) (facts []record.Event, unreadable []string, q store.Quarantine, err error)
}

func (s *server) factsRoutes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "export-facts", Method: http.MethodGet, Path: "/v1/records/{callId}/facts",
		Summary:   "The facts from which a record was made, as voipd export writes them: JSON lines that voipd replay reads",
		Responses: map[string]*huma.Response{"200": {Description: "A trace", Content: map[string]*huma.MediaType{ndjsonType: {}}}}}, s.exportFacts)
}

type factsInput struct {
	CallID    string `path:"callId" maxLength:"256"`
	Disguised bool   `query:"disguised" doc:"With numbers and names replaced, the same ones by the same ones: for a bug report"`
}

type factsOutput struct {
	ContentType  string `header:"Content-Type"`
	Disposition  string `header:"Content-Disposition"`
	Unreadable   string `header:"X-Facts-Unreadable" doc:"How many facts that were set aside cannot be read and are not among these; absent: none"`
	CacheControl string `header:"Cache-Control"`
	Body         []byte
}

// exportFacts gives a call's trace. It is whole in memory: a call has some dozens of
// facts, and the longest some ten thousands.
func (s *server) exportFacts(ctx context.Context, in *factsInput) (*factsOutput, error) {
	switch {
	case !admin(ctx):
		return nil, problem(http.StatusForbidden, "scope-missing", "Scope missing", "This token needs the scope "+contract.ScopeAdmin+" for that, beside "+contract.ScopeRecords+".")
	case masked(ctx):
		return nil, numbersMasked("Facts have numbers in whole; they are for another token.")
	}
	events, unreadable, err := s.facts(ctx, in.CallID)
	if err != nil {
		return nil, err
	}
	if in.Disguised {
		key := make([]byte, 32)
		rand.Read(key)
		disguise := trace.NewDisguise(key)
		for i := range events {
			events[i] = disguise.Event(events[i])
		}
	}
	var b bytes.Buffer
	if err := trace.Write(&b, in.CallID, events); err != nil {
		return nil, s.internal(ctx, "write the facts of a call", err)
	}
	out := &factsOutput{ContentType: ndjsonType, CacheControl: "no-store", Body: b.Bytes(),
		Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": in.CallID + ".trace"})}
	if unreadable > 0 {
		out.Unreadable = strconv.Itoa(unreadable)
	}
	return out, nil
}

// facts are those of a call that were set aside, or else those that made its record.
// The facts of a call that went into another stand with that one.
func (s *server) facts(ctx context.Context, callID string) (all []record.Event, unreadable int, err error) {
	aside, lost, _, err := s.opt.Facts.Quarantined(ctx, callID)
	if err != nil {
		return nil, 0, s.internal(ctx, "read the facts of a call", err)
	}
	if len(aside) > 0 {
		return aside, len(lost), nil
	}
	r, err := s.record(ctx, callID)
	if err != nil {
		return nil, 0, err
	}
	from := callID
	if r.Details.MergedInto != "" {
		from = r.Details.MergedInto
	}
	all, err = s.opt.Facts.Trace(ctx, from)
	if errors.Is(err, store.ErrNotFound) {
		return nil, 0, problem(http.StatusGone, "facts-gone", "Facts gone",
			"The facts of the call "+strconv.Quote(callID)+" are not kept any more (store.keep_traces), or CEL or CDR told it.")
	}
	if err != nil {
		return nil, 0, s.internal(ctx, "read the facts of a call", err)
	}
	return all, len(lost), nil
}
