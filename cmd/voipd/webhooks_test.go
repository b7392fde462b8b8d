package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/store"
)

// TestWebhooks: parked deliveries are listed, shown with the answer they got,
// and sent again.
func TestWebhooks(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "voipd.toml")
	path := filepath.Join(dir, "voipd.db")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "[store]\npath = %q\n", path), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	db, err := store.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.Deliver(func(string) []store.Recipient { return []store.Recipient{{Endpoint: "crm"}} })
	b := &store.Batch{Changes: []store.Change{{At: time.Now(), Kind: "call.ended", CallID: "1.1", Body: []byte(`{"call":{"callId":"1.1"}}`)},
		{At: time.Now(), Kind: "call.ended", CallID: "1.2", Body: []byte(`{"call":{"callId":"1.2"}}`)}}}
	if err := db.Commit(ctx, b); err != nil {
		t.Fatal(err)
	}
	refused := store.Delivery{Endpoint: "crm", Change: store.Change{Seq: 1, CallID: "1.1"}, State: store.Parked, Attempts: 1, Status: 404, Answer: "no such \x1b[2Jcall\nreally"}
	if err := db.Settle(ctx, []store.Delivery{refused}); err != nil {
		t.Fatal(err)
	}
	voipd := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(append(append([]string{"webhooks"}, args...), "-c", conf), &out, &errs); got != want {
			t.Fatalf("%q: status %d, want %d: %s", args, got, want, &errs)
		}
		return out.String() + errs.String()
	}
	if out := voipd(exitOK, "list"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "404") || strings.ContainsAny(out, "\x1b") {
		t.Errorf("list: %q", out)
	}
	if out := voipd(exitOK, "list", "--waiting"); strings.Count(out, "\n") != 2 || !strings.Contains(out, "1.2") {
		t.Errorf("list --waiting: %q", out)
	}
	if out := voipd(exitOK, "list", "--all"); strings.Count(out, "\n") != 3 {
		t.Errorf("list --all: %q", out)
	}
	if out := voipd(exitOK, "show", "1"); !strings.Contains(out, "crm: parked after 1 tries\nstatus 404\n") || !strings.Contains(out, "\n  really\n") || strings.ContainsAny(out, "\x1b") {
		t.Errorf("show: %q", out)
	}
	voipd(exitFailed, "show", "3")
	voipd(exitUsage, "show", "x")
	voipd(exitUsage, "retry")
	voipd(exitUsage, "retry", "1", "--all")
	voipd(exitFailed, "retry", "2") // it waits
	if out := voipd(exitOK, "retry", "1"); out != "1 deliveries will be sent again\n" {
		t.Errorf("retry: %q", out)
	}
	if due, _, err := db.Due(ctx, "crm", time.Now().Add(time.Second), 10); err != nil || len(due) != 2 || due[0].Attempts+due[1].Attempts != 0 {
		t.Errorf("due: %+v (%v)", due, err)
	}
	var out, errs bytes.Buffer
	if run([]string{"webhooks", "secret"}, &out, &errs) != exitOK || !regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{43}=\n$`).MatchString(out.String()) {
		t.Errorf("secret: %q %s", &out, &errs)
	}
}

// TestWebhooksTest: a webhook of the configuration gets a signed test event, also
// before voipd has ever run, and the status tells whether it took it.
func TestWebhooksTest(t *testing.T) {
	dir := t.TempDir()
	conf := filepath.Join(dir, "voipd.toml")
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verify, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	refuse := false
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = verify.Verify(body, r.Header)
		}
		if err != nil || !strings.Contains(string(body), `"type":"webhook.test"`) || !strings.Contains(string(body), r.Header.Get("webhook-id")) {
			t.Errorf("body %s (%v)", body, err)
		}
		if refuse {
			http.Error(w, "not now", http.StatusServiceUnavailable)
		}
	}))
	defer crm.Close()
	if err := os.WriteFile(filepath.Join(dir, "crm.secret"), []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[store]\npath = %q\n[[webhooks]]\nname = \"crm\"\nurl = %q\nsecret_file = %q\n", filepath.Join(dir, "voipd.db"), crm.URL+"?token=hunter2", filepath.Join(dir, "crm.secret"))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	voipd := func(want int, name string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run([]string{"webhooks", "test", name, "-c", conf}, &out, &errs); got != want {
			t.Errorf("status %d, want %d: %s", got, want, &errs)
		}
		if strings.Contains(out.String()+errs.String(), "hunter2") {
			t.Errorf("the address is shown: %s%s", &out, &errs)
		}
		return out.String() + errs.String()
	}
	if out := voipd(exitOK, "crm"); !strings.Contains(out, "200 after") {
		t.Errorf("got %q", out)
	}
	refuse = true
	if out := voipd(exitFailed, "crm"); !strings.Contains(out, "503") || !strings.Contains(out, "not now") {
		t.Errorf("got %q", out)
	}
	voipd(exitFailed, "erp")
	crm.Close()
	if out := voipd(exitFailed, "crm"); !strings.Contains(out, "no answer") {
		t.Errorf("got %q", out)
	}
}
