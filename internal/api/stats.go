package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// Figures of a time: how many calls, how many answered, how fast, by whom.

const (
	statsPath    = "/v1/stats"
	statsCSVPath = "/v1/stats.csv"
	// longestStats is how long a time figures may be asked for.
	longestStats = 10 * 366 * 24 * time.Hour
	// usualDays are those of which figures are where nobody says from when.
	usualDays = 7
)

func (s *server) statsRoutes(api huma.API) {
	huma.Register(api, huma.Operation{OperationID: "get-stats", Method: http.MethodGet, Path: statsPath,
		Summary: "Figures of a time, and of as long a time before"}, s.stats)
	huma.Register(api, huma.Operation{OperationID: "export-stats-csv", Method: http.MethodGet, Path: statsCSVPath,
		Summary: "The same as CSV; GET /v1/stats with Accept: text/csv gives it, too", Responses: map[string]*huma.Response{"200": {Description: "Figures", Content: map[string]*huma.MediaType{csvType: {}}}}}, s.statsCSV)
}

type statsInput struct {
	Filters
	Zone string `query:"zone" maxLength:"64" doc:"Of hours and days, and of from and to without an offset, such as Europe/Moscow; without it http.zone"`
}

func (s *server) stats(ctx context.Context, in *statsInput) (*struct{ Body contract.Figures }, error) {
	out, err := s.figures(ctx, in)
	if err != nil {
		return nil, err
	}
	return &struct{ Body contract.Figures }{out}, nil
}

// figures counts; the error is a problem for the client.
func (s *server) figures(ctx context.Context, in *statsInput) (out contract.Figures, err error) {
	zone := s.opt.Zone
	if in.Zone != "" {
		if zone, err = time.LoadLocation(in.Zone); err != nil || in.Zone == "Local" {
			return out, badParameter("zone", "is no time zone; such are Europe/Moscow and UTC", in.Zone)
		}
	}
	if in.Sort != "" || in.CallID != "" {
		return out, badParameter("sort", "and callId pick no figures", in.Sort+in.CallID)
	}
	q, err := s.queryIn(ctx, &in.Filters, 0, zone)
	if err != nil {
		return out, err
	}
	now := s.opt.Now().In(zone)
	if q.To.IsZero() {
		q.To = now
	}
	if q.From.IsZero() {
		q.From = time.Date(q.To.In(zone).Year(), q.To.In(zone).Month(), q.To.In(zone).Day()-usualDays+1, 0, 0, 0, 0, zone)
	}
	switch lasts := q.To.Sub(q.From); {
	case lasts <= 0:
		return out, badParameter("from", "must be earlier than to, or than now", in.From)
	case lasts > longestStats:
		return out, badParameter("from", "is more than ten years before to", in.From)
	}
	f, err := s.opt.Figures.Figures(ctx, q, zone)
	if err != nil {
		return out, s.internal(ctx, "count records", err)
	}
	return showFigures(&f, &q, zone), nil
}

func showFigures(f *store.Figures, q *store.Query, zone *time.Location) contract.Figures {
	lasts := q.To.Sub(q.From)
	out := contract.Figures{Zone: zone.String(), Total: total(f.Total, q.From, q.To), Before: total(f.Before, q.From.Add(-lasts), q.From),
		Operators: named(f.Operators), Queues: named(f.Queues), DIDs: named(f.DIDs), Waits: []contract.Wait{}}
	for hour, t := range f.Hours {
		out.Hours = append(out.Hours, contract.HourTally{Hour: hour, Tally: tally(t)})
	}
	for _, d := range f.Days {
		out.Days = append(out.Days, contract.DayTally{Day: d.Name, Tally: tally(d.Tally)})
	}
	for _, w := range f.Waits {
		out.Waits = append(out.Waits, contract.Wait{CallID: w.Row.CallID, SrcPhone: w.Row.SrcPhone, DstPhone: w.Row.DstPhone, StartedAt: w.Row.StartedAt,
			WaitMS: w.Wait.Milliseconds(), Disposition: string(w.Row.Disposition)})
	}
	return out
}

func tally(t store.Tally) contract.Tally {
	return contract.Tally{Calls: t.Calls, Answered: t.Answered, In: t.In, InAnswered: t.InAnswered, Out: t.Out, OutAnswered: t.OutAnswered, TalkSeconds: t.TalkSeconds}
}

func total(t store.Tally, from, to time.Time) contract.Total {
	out := contract.Total{From: from.UTC(), To: to.UTC(), Tally: tally(t), AnswerMedianMS: t.Median.Milliseconds(), AnswerP90MS: t.P90.Milliseconds()}
	if t.In > 0 {
		share := math.Round(float64(t.InAnswered)/float64(t.In)*10_000) / 10_000
		out.AnsweredShare = &share
	}
	return out
}

func named(all []store.Named) []contract.NamedTally {
	out := make([]contract.NamedTally, len(all))
	for i, n := range all {
		out[i] = contract.NamedTally{Name: n.Name, Tally: tally(n.Tally)}
	}
	return out
}

// statsCSV gives figures as lines: what they are of, and the tally.
func (s *server) statsCSV(ctx context.Context, in *statsInput) (*huma.StreamResponse, error) {
	f, err := s.figures(ctx, in)
	if err != nil {
		return nil, err
	}
	if masked(ctx) {
		for _, all := range [][]contract.NamedTally{f.Operators, f.Queues} {
			for i := range all {
				all[i].Name = contract.MaskText(all[i].Name)
			}
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		hc.SetHeader("Content-Type", csvType+"; charset=utf-8")
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetHeader("Vary", "Accept")
		buffered := bufio.NewWriter(w)
		out := csv.NewWriter(buffered)
		err := out.WriteAll(statsLines(&f))
		if err == nil {
			err = buffered.Flush()
		}
		if err != nil {
			s.opt.Log.Warn("an export of figures was cut", "error", err)
			panic(http.ErrAbortHandler) // net/http's way to cut a connection
		}
	}}, nil
}

func statsLines(f *contract.Figures) [][]string {
	out := [][]string{{"of", "name", "calls", "answered", "in", "inAnswered", "out", "outAnswered", "talkSeconds", "answerMedianMs", "answerP90Ms"}}
	line := func(of, name string, t contract.Tally, more ...int64) {
		cells := []string{of, inert(name)}
		for _, n := range append([]int64{int64(t.Calls), int64(t.Answered), int64(t.In), int64(t.InAnswered), int64(t.Out), int64(t.OutAnswered), t.TalkSeconds}, more...) {
			cells = append(cells, strconv.FormatInt(n, 10))
		}
		for len(cells) < len(out[0]) {
			cells = append(cells, "")
		}
		out = append(out, cells)
	}
	for _, t := range []struct {
		of string
		contract.Total
	}{{"total", f.Total}, {"before", f.Before}} {
		line(t.of, stamp(t.From)+"/"+stamp(t.To), t.Tally, t.AnswerMedianMS, t.AnswerP90MS)
	}
	for _, h := range f.Hours {
		line("hour", strconv.Itoa(h.Hour), h.Tally)
	}
	for _, d := range f.Days {
		line("day", d.Day, d.Tally)
	}
	for _, all := range []struct {
		of   string
		list []contract.NamedTally
	}{{"operator", f.Operators}, {"queue", f.Queues}, {"did", f.DIDs}} {
		for _, n := range all.list {
			line(all.of, n.Name, n.Tally)
		}
	}
	return out
}
