package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Persons to call back: who called, whom nobody answered, and whom nobody has talked
// with since (docs/missed.md).

const missedPath = "/v1/missed"

func (s *server) missedRoutes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "list-missed", Method: http.MethodGet, Path: missedPath,
		Summary: "Persons to call back: who called, whom nobody answered and nobody has talked with since; who called last first"}, s.missed)
	huma.Register(api, huma.Operation{OperationID: "dismiss-missed", Method: http.MethodPost, Path: missedPath + "/{number}/dismiss",
		Summary: "Say that a person need not be called back, until the next call that nobody answers", DefaultStatus: http.StatusNoContent, MaxBodyBytes: bodyLimit}, s.dismiss)
}

type missedInput struct {
	From   string `query:"from" maxLength:"64" doc:"Calls that began at this time or later, written as in /v1/records; without it the last seven days"`
	To     string `query:"to" maxLength:"64" doc:"How it stood at this time: calls that began before it; without it now"`
	Count  bool   `query:"count" doc:"Count the persons"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many persons at the most"`
	Cursor string `query:"cursor" maxLength:"512" doc:"\"next\" of the page before, with the same from and to"`
}

type missedOutput struct {
	Body struct {
		Missed []contract.Missed `json:"missed" nullable:"false"`
		Next   string            `json:"next,omitempty" doc:"Cursor of the next page; absent on the last one"`
		Count  *int              `json:"count,omitempty" doc:"With count=true: how many persons there are, on all pages"`
	}
}

// missedWindow is the time whose calls count; the error is a problem for the client.
func (s *server) missedWindow(ctx context.Context, from, to string) (q store.MissedQuery, err error) {
	span, err := s.query(ctx, &Filters{From: from, To: to}, 0)
	if q.From, q.To = span.From, span.To; q.To.IsZero() {
		q.To = s.opt.Now().Add(time.Hour) // the PBX's clock may be before ours
	}
	if q.From.IsZero() {
		q.From = s.opt.Now().Add(-store.MissedFor)
		if q.From.After(q.To) {
			q.From = q.To.Add(-store.MissedFor)
		}
	}
	return q, err
}

func (s *server) missed(ctx context.Context, in *missedInput) (*missedOutput, error) {
	q, err := s.missedWindow(ctx, in.From, in.To)
	if err != nil {
		return nil, err
	}
	q.Limit = in.Limit
	if in.Cursor != "" {
		var ok bool
		if q.After, ok = readCursor(in.Cursor); !ok {
			return nil, badParameter("cursor", `is not the "next" of a page`, in.Cursor)
		}
	}
	list, more, err := s.opt.CallBacks.Missed(ctx, q)
	if err != nil {
		return nil, s.internal(ctx, "list missed calls", err)
	}
	out := &missedOutput{}
	out.Body.Missed = make([]contract.Missed, len(list))
	for i := range list {
		last, err := list[i].Last.Whole()
		if err != nil {
			return nil, s.internal(ctx, "list missed calls", err)
		}
		out.Body.Missed[i] = contract.FromMissed(list[i].Missed, last)
	}
	if more {
		last := list[len(list)-1]
		out.Body.Next = writeCursor(store.Cursor{StartedAt: last.LastAt, CallID: last.LastID})
	}
	if in.Count {
		n, err := s.opt.CallBacks.CountMissed(ctx, q)
		if err != nil {
			return nil, s.internal(ctx, "count missed calls", err)
		}
		out.Body.Count = &n
	}
	return out, nil
}

type dismissInput struct {
	Number string `path:"number" maxLength:"256" doc:"The person's number in any spelling, or lastCallId of the line that was seen: then a later call stays to be returned"`
	Body   struct {
		Note string `json:"note,omitempty" maxLength:"500" doc:"Why; it is kept, and told by missed.dismissed"`
	}
}

func (s *server) dismiss(ctx context.Context, in *dismissInput) (*struct{}, error) {
	now := s.opt.Now()
	d := store.Dismissal{Who: in.Number, By: tokenOf(ctx), Note: in.Body.Note, At: now}
	if masked(ctx) {
		if _, err := s.record(ctx, in.Number); err != nil {
			return nil, numbersMasked("Name the line by its lastCallId.")
		}
	}
	// What is on a list of any window can be taken off it.
	err := s.opt.CallBacks.Dismiss(ctx, d, time.Time{}, now.Add(time.Hour), func(m record.Missed, last record.Record) store.Change {
		return store.Change{At: now, Kind: contract.MissedDismissed, CallID: m.LastID,
			Body: contract.TellDismissed(m, last, contract.Dismissed{At: now.UTC(), By: d.By, Note: d.Note})}
	})
	if errors.Is(err, store.ErrNotMissed) {
		return nil, problem(http.StatusNotFound, "not-missed", "Nobody to call back", "Nobody waits to be called back there: somebody talked with the caller, or it was dismissed.")
	}
	if err != nil {
		return nil, s.internal(ctx, "dismiss a missed call", err)
	}
	return nil, nil
}

// missedOf are the ids of calls from outside that nobody answered.
func missedOf(all ...record.Record) (ids []string) {
	for _, r := range all {
		if r.Direction == record.In && r.Disposition != record.Answered {
			ids = append(ids, r.CallID)
		}
	}
	return ids
}
