package daemon_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

func TestConfigKnowsEveryEvent(t *testing.T) {
	have, want := config.Events(), contract.Kinds()
	slices.Sort(have)
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
}

// app takes events and gives "TYPE DSTPHONE" of each.
func app(t *testing.T, refuse func(kind string) bool) (url string, told <-chan string) {
	t.Helper()
	out := make(chan string, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			Type  string
			Call  struct{ DstPhone string }
			Event struct{ DstPhone string }
		}
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Errorf("body: %v", err)
		}
		if refuse != nil && refuse(e.Type) {
			http.Error(w, "not that", http.StatusBadRequest)
			return
		}
		out <- e.Type + " " + e.Call.DstPhone + e.Event.DstPhone
	}))
	t.Cleanup(server.Close)
	return server.URL, out
}

func events(t *testing.T, told <-chan string, n int) []string {
	t.Helper()
	var got []string
	for timeout := time.After(30 * time.Second); len(got) < n; {
		select {
		case e := <-told:
			got = append(got, e)
		case <-timeout:
			t.Fatalf("only %q came", got)
		}
	}
	return got
}

// TestACallIsTold: an app has each event of a call in order, as its webhook is
// set up, and another one what it asked for; the live stream has the same.
func TestACallIsTold(t *testing.T) {
	o := newOffice(t)
	all, toldAll := app(t, nil)
	some, toldSome := app(t, func(kind string) bool { return kind == contract.RecordCreated })
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	o.config.Webhooks = []config.Webhook{{Name: "all", URL: all, Secret: secret},
		{Name: "some", URL: some, Secret: secret, Template: config.BRIX, Events: []string{contract.CallStarted, contract.CallEnded, contract.RecordCreated, contract.RecordingReady}}}
	o.start()
	o.play("in-ringgroup")
	want := []string{"call.started 101", "call.started 102", "call.started 103", "call.stopped_ringing 101", "call.stopped_ringing 103",
		"call.answered 102", "call.ended 102", "record.created 102"}
	got := events(t, toldAll, len(want))
	slices.Sort(got[:3]) // as the fake PBX rings them
	slices.Sort(got[3:5])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := events(t, toldSome, 4); got[3] != "call.ended 102" {
		t.Errorf("got %q", got)
	}
	o.until(record.CallEnded)
	var h struct {
		Webhooks struct{ Parked int }
		Warnings []struct{ Code string }
	}
	for deadline := time.Now().Add(20 * time.Second); h.Webhooks.Parked == 0; {
		_, body := o.get("GET", "/v1/health", "")
		if err := json.Unmarshal(body, &h); err != nil || time.Now().After(deadline) {
			t.Fatalf("%s (%v)", body, err)
		}
	}
	// The fake PBX's time runs faster than ours, which health may say as well.
	if !slices.ContainsFunc(h.Warnings, func(w struct{ Code string }) bool { return w.Code == "webhooks-parked" }) {
		t.Errorf("health: %+v", h)
	}
	if _, metrics := o.get("GET", "/metrics", ""); !strings.Contains(string(metrics), "voipd_webhooks_parked 1\n") {
		t.Error("metrics do not tell what is parked")
	}
	_, body := o.get("GET", "/v1/records?after=0", "")
	if n := strings.Count(string(body), `"startedAt"`); n != 1 {
		t.Errorf("pull: %s", body)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestCallsGoingOn: GET /v1/calls has a call while it goes on, also after a
// restart in the middle of it, and a live stream does not hold up the stop.
func TestCallsGoingOn(t *testing.T) {
	o := newOffice(t)
	o.start()
	o.play("ivr-101")
	o.until(record.CallAnswered)
	talking := func() {
		t.Helper()
		_, body := o.get("GET", "/v1/calls", "")
		var list struct {
			Calls []struct{ State, DstPhone string }
		}
		if err := json.Unmarshal(body, &list); err != nil || len(list.Calls) != 1 || list.Calls[0].State != "talking" || list.Calls[0].DstPhone != "101" {
			t.Errorf("got %s (%v)", body, err)
		}
	}
	talking()
	req, err := http.NewRequest("GET", o.daemon.BaseURL()+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer token")
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%v %v", res, err)
	}
	defer res.Body.Close()
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	o.start()
	talking()
	o.until(record.CallEnded)
	if _, body := o.get("GET", "/v1/calls", ""); !strings.HasPrefix(string(body), `{"calls":[]`) {
		t.Errorf("got %s", body)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}

// TestAddedWebhook: a webhook that is added while voipd runs gets events at once, and
// is still there after the configuration was read anew and after a restart. It is told
// apart from those of the configuration, which the API does not change.
func TestAddedWebhook(t *testing.T) {
	o := newOffice(t)
	filed, _ := app(t, nil)
	added, told := app(t, nil)
	o.config.Webhooks = []config.Webhook{{Name: "filed", URL: filed, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
	o.start()
	if status, body := o.get("POST", "/v1/webhooks", `{"name": "added", "url": "`+added+`", "events": ["call.ended"]}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	for _, path := range []string{"DELETE /v1/webhooks/filed", "POST /v1/webhooks/filed/rotate-secret"} {
		method, path, _ := strings.Cut(path, " ")
		if status, body := o.get(method, path, ""); status != 409 || !strings.Contains(string(body), "webhook-in-configuration") {
			t.Errorf("%s %s: %d %s", method, path, status, body)
		}
	}
	if _, err := o.daemon.Reload(o.config); err != nil {
		t.Fatal(err)
	}
	o.play("in-answered")
	if got := events(t, told, 1); got[0] != "call.ended 101" {
		t.Errorf("got %q", got)
	}
	if err := o.stop(); err != nil {
		t.Fatal(err)
	}
	o.start()
	var list struct{ Webhooks []contract.Webhook }
	_, body := o.get("GET", "/v1/webhooks", "")
	if err := json.Unmarshal(body, &list); err != nil || len(list.Webhooks) != 2 || list.Webhooks[0].From != "configuration" || list.Webhooks[1].From != "api" {
		t.Errorf("after a restart: %s (%v)", body, err)
	}
	if err := o.stop(); err != nil {
		t.Error(err)
	}
}
