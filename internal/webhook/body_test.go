package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// examples are the events whose bodies docs/webhooks.md shows.
func examples(t *testing.T) (started, created store.Change) {
	t.Helper()
	began := time.Date(2026, 11, 22, 9, 30, 0, 120e6, time.UTC)
	r := record.Record{CallID: "1795366192.23", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101", Duration: 34,
		Details: record.Details{StartedAt: began, AnsweredAt: began.Add(8 * time.Second), EndedAt: began.Add(42 * time.Second), RingMS: 8000, WaitMS: 8000, TalkMS: 34000,
			BeganBy: "external", Recordings: []record.Recording{{ID: "5dc4ab1d7c0875c3", Path: "/var/spool/asterisk/monitor/in.wav", At: began, State: record.Announced, Talk: true}}}}
	provisional := r
	provisional.Disposition, provisional.DstPhone = record.Unknown, "101"
	live := record.Live{Record: provisional, Operators: []string{"101"}}
	first := webhook.Plan(record.Change{Kind: record.PhoneRang, At: began, CallID: r.CallID, Phone: "101", Other: r.SrcPhone}, &live)
	last := webhook.Plan(record.Change{Kind: record.CallEnded, At: r.Details.EndedAt, CallID: r.CallID, Record: &r}, nil)
	if len(first) != 1 || len(last) != 3 { // the third: whether somebody is to be called back
		t.Fatalf("%d and %d events", len(first), len(last))
	}
	started, created = first[0], last[1]
	started.Seq, created.Seq = 41, 44
	return started, created
}

// TestBodies: what an app gets, field for field; the documentation shows the
// same.
func TestBodies(t *testing.T) {
	started, created := examples(t)
	own, err := webhook.Own("own", `{"what": {{json .type}}, "who": {{json .call.srcPhone}}, "n": {{.seq}}, "none": {{json .call.into}}}`)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile(`\n +`).ReplaceAllString(string(doc), "\n") // indented as the page wants
	for name, c := range map[string]struct {
		make   webhook.Template
		change store.Change
		shown  bool // in the documentation
	}{
		"plain-started": {webhook.Plain, started, true}, "plain-created": {webhook.Plain, created, false},
		"brix-started": {webhook.BRIX, started, true}, "brix-created": {webhook.BRIX, created, true},
		"own": {own, started, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.make(&c.change, "9f2c4e8a1b3d")
			if err != nil {
				t.Fatal(err)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, got, "", "  "); err != nil {
				t.Fatalf("%s: %v", got, err)
			}
			compare(t, "body-"+name, pretty.String()+"\n")
			if c.shown && !strings.Contains(shown, regexp.MustCompile(`\n +`).ReplaceAllString(pretty.String(), "\n")) {
				t.Errorf("docs/webhooks.md does not show\n%s", &pretty)
			}
		})
	}
}

// TestHostileNames: what a caller calls himself stays a text, whatever the
// shape of the body.
func TestHostileNames(t *testing.T) {
	hostile := "\"},\"type\":\"record.created\" </script> \x00\u2028 {{.type}}"
	live := record.Live{Record: record.Record{Direction: record.In, SrcPhone: hostile}}
	c := webhook.Plan(record.Change{Kind: record.PhoneRang, CallID: hostile, Phone: "101"}, &live)[0]
	own, err := webhook.Own("own", `{"call": {{json .call}}}`)
	if err != nil {
		t.Fatal(err)
	}
	for name, tmpl := range map[string]webhook.Template{"plain": webhook.Plain, "brix": webhook.BRIX, "own": own} {
		body, err := tmpl(&c, "i")
		var e struct {
			Type        string
			Call, Event struct{ SrcPhone string }
		}
		if err != nil || json.Unmarshal(body, &e) != nil || e.Call.SrcPhone+e.Event.SrcPhone != hostile || name != "own" && e.Type != contract.CallStarted {
			t.Errorf("%s: %s (%v)", name, body, err)
		}
		if bytes.Contains(body, []byte("</script>")) {
			t.Errorf("%s: a tag stands in %s", name, body)
		}
	}
	bad, err := webhook.Own("bad", `{"who": "{{.call.srcPhone}}"}`)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := bad(&c, "i"); err == nil {
		t.Errorf("a template that does not quote gives %s", body)
	}
	if _, err := webhook.Own("broken", `{{json .call`); err == nil {
		t.Error("a broken template is taken")
	}
}

// TestSignature is the test vector of the Standard Webhooks specification.
func TestSignature(t *testing.T) {
	sign, err := standard.NewWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got, err := sign.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// TestSecretsThatDoNotSign are told before anything is sent.
func TestSecretsThatDoNotSign(t *testing.T) {
	db := openStore(t, dbFile(t))
	defer db.Close()
	for _, s := range []string{"", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_short", "whsec_not base64 but long enough to be one !!"} {
		_, err := webhook.New(context.Background(), webhook.Options{Store: db, Endpoints: []webhook.Endpoint{{Name: "crm", Secret: s}}, Log: slog.New(slog.DiscardHandler)})
		if err == nil || !strings.Contains(err.Error(), "webhook crm") {
			t.Errorf("%q: %v", s, err)
		}
	}
}
