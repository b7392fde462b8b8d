package ari

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answerBound bounds a REST answer: 20,000 channels have some 15 MB.
const answerBound = 64 << 20

// Endpoint is an endpoint of the PBX, as ARI tells of it.
type Endpoint struct {
	Technology string   `json:"technology"` // "PJSIP"
	Resource   string   `json:"resource"`   // "101"
	State      string   `json:"state"`      // online, offline, unknown
	Channels   []string `json:"channel_ids"`
}

// Endpoints lists the PBX's endpoints. Any goroutine may call it, whether the
// event websocket is up or not.
func (c *Client) Endpoints(ctx context.Context) ([]Endpoint, error) {
	var all []Endpoint
	return all, c.get(ctx, "/endpoints", &all)
}

// Post sends a POST with a body that is written as JSON. The error says what
// the PBX answered. Any goroutine may call it.
func (c *Client) Post(ctx context.Context, path string, query url.Values, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write ARI request: %w", err)
	}
	return c.do(ctx, http.MethodPost, path, query, text, nil)
}

// Delete sends a DELETE; what is not there any more is no error.
func (c *Client) Delete(ctx context.Context, path string) error {
	return c.do(ctx, http.MethodDelete, path, nil, nil, nil)
}

// get asks for a list. The whole list comes in one answer; asking for each
// channel would tell of different moments.
func (c *Client) get(ctx context.Context, path string, into any) error {
	return c.do(ctx, http.MethodGet, path, nil, nil, into)
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, into any) error {
	u := *c.base
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/")+path, ""
	u.RawQuery = query.Encode()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ask ARI for %s: %w", path, err)
	}
	request.SetBasicAuth(c.opt.Username, c.opt.Password)
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask ARI for %s: %w", path, err)
	}
	defer answer.Body.Close()
	if method == http.MethodDelete && answer.StatusCode == http.StatusNotFound {
		return nil
	}
	if answer.StatusCode/100 != 2 {
		var said struct{ Message string }
		_ = json.NewDecoder(io.LimitReader(answer.Body, 4096)).Decode(&said) // the status says enough without it
		return fmt.Errorf("ask ARI for %s: the PBX answers %s %s", path, answer.Status, said.Message)
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, answerBound)).Decode(into); err != nil {
		return fmt.Errorf("ask ARI for %s: %w", path, err)
	}
	return nil
}
