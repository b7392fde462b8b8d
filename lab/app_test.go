//go:build lab

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// moduleTests is the folder of the app's module; its test/lab.test.mjs plays
// the app.
const moduleTests = "../integrations/brix"

// appCalls are the calls of TestApp. What must come of each stands in
// test/lab.test.mjs, in the words of the app.
func appCalls() []Scenario {
	return []Scenario{
		{
			Name: "app-attended", Title: "inbound to the ring group 116, 117; 117 answers, calls 118 by *2, talks to it and hangs up: the caller gets 118",
			Scripts: map[string]string{"116": "ring:30", "117": "ring:2|answer|wait:2|dtmf:*2118|wait:4|hangup", "118": "ring:1|answer|wait:6|hangup"},
			Calls:   []Call{{Trunk: "trunk-a", From: "79031000401", Dial: "74951234770", Script: "wait:60"}},
		},
		{
			Name: "app-blind", Title: "inbound to 111, who sends the caller to 112 by ##; the caller hangs up",
			Scripts: map[string]string{"111": "ring:1|answer|wait:2|dtmf:##112|wait:20", "112": "ring:1|answer|wait:30"},
			Calls:   []Call{{Trunk: "trunk-a", From: "79031000402", Dial: "74951234711", Script: "wait:12|hangup"}},
		},
		{
			Name: "app-click-ami", Title: "the app clicks: 114 is rung by AMI, then a mobile, answered",
			Scripts: map[string]string{"114": "ring:1|answer|wait:20", "89161000401": "ring:1|answer|wait:3|hangup"},
			Calls:   []Call{{Originate: "PJSIP/114", By: "app", Dial: "89161000401"}},
		},
		{
			Name: "app-click-ari", Title: "the app clicks: 115 is rung by ARI, then a mobile, answered",
			Scripts: map[string]string{"115": "ring:1|answer|wait:20", "89161000402": "ring:1|answer|wait:3|hangup"},
			Calls:   []Call{{Originate: "PJSIP/115", By: "app", Dial: "89161000402"}},
		},
		{
			Name: "app-missed", Title: "inbound to the ring group 116, 117, nobody answers",
			Scripts: map[string]string{"116": "ring:30", "117": "ring:30"},
			Calls:   []Call{{Trunk: "trunk-a", From: "79031000403", Dial: "74951234770"}},
		},
		{
			Name: "app-cancelled", Title: "inbound to 113, the caller hangs up while it rings",
			Scripts: map[string]string{"113": "ring:30"},
			Calls:   []Call{{Trunk: "trunk-a", From: "79031000404", Dial: "74951234713", GiveUp: 2 * time.Second}},
		},
	}
}

// TestApp runs the app's module in Node beside a voipd by AMI and one by ARI,
// while real calls are made: every event goes through the module, records are
// judged and recordings heard as the app has them.
func TestApp(t *testing.T) {
	if *captureFlag != "" || *morningFlag != "" || *onlyFlag != "" {
		t.Skip("only scenarios are asked for")
	}
	node, err := exec.LookPath("node")
	if err == nil {
		_, err = os.Stat(moduleTests + "/node_modules/typescript")
	}
	if err != nil {
		fmt.Println("lab: left out: the app's module, which needs Node and its packages (scripts/node.sh installs them)")
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	started := time.Now()
	r := openRun(ctx, t)
	apps := r.startForApp(ctx, t, "ami", "ari")
	office := httptest.NewServer((&appOffice{run: r, ctx: ctx, over: map[string]chan appCall{}}).control())
	defer office.Close()
	cmd := exec.CommandContext(ctx, node, "--test", "--test-reporter=spec", "test/lab.test.mjs")
	cmd.Dir = moduleTests
	cmd.Env = append(os.Environ(), "OFFICE="+office.URL, "APPS="+apps)
	out, err := cmd.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("\n%s", out)
	}
	if err != nil {
		t.Errorf("the app's module: %v\n%s", err, r.daemon.Log(20))
		return
	}
	fmt.Printf("lab: Asterisk %s: the app's module saw %d calls over AMI and over ARI in %.0f s\n", r.version.Name, len(appCalls()), time.Since(started).Seconds())
}

// startForApp starts a voipd for each source, each with an app of its own, and
// gives in JSON what the apps have to know: the port that events come to and
// the settings of the module.
func (r *run) startForApp(ctx context.Context, t *testing.T, sources ...string) string {
	t.Helper()
	type app struct {
		Port    string `json:"port"`
		Address string `json:"address"`
		Token   string `json:"token"`
		Secret  string `json:"secret"`
	}
	apps := map[string]*app{}
	r.hooks = map[string]string{}
	for _, source := range sources {
		at, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		_, port, _ := strings.Cut(at, ":")
		apps[source] = &app{Port: port, Token: voipdToken, Secret: hookSecret}
		r.hooks[source] = "http://" + at + "/hook"
	}
	r.startDaemons(ctx, t, sources...)
	for source, a := range apps {
		a.Address = r.office.voipds[source].base
	}
	text, err := json.Marshal(apps)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// appOffice is the office as the script in Node asks for it over HTTP.
type appOffice struct {
	run  *run
	ctx  context.Context
	over map[string]chan appCall // by the scenario that goes on; the script asks for one thing at a time
}

// appCall is what became of a scenario's call.
type appCall struct {
	id  string
	err error
}

// control answers the script: /begin makes a call or, where the app makes it,
// waits for it; /over tells its id when it is over; /heard what audio is.
func (o *appOffice) control() http.Handler {
	mux := http.NewServeMux()
	answer := func(path string, do func(body []byte) (any, error)) {
		mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			var out any
			if err == nil {
				out, err = do(body)
			}
			if err == nil {
				err = json.NewEncoder(w).Encode(out)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		})
	}
	named := func(do func(name string) (any, error)) func([]byte) (any, error) {
		return func(body []byte) (any, error) {
			var ask struct{ Name string }
			if err := json.NewDecoder(bytes.NewReader(body)).Decode(&ask); err != nil {
				return nil, err
			}
			return do(ask.Name)
		}
	}
	answer("/begin", named(o.begin))
	answer("/over", named(o.end))
	answer("/heard", heard)
	return mux
}

// begin sets a scenario in motion, and returns once its call may be made.
func (o *appOffice) begin(name string) (any, error) {
	for _, s := range appCalls() {
		if s.Name != name {
			continue
		}
		begun, over := make(chan struct{}), make(chan appCall, 1)
		s.Calls[0].Begun = func() { close(begun) }
		o.over[name] = over
		go func() {
			p, err := o.run.office.Play(o.ctx, s)
			if err != nil {
				over <- appCall{err: err}
				return
			}
			over <- appCall{id: p.ids[0]}
		}()
		select {
		case <-begun:
			return nil, nil
		case c := <-over:
			return nil, c.err
		}
	}
	return nil, fmt.Errorf("there is no call %q", name)
}

// end waits until a scenario is over, and gives its call's id.
func (o *appOffice) end(name string) (any, error) {
	over := o.over[name]
	if over == nil {
		return nil, fmt.Errorf("the call %q was not begun", name)
	}
	c := <-over
	return map[string]string{"callId": c.id}, c.err
}

// heard measures audio as the app got it.
func heard(audio []byte) (any, error) {
	kind, length, err := AudioLength(audio)
	return map[string]any{"kind": kind, "seconds": length.Seconds(), "audible": Audible("."+kind, audio)}, err
}
