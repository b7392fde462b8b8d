package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/gorilla/websocket"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

const (
	// streams is how many readers of the live stream there may be at once; a
	// further one is told to come again later.
	streams = 200
	// page is how many changes are read and written at once.
	page = 100
	// beat is how often a quiet stream shows that it is alive.
	beat = 15 * time.Second
	// patience is how long a reader may take for a page. One that takes longer
	// is cut; the sequence waits for it on the disk.
	patience = 10 * time.Second
)

type eventsInput struct {
	After       int64  `query:"after" minimum:"-1" default:"-1" doc:"Go on behind this position in the sequence. 0: from the oldest that is kept; absent: from now"`
	Ticket      string `query:"ticket" maxLength:"128" doc:"Of POST /v1/tickets, where Authorization cannot be sent: EventSource and WebSocket of a browser"`
	LastEventID string `header:"Last-Event-ID" doc:"The same, as browsers send it; it goes before after"`
}

// events begins a stream. What can be wrong is told before it begins.
func (s *server) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	from := in.After
	if in.LastEventID != "" {
		var err error
		if from, err = strconv.ParseInt(in.LastEventID, 10, 64); err != nil || from < 0 {
			return nil, problem(http.StatusUnprocessableEntity, "bad-request", "Unprocessable Entity", "Last-Event-ID is not the id of an event.")
		}
	}
	after, err := s.position(ctx, from)
	if err != nil {
		return nil, err
	}
	instance, err := s.opt.Changes.Instance(ctx)
	if err != nil {
		return nil, s.internal(ctx, "read the changes", err)
	}
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, problem(http.StatusServiceUnavailable, "too-many-streams", "Too many streams",
			fmt.Sprintf("%d readers follow the events already. Come again later.", streams))
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { <-s.streams }()
		r, w := humago.Unwrap(hc)
		if r.Method == http.MethodHead {
			hc.SetHeader("Content-Type", "text/event-stream")
			return
		}
		f := follower{server: s, after: after, instance: instance, masked: masked(r.Context()), token: tokenIn(r.Context())}
		if websocket.IsWebSocketUpgrade(r) {
			s.socket(w, r, &f)
			return
		}
		s.sse(w, r, &f)
	}}, nil
}

// position is where in the sequence to go on: from, or, for -1, its end. It is a
// problem where something behind from is not kept any more.
func (s *server) position(ctx context.Context, from int64) (int64, error) {
	span, err := s.opt.Changes.Span(ctx)
	switch {
	case err != nil:
		return 0, s.internal(ctx, "read the changes", err)
	case from < 0:
		return span.Last, nil
	case from == 0:
		return span.First - 1, nil
	case !span.Follows(from):
		return 0, gap(from, span)
	}
	return from, nil
}

func gap(from int64, span store.Span) error {
	return problem(http.StatusGone, "events-gone", "Events gone", fmt.Sprintf(
		"The events behind %d are not kept: the oldest is %d, the latest %d. Read the records of that time (GET /v1/records?from=), then go on with after=%d.",
		from, span.First, span.Last, span.Last))
}

// The reasons for which a stream ends.
const (
	endGone = "the events behind the last one are not kept any more"
	endHalt = "voipd stops"
	endSlow = "the reader is too slow"
	endRead = "the events cannot be read"
	endPass = "the token is none any more, or has other scopes"
)

// follower tells the changes behind a position to one reader. It reads them from
// the disk, page by page, so that a reader costs no memory however slow he is.
type follower struct {
	*server
	after    int64
	instance string
	masked   bool
	token    *Token
	tell     func([]store.Change) error // writes a page; an error ends the stream
	alive    func() error               // shows a sign of life
}

// run tells until ctx ends, the reader does not take it, or the program stops.
// It gives the reason; empty: the reader left.
func (f *follower) run(ctx context.Context) string {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		changed := f.opt.Changes.Changed()
		if reason, over := f.pages(ctx); over {
			return reason
		}
		select {
		case <-changed:
		case <-tick.C:
			if f.revoked(ctx) {
				return endPass
			}
			if err := f.alive(); err != nil {
				return cut(err)
			}
		case <-f.opt.Halt:
			return endHalt
		case <-ctx.Done():
			return ""
		}
	}
}

// pages tells what is there, and whether that ended the stream.
func (f *follower) pages(ctx context.Context) (reason string, over bool) {
	for {
		list, err := f.opt.Changes.Changes(ctx, f.after, page)
		switch {
		case err != nil && ctx.Err() != nil:
			return "", true
		case err != nil:
			f.opt.Log.Error("read the changes for a stream", "error", err)
			return endRead, true
		case len(list) == 0:
			return "", false
		case list[0].Seq != f.after+1:
			// Something is missing: it was erased, which is as it should be, or dropped.
			if span, err := f.opt.Changes.Span(ctx); err != nil || !span.Follows(f.after) {
				return endGone, true
			}
		}
		if f.revoked(ctx) {
			return endPass, true
		}
		read, last := len(list), list[len(list)-1].Seq
		// What is told of a webhook is for other webhooks.
		if list = slices.DeleteFunc(list, func(c store.Change) bool { return c.Kind == contract.WebhookFails }); len(list) > 0 {
			if err := f.tell(list); err != nil {
				return cut(err), true
			}
		}
		f.after = last
		if read < page {
			return "", false
		}
	}
}

// revoked tells whether the reader's token is none any more, or may see less than when the
// stream began. While tokens cannot be looked up, the stream goes on.
func (f *follower) revoked(ctx context.Context) bool {
	now, err := f.byHash(ctx, f.token.Hash)
	return err == nil && (now == nil || !now.has(contract.ScopeRecords) || now.masked() != f.masked)
}

// cut is the reason for an end after a failed write: too slow, or, where it was
// not the time that ran out, the reader left.
func cut(err error) string {
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return endSlow
	}
	return ""
}
