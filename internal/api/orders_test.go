package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

func (o *office) order(body string, header ...string) (int, http.Header, string) {
	o.t.Helper()
	status, head, text := o.do("POST", "/v1/calls", body, append(header, "Authorization", "Bearer "+token)...)
	return status, head, strings.TrimSpace(string(text))
}

// TestIdempotencyKey: the same request is done once and gets the same answer,
// also after a restart; another one with its key is refused.
func TestIdempotencyKey(t *testing.T) {
	o := newOffice(t)
	const body = `{"srcPhone":"101","dstPhone":"79031234567"}`
	var all sync.WaitGroup
	answers := make([]string, 8)
	for i := range answers {
		all.Go(func() { _, _, answers[i] = o.order(body, "Idempotency-Key", "click-1") })
	}
	all.Wait()
	o.scopes() // a new API on the same database
	status, header, again := o.order(body, "Idempotency-Key", "click-1")
	if status != 202 || header.Get("Idempotency-Replayed") != "true" || header.Get("Content-Type") != "application/json" || o.placed != 1 {
		t.Errorf("again: %d %v; %d calls placed", status, header, o.placed)
	}
	for _, a := range answers {
		if a != again || !strings.Contains(a, `"callId":"voipd-1.1"`) {
			t.Errorf("%s, later %s", a, again)
		}
	}
	if status, _, text := o.order(`{"srcPhone":"102","dstPhone":"79031234567"}`, "Idempotency-Key", "click-1"); status != 422 || !strings.Contains(text, "idempotency-key-reused") {
		t.Errorf("another body: %d %s", status, text)
	}
	if status, _, _ := o.order(body, "Idempotency-Key", strings.Repeat("k", 300)); status != 422 {
		t.Errorf("a long key: %d", status)
	}
	o.order(body)
	o.order(body, "Idempotency-Key", "click-2")
	o.now = o.now.Add(25 * time.Hour)
	o.order(body, "Idempotency-Key", "click-1") // a day later it is another click
	if o.placed != 4 {
		t.Errorf("%d calls placed, want 4", o.placed)
	}
	o.refuse = &contract.Refusal{Code: contract.TooManyCalls, Why: "Too many."}
	if status, header, _ := o.order(body, "Idempotency-Key", "click-3"); status != 429 || header.Get("Retry-After") == "" {
		t.Errorf("too many: %d %v", status, header)
	}
	o.refuse = nil
	if status, _, text := o.order(body, "Idempotency-Key", "click-3"); status != 202 {
		t.Errorf("after too many: %d %s", status, text)
	}
}

// TestOrder: an order is seen at once, then the call, then how it ended.
func TestOrder(t *testing.T) {
	o := newOffice(t)
	_, _, text := o.order(`{"srcPhone":"101","dstPhone":"tel:+7(903)123-45-67;ext=12"}`)
	if text != `{"callId":"voipd-1.1","dstPhone":"+79031234567","dstPhoneExt":"12"}` {
		t.Error(text)
	}
	see := func(want string) {
		t.Helper()
		if status, _, body := o.get("/v1/calls/voipd-1.1"); status != 200 || !strings.Contains(string(body), want) {
			t.Errorf("%d %s, want %s", status, body, want)
		}
	}
	see(`"state":"ordered","srcPhone":"101","dstPhone":"+79031234567"`)
	r := o.made("voipd-1.1", 0)
	o.open = []record.Live{{State: record.Rings, Ringing: []string{"101"}, Record: r}}
	see(`"state":"ringing"`)
	o.open = nil
	r.Disposition, r.Details.Why = record.Failed, []record.Reason{{Field: "disposition", Rule: "the PBX could not reach the phone"}}
	o.put(r)
	see(`"state":"failed"`)
	see(`"reason":"the PBX could not reach the phone"`)
	if status, header, body := o.get("/v1/calls/none"); status != 404 {
		t.Errorf("%d %s", status, body)
	} else if kind, _ := problemOf(t, header, body); kind != contract.UnknownCall {
		t.Error(kind)
	}
}

// TestStale: what is shown while the PBX is away says of when it is.
func TestStale(t *testing.T) {
	o := newOffice(t)
	o.away = o.now.Add(-time.Minute)
	for _, path := range []string{"/v1/members", "/v1/calls"} {
		if _, _, body := o.get(path); !strings.Contains(string(body), `"asOf":"2026-11-23T02:12:20.000Z","stale":true`) {
			t.Errorf("%s: %s", path, body)
		}
	}
}
