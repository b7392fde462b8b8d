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

	"github.com/CyCoreSystems/ari/v6"
)

// answerBound bounds a REST answer in bytes: 20,000 channels take some 15 MB.
// A longer answer is cut there, and so is no JSON.
const answerBound = 64 << 20

// Endpoints lists the PBX's endpoints. ARI tells their state (online, offline,
// unknown) and their channels, but neither how they log in nor their context.
// The error says what the PBX answered. Any goroutine may call it, whether the
// event websocket is up or not.
func (c *Client) Endpoints(ctx context.Context) ([]ari.EndpointData, error) {
	var all []ari.EndpointData
	return all, c.do(ctx, http.MethodGet, "/endpoints", nil, &all)
}

// Originate makes a channel and rings it; when it is answered it goes where the
// request says. It returns when the PBX has taken the order, before anybody
// answers. A Timeout of 0 is the PBX's own, 30 seconds. The error says what the PBX
// answered, and of a user that may only read what to change in ari.conf. Any
// goroutine may call it, whether the event websocket is up or not.
func (c *Client) Originate(ctx context.Context, request ari.OriginateRequest) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("write ARI request: %w", err)
	}
	return c.do(ctx, http.MethodPost, "/channels", body, nil)
}

// Hangup ends a channel, by its id. One that is gone already is no error;
// errors are else those of [Client.Originate]. Any goroutine may call it,
// whether the event websocket is up or not.
func (c *Client) Hangup(ctx context.Context, channelID string) error {
	err := c.do(ctx, http.MethodDelete, "/channels/"+url.PathEscape(channelID), nil, nil)
	if refused, ok := err.(*refusal); ok && refused.code == http.StatusNotFound {
		return nil
	}
	return err
}

// do sends one request; path is escaped. A list comes whole in one answer:
// asking for each channel would tell of different moments.
func (c *Client) do(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.base.String(), "/")+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("ARI %s %s: %w", method, path, err)
	}
	request.SetBasicAuth(c.opt.Username, c.secret())
	if len(body) > 0 {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ARI %s %s: %w", method, path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		var said struct{ Message string }
		_ = json.NewDecoder(io.LimitReader(answer.Body, 4096)).Decode(&said) // the status says enough without it
		return &refusal{method: method, path: path, status: answer.Status, code: answer.StatusCode, message: said.Message, user: c.opt.Username}
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, answerBound)).Decode(into); err != nil {
		return fmt.Errorf("ARI %s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// refusal is an answer of the PBX that is not a success.
type refusal struct {
	method, path string
	status       string // "403 Forbidden"
	code         int
	message      string // in the PBX's words, or empty
	user         string // the section of ari.conf
}

// Error says what was asked, what the PBX answered, and what to change where.
func (r *refusal) Error() string {
	text := fmt.Sprintf("ARI %s %s: the PBX answers %s", r.method, r.path, r.status)
	if r.message != "" {
		text += " (" + r.message + ")"
	}
	if advice := r.advice(); advice != "" {
		text += ": " + advice
	}
	return text
}

// advice says what to change for an answer that comes of the configuration:
// res_ari answers 401 to a wrong user or password, and 403 to a user that may
// only read and asks for something else.
func (r *refusal) advice() string {
	switch {
	case r.code == http.StatusUnauthorized:
		return fmt.Sprintf("ari.conf has no user [%s] with this password; give the section [%s] type = user and voipd's password", r.user, r.user)
	case r.code == http.StatusForbidden && r.method != http.MethodGet:
		return fmt.Sprintf("this user may only read; set read_only = no in the section [%s] of ari.conf, then module reload res_ari.so", r.user)
	case r.code == http.StatusForbidden:
		return fmt.Sprintf("look at the section [%s] of ari.conf, and at http.conf", r.user)
	case r.code == http.StatusNotFound && r.method == http.MethodGet:
		return "is enabled = yes in [general] of ari.conf, and does the address have the prefix of http.conf?"
	}
	return ""
}
