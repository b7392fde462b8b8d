package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

type listOutput struct {
	Body listBody
}

// listBody is an alias, so that the schema keeps its name.
type listBody = struct {
	Records []shown `json:"records" nullable:"false"`
	Next    string  `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
	Count   *count  `json:"count,omitempty" doc:"With count=true: how many records fit, on all pages"`
	After   *int64  `json:"after,omitempty" doc:"With after: the position to ask from the next time"`
}

// count is how many records fit.
type count struct {
	Records  int  `json:"records"`
	MoreThan bool `json:"moreThan" doc:"There are more than that: nobody counted further"`
}

// mostCounted records are counted.
const mostCounted = 10_000

func (s *server) list(ctx context.Context, in *listInput) (*listOutput, error) {
	if in.After >= 0 {
		return s.changed(ctx, in)
	}
	q, err := s.query(ctx, &in.Filters, in.Limit)
	if err != nil {
		return nil, err
	}
	fields, err := pickedFields(in.Fields)
	if err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		var ok bool
		if q.After, ok = readCursor(in.Cursor); !ok {
			return nil, badParameter("cursor", `is not the "next" of a page`, in.Cursor)
		}
	}
	list, more, err := s.opt.Records.Rows(ctx, q)
	if err != nil {
		return nil, s.internal(ctx, "list records", err)
	}
	out := &listOutput{}
	if out.Body.Records, err = s.showRows(ctx, list); err == nil && fields != nil {
		err = pickFields(out.Body.Records, *fields)
	}
	if err != nil {
		return nil, s.internal(ctx, "list records", err)
	}
	if more {
		last := list[len(list)-1]
		out.Body.Next = writeCursor(behind(&last))
	}
	if in.Count {
		n, more, err := s.opt.Records.Count(ctx, q, mostCounted)
		if err != nil {
			return nil, s.internal(ctx, "count records", err)
		}
		out.Body.Count = &count{n, more}
	}
	return out, nil
}

// pickFields leaves of each record what is asked for.
func pickFields(all []shown, fields contract.Fields) (err error) {
	for i := range all {
		if all[i], err = fields.Append(nil, all[i]); err != nil {
			return err
		}
	}
	return nil
}

// view is a record as whoever asks may see it: an admin with the paths of its
// recordings on the PBX.
func view(ctx context.Context, r record.Record) contract.Record { return viewFor(admin(ctx), r) }

func viewFor(admin bool, r record.Record) contract.Record {
	if admin {
		return contract.WithPaths(r)
	}
	return contract.FromRecord(r)
}

// changed lists the records that changed behind a position in the sequence.
func (s *server) changed(ctx context.Context, in *listInput) (*listOutput, error) {
	alone := *in
	alone.After, alone.Limit = 0, 0
	if !reflect.DeepEqual(alone, listInput{}) {
		return nil, badParameter("after", "goes with limit alone", in.After)
	}
	if _, err := s.position(ctx, in.After); err != nil {
		return nil, err
	}
	list, next, err := s.opt.Changes.ChangedRecords(ctx, in.After, in.Limit)
	if err != nil {
		return nil, s.internal(ctx, "list records", err)
	}
	out := &listOutput{}
	out.Body.Records, out.Body.After = make([]shown, len(list)), &next
	back, err := s.talksSince(ctx, missedOf(list...))
	for i, r := range list {
		v := view(ctx, r)
		if talk, is := back[r.CallID]; is {
			v.Details.Returned = contract.FromReturn(talk, r.Details.StartedAt)
		}
		var failed error
		out.Body.Records[i], failed = contract.Encode(v)
		err = errors.Join(err, failed)
	}
	if err != nil {
		return nil, s.internal(ctx, "list records", err)
	}
	return out, nil
}

type getInput struct {
	CallID string   `path:"callId" maxLength:"256"`
	PBX    []string `query:"pbx" maxLength:"64" nullable:"false" maxItems:"50" hidden:"true" doc:"At a centre: the PBX's name there"`
}

type getOutput struct{ Body contract.Record }

func (s *server) get(ctx context.Context, in *getInput) (*getOutput, error) {
	find := s.record
	if s.opt.Centre != nil {
		find = func(ctx context.Context, callID string) (record.Record, error) {
			return s.recordOf(ctx, callID, in.PBX)
		}
	}
	r, err := find(ctx, in.CallID)
	if err != nil {
		return nil, err
	}
	out := &getOutput{Body: view(ctx, r)}
	back, err := s.talksSince(ctx, missedOf(r))
	if err != nil {
		return nil, s.internal(ctx, "read record", err)
	}
	if talk, is := back[r.CallID]; is {
		out.Body.Details.Returned = contract.FromReturn(talk, r.Details.StartedAt)
	}
	return out, nil
}

// record reads a record; the error is a problem for the client.
func (s *server) record(ctx context.Context, callID string) (record.Record, error) {
	r, err := s.opt.Records.Record(ctx, callID)
	if errors.Is(err, store.ErrNotFound) {
		return r, unknownCall(callID)
	}
	if err != nil {
		return r, s.internal(ctx, "read record", err)
	}
	return r, nil
}

func unknownCall(callID string) error {
	return problem(http.StatusNotFound, "unknown-call", "No such call", "There is no record of the call "+strconv.Quote(callID)+".")
}

// behind is the place behind a row of a list.
func behind(r *store.Row) store.Cursor {
	return store.Cursor{StartedAt: r.StartedAt, CallID: r.CallID, PBX: r.PBX}
}

// writeCursor makes a text of it. A PBX, whose name has no blank, goes before the id,
// which may have any.
func writeCursor(c store.Cursor) string {
	at := strconv.FormatInt(c.StartedAt.UnixMilli(), 10)
	if c.PBX != "" {
		at += "/" + c.PBX
	}
	return base64.RawURLEncoding.EncodeToString([]byte(at + " " + c.CallID))
}

func readCursor(s string) (store.Cursor, bool) {
	text, err := base64.RawURLEncoding.DecodeString(s)
	at, id, ok := strings.Cut(string(text), " ")
	at, pbx, _ := strings.Cut(at, "/")
	ms, err2 := strconv.ParseInt(at, 10, 64)
	if err != nil || err2 != nil || !ok || id == "" {
		return store.Cursor{}, false
	}
	return store.Cursor{StartedAt: time.UnixMilli(ms).UTC(), CallID: id, PBX: pbx}, true
}

func badParameter(name, message string, value any) error {
	return &huma.ErrorModel{Type: problemType("bad-request"), Title: "Unprocessable Entity", Status: http.StatusUnprocessableEntity,
		Detail: "validation failed", Errors: []*huma.ErrorDetail{{Location: "query." + name, Message: message, Value: value}}}
}
