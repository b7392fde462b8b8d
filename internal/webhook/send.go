package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

const (
	// retryFirst and retryLast bound the wait between tries of one event; it
	// doubles with each try, and a random half of it is left out, so that what
	// failed together is not tried together.
	retryFirst, retryLast = time.Second, 10 * time.Minute
	// askedAtMost bounds the wait that an endpoint asks for by Retry-After.
	askedAtMost = time.Hour
	// excerpt is how much of an answer is kept, readAtMost how much is read so
	// that the connection can be used again.
	excerpt, readAtMost = 500, 64 << 10
)

// sender posts events to one endpoint.
type sender struct {
	endpoint Endpoint
	instance string
	sign     *standard.Webhook
	signOld  *standard.Webhook // nil: none
	client   *http.Client
}

func newSender(e Endpoint, instance string, transport http.RoundTripper) (*sender, error) {
	sign, err := signer(e.Name, e.Secret)
	if err != nil {
		return nil, err
	}
	var old *standard.Webhook
	if e.OldSecret != "" {
		if old, err = signer(e.Name, e.OldSecret); err != nil {
			return nil, err
		}
	}
	if e.Timeout == 0 {
		e.Timeout = DefaultTimeout
	}
	if e.MaxAge == 0 {
		e.MaxAge = DefaultMaxAge
	}
	if e.Body == nil {
		e.Body = Plain
	}
	if transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost, t.TLSClientConfig = parallel, &tls.Config{MinVersion: tls.VersionTLS12}
		transport = t
	}
	return &sender{endpoint: e, instance: instance, sign: sign, signOld: old, client: &http.Client{Transport: transport, Timeout: e.Timeout,
		// A redirect could lead the event, signed, to anybody.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}, nil
}

func signer(name, secret string) (*standard.Webhook, error) {
	sign, err := standard.NewWebhook(secret)
	if err != nil || !strings.HasPrefix(secret, "whsec_") || len(secret) < len("whsec_")+32 {
		return nil, fmt.Errorf("webhook %s: its secret must be whsec_ and at least 24 bytes in base64", name)
	}
	return sign, nil
}

// signature is by the secret, and by the one before it while that holds: a receiver
// that knows either finds its own among them.
func (s *sender) signature(id string, now time.Time, body []byte) (string, error) {
	text, err := s.sign.Sign(id, now, body)
	if err != nil || s.signOld == nil || !s.endpoint.OldUntil.IsZero() && !now.Before(s.endpoint.OldUntil) {
		return text, err
	}
	old, err := s.signOld.Sign(id, now, body)
	return text + " " + old, err
}

// result is what came of one try.
type result struct {
	store.Delivery
	failed   bool      // the endpoint did not take it and may later
	answered bool      // the endpoint took it or refused it: it is there
	pause    time.Time // the endpoint wants to be left alone until then; zero: it did not say
}

// try sends one event and tells what came of it. One that makes voipd panic, such
// as by its template, is parked.
func (s *sender) try(ctx context.Context, d store.Delivery) (res result) {
	err := caught.In(func() error { res = s.attempt(ctx, d); return nil })
	if err != nil {
		return s.parked(d, 0, err.Error())
	}
	return res
}

// attempt is a try that may panic.
func (s *sender) attempt(ctx context.Context, d store.Delivery) result {
	now := time.Now()
	if !d.Expires.IsZero() && !now.Before(d.Expires) {
		d.State, d.Answer = store.Expired, ""
		return result{Delivery: d}
	}
	d.Attempts++
	body, err := s.endpoint.Body(&d.Change, s.instance)
	if err != nil {
		return s.parked(d, 0, err.Error())
	}
	res, err := s.post(ctx, contract.EventID(s.instance, d.Change.Seq), now, body)
	if err != nil {
		return s.again(d, 0, withoutAddress(err), time.Time{})
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, readAtMost))
	answer := string(text[:min(len(text), excerpt)])
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		d.State, d.Status, d.Answer = store.Delivered, code, answer
		return result{Delivery: d, answered: true} // also where the answer was cut: the status is what counts
	case refuses(code):
		return s.parked(d, code, answer)
	case code >= 300 && code < 400:
		answer = "redirects are not followed: " + withoutSecrets(res.Header.Get("Location"))
	case err != nil:
		answer += " (" + err.Error() + ")"
	}
	return s.again(d, res.StatusCode, answer, retryAfter(res.Header.Get("Retry-After"), now))
}

// refuses tells whether an answer is about the event itself, which then is not
// taken however often it comes. Any other, such as the 404, 401 or redirect of a
// server that is being put up anew, says nothing of the event.
func refuses(code int) bool {
	switch code {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// withoutAddress is what went wrong with a request, without its address: that may
// hold a token, a user and a password.
func withoutAddress(err error) string {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err.Error()
	}
	return err.Error()
}

// withoutSecrets is an address without what may be a secret in it.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(an address that cannot be read)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

func (s *sender) post(ctx context.Context, id string, now time.Time, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	signature, err := s.signature(id, now, body)
	if err != nil {
		return nil, err
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "voipd")
	h.Set(standard.HeaderWebhookID, id)
	h.Set(standard.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(standard.HeaderWebhookSignature, signature)
	return s.client.Do(req)
}

func (s *sender) parked(d store.Delivery, code int, answer string) result {
	d.State, d.Status, d.Answer = store.Parked, code, answer
	return result{Delivery: d, answered: code > 0}
}

// again says when an event that was not taken is tried next, or parks it when
// that goes on for too long.
func (s *sender) again(d store.Delivery, code int, answer string, asked time.Time) result {
	now := time.Now()
	d.Status, d.Answer = code, answer[:min(len(answer), excerpt)]
	d.Next = now.Add(backOff(d.Attempts))
	if asked.After(d.Next) {
		d.Next = asked
	}
	if now.Sub(d.Written) > s.endpoint.MaxAge {
		d.State = store.Parked
	}
	return result{Delivery: d, failed: true, pause: asked}
}

// backOff is the wait after so many tries. It is told by their number alone, so
// that it goes on where it was after a restart.
func backOff(tries int) time.Duration {
	wait := retryLast
	if tries < 10 {
		wait = min(retryFirst<<max(tries-1, 0), retryLast)
	}
	return wait/2 + rand.N(wait/2)
}

// retryAfter reads the header: seconds, or a time. Zero: it says nothing.
func retryAfter(v string, now time.Time) time.Time {
	var at time.Time
	if seconds, err := strconv.Atoi(v); err == nil {
		at = now.Add(time.Duration(min(max(seconds, 0), 1<<20)) * time.Second)
	} else if at, err = http.ParseTime(v); err != nil {
		return time.Time{}
	}
	if latest := now.Add(askedAtMost); at.After(latest) {
		return latest
	}
	return at
}
