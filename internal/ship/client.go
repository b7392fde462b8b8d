package ship

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// Errors that an answer of the centre is.
var (
	errPlace  = errors.New("the centre has another place of this PBX")
	errDouble = errors.New("another voipd ships as this PBX with the same token: give each PBX an edge of its own (voipd centre edge add)")
	errUnfit  = errors.New("the centre does not take the batch as it is")
)

// answerError is an answer that is no success.
type answerError struct {
	status int
	detail string
	after  time.Duration // how long the centre wants us to wait; 0: it does not say
}

func (e *answerError) Error() string {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Sprintf("the centre refuses the token of this edge (HTTP %d): join again (voipd join) by a code that voipd centre edge add prints", e.status)
	}
	return fmt.Sprintf("the centre answers HTTP %d: %s", e.status, e.detail)
}

func (e *answerError) Is(target error) bool {
	return target == errUnfit && (e.status == http.StatusUnprocessableEntity || e.status == http.StatusRequestEntityTooLarge)
}

// line is a record as it is shipped.
func line(row *store.Row) ([]byte, error) {
	known := contract.WithPaths(row.Known())
	text, err := json.Marshal(contract.ShipRecord{CallID: row.CallID, StartedAt: row.StartedAt, Direction: known.Direction, Disposition: known.Disposition,
		SrcPhone: row.SrcPhone, SrcPhoneExt: row.SrcPhoneExt, DstPhone: row.DstPhone, DstPhoneExt: row.DstPhoneExt, Duration: row.Duration,
		Details: json.RawMessage(row.Text), Recordings: known.Details.Recordings})
	if err != nil {
		return nil, fmt.Errorf("read record %s: %w", row.CallID, err)
	}
	return text, nil
}

// pack makes a batch's body.
func (t *trip) pack(head *contract.ShipHead, rows []store.Row) ([]byte, error) {
	text, err := json.Marshal(head)
	if err != nil {
		return nil, fmt.Errorf("write the head of a batch: %w", err)
	}
	for i := range rows {
		one, err := line(&rows[i])
		if err != nil {
			t.refused(rows[i].CallID, err.Error())
			continue
		}
		text = append(append(text, '\n'), one...)
	}
	text = append(text, '\n')
	if len(text) > contract.MostShippedBytes {
		return nil, fmt.Errorf("%w: it has %d bytes", errUnfit, len(text))
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("pack a batch: %w", err)
	}
	return z.EncodeAll(text, nil), nil
}

// postBatch sends a batch and gives the place behind it.
func (t *trip) postBatch(ctx context.Context, head *contract.ShipHead, rows []store.Row) (p contract.Place, err error) {
	body, err := t.pack(head, rows)
	if err != nil {
		return p, err
	}
	status, err := t.ask(ctx, http.MethodPost, "/v1/ship", body, &p)
	switch {
	case err != nil:
		return p, fmt.Errorf("ship to the centre: %w", err)
	case status == http.StatusConflict:
		return p, errPlace
	case p.ID != head.ID:
		return p, errDouble
	}
	return p, nil
}

func (s *Shipper) getPlace(ctx context.Context) (p contract.Place, err error) {
	if _, err = s.ask(ctx, http.MethodGet, "/v1/ship", nil, &p); err != nil {
		return p, fmt.Errorf("ask the centre for its place: %w", err)
	}
	return p, nil
}

func (s *Shipper) getHours(ctx context.Context, from, to time.Time) (h contract.ShipHours, err error) {
	q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	if _, err = s.ask(ctx, http.MethodGet, "/v1/ship/hours?"+q.Encode(), nil, &h); err != nil {
		return h, fmt.Errorf("ask the centre for its hours: %w", err)
	}
	return h, nil
}

// answerLimit bounds what is read of an answer.
const answerLimit = 1 << 20

// ask does one request. A success and a conflict are read into out.
func (s *Shipper) ask(ctx context.Context, method, path string, body []byte, out any) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(s.opt.Address, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	token, err := s.opt.Token()
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-ndjson")
		req.Header.Set("Content-Encoding", "zstd")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, answerLimit))
	if err != nil {
		return 0, fmt.Errorf("read the centre's answer: %w", err)
	}
	if res.StatusCode == http.StatusOK || res.StatusCode == http.StatusConflict {
		if err := json.Unmarshal(text, out); err != nil {
			return 0, fmt.Errorf("read the centre's answer: %w", err)
		}
		return res.StatusCode, nil
	}
	var problem struct{ Detail string }
	_ = json.Unmarshal(text, &problem) // a proxy's page is no problem in JSON
	refusal := &answerError{status: res.StatusCode, detail: problem.Detail}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
		refusal.after = time.Duration(seconds) * time.Second
	}
	return res.StatusCode, refusal
}
