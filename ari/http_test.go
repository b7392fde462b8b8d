package ari_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	cycore "github.com/CyCoreSystems/ari/v6"

	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/record"
)

// TestOrders: what reaches the PBX, and what its answer means.
func TestOrders(t *testing.T) {
	originate := func(ctx context.Context, c *ari.Client) error {
		return c.Originate(ctx, cycore.OriginateRequest{Endpoint: "PJSIP/101", Context: "from-internal", Extension: "102", Priority: 1,
			CallerID: `"O" <101>`, Timeout: 30, ChannelID: "voipd-1.a", Variables: map[string]string{"PJSIP_HEADER(add,X)": `a"b`}})
	}
	hangup := func(ctx context.Context, c *ari.Client) error { return c.Hangup(ctx, "17/../1?x") }
	endpoints := func(ctx context.Context, c *ari.Client) error { _, err := c.Endpoints(ctx); return err }
	const order = `POST /ari/channels {"endpoint":"PJSIP/101","timeout":30,"callerId":"\"O\" \u003c101\u003e","context":"from-internal","extension":"102","priority":1,` +
		`"channelId":"voipd-1.a","variables":{"PJSIP_HEADER(add,X)":"a\"b"}}`
	const end = "DELETE /ari/channels/17%2F..%2F1%3Fx "
	for name, c := range map[string]struct {
		do     func(context.Context, *ari.Client) error
		status int
		body   string
		asked  string
		says   []string // in the error; none: no error
	}{
		"originated":    {originate, 200, `{"id":"voipd-1.a"}`, order, nil},
		"hung up":       {hangup, 204, "", end, nil},
		"gone already":  {hangup, 404, `{"message":"Channel not found"}`, end, nil},
		"may only read": {originate, 403, `{"message":"Write access denied"}`, order, []string{"POST /channels", "403 Forbidden", "Write access denied", "read_only = no", "[voipd] of ari.conf"}},
		"may not end":   {hangup, 403, `{"message":"Write access denied"}`, end, []string{"DELETE /channels/17%2F", "read_only = no", "[voipd] of ari.conf"}},
		"may not list":  {endpoints, 403, "<html>", "GET /ari/endpoints ", []string{"GET /endpoints", "403 Forbidden", "[voipd] of ari.conf"}},
		"not let in":    {originate, 401, `{"message":"Authentication required"}`, order, []string{"401", "[voipd]", "type = user"}},
		"no ARI":        {endpoints, 404, "", "GET /ari/endpoints ", []string{"404", "enabled = yes"}},
		"bad endpoint":  {originate, 400, `{"message":"Invalid endpoint specified"}`, order, []string{"Invalid endpoint specified"}},
		"not booted":    {endpoints, 503, `{"message":"Asterisk not booted"}`, "GET /ari/endpoints ", []string{"Asterisk not booted"}},
		"no list":       {endpoints, 200, `[{"technology":`, "GET /ari/endpoints ", []string{"read the answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 1)
			pbx := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if _, password, _ := r.BasicAuth(); err != nil || password != "hunter2" {
					t.Errorf("password %q, %v", password, err)
				}
				asked <- r.Method + " " + r.URL.EscapedPath() + " " + string(body)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body) // a client that leaves is its own fault
			}))
			defer pbx.Close()
			client, err := ari.NewClient(ari.Options{URL: pbx.URL + "/ari/", Username: "voipd", Secret: func() string { return "hunter2" }, Handle: func(record.Event) {}})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err = c.do(ctx, client)
			if got := <-asked; got != c.asked {
				t.Errorf("asked\n%s, want\n%s", got, c.asked)
			}
			if (err != nil) != (c.says != nil) {
				t.Fatalf("got %v, want %q in it", err, c.says)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("got %v, want %q in it", err, says)
				}
			}
		})
	}
}

// TestEndpoints: what ARI tells of endpoints.
func TestEndpoints(t *testing.T) {
	pbx := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"technology":"PJSIP","resource":"101","state":"online","channel_ids":["17.1"]},{"technology":"PJSIP","resource":"102","state":"offline","channel_ids":[]}]`)
	}))
	defer pbx.Close()
	client, err := ari.NewClient(ari.Options{URL: pbx.URL + "/ari", Username: "voipd", Handle: func(record.Event) {}})
	if err != nil {
		t.Fatal(err)
	}
	all, err := client.Endpoints(t.Context())
	if err != nil || len(all) != 2 || all[0].Resource != "101" || all[0].State != "online" || len(all[0].ChannelIDs) != 1 || all[1].State != "offline" {
		t.Errorf("got %+v (%v)", all, err)
	}
}
