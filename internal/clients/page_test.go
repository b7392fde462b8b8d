package clients_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"
)

// page is what the browser runs: each step of it is one line of the answer.
const page = `
import { Voipd } from '/voipd.js'
const [address, token, foreign] = [ADDRESS, TOKEN, FOREIGN]
const done = {}
try {
  const voipd = new Voipd(address, token)
  const { after } = await voipd.ask('/v1/calls')
  const seen = []
  const stop = voipd.follow(after, (event) => seen.push(event.type))
  const socket = await voipd.socket(after)
  const told = []
  socket.onmessage = (message) => told.push(JSON.parse(message.data).type)
  await new Promise((ok, bad) => { socket.onopen = ok; socket.onerror = bad })
  done.socket = true
  await fetch('/play', { method: 'POST' })
  const until = async (f) => { while (!f()) await new Promise((ok) => setTimeout(ok, 50)) }
  await until(() => seen.includes('record.created') && told.includes('record.created'))
  done.sse = seen[0]
  stop()
  socket.close()
  const found = await voipd.records({ number: '903', count: 'true', fields: 'callId,srcPhone' })
  done.found = found.count.records > 0 && Object.keys(found.records[0]).join()
  const key = crypto.randomUUID()
  const [a, b] = await Promise.all([voipd.call('101', '+79031234567', key), voipd.call('101', '+79031234567', key)])
  done.once = a.callId === b.callId
  done.refused = await voipd.call('999', '102').catch((problem) => problem.type)
  const { ticket } = await voipd.ask('/v1/tickets', { method: 'POST' })
  const open = (t) => new Promise((ok) => {
    const source = new EventSource(address + '/v1/events?ticket=' + t)
    source.onopen = () => { source.close(); ok('open') }
    source.onerror = () => { source.close(); ok('refused') }
  })
  done.ticket = await open(ticket)
  done.again = await open(ticket)
  if (foreign) throw new Error('this origin may do nothing')
} catch (e) {
  done.error = String(e?.detail ?? e)
}
await fetch('/done', { method: 'POST', body: JSON.stringify(done) })
`

// TestPage runs the example in a page of another origin, in Chromium: what the
// origins of the configuration allow works, and nothing does for another.
func TestPage(t *testing.T) {
	t.Parallel()
	browser, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("there is no chromium; scripts/chromium.sh installs it")
	}
	done := make(chan map[string]any, 1)
	var o *office
	mux := http.NewServeMux()
	site, foreign := httptest.NewServer(mux), httptest.NewServer(mux)
	defer site.Close()
	defer foreign.Close()
	o = newOffice(t, site.URL)
	o.ready(t)
	serve := func(path, kind, text string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		})
	}
	const prefix = "const [ADDRESS, TOKEN, FOREIGN] = "
	serve("/{$}", "text/html", `<!doctype html><title>test</title><script type="module" src="/test.js"></script>`)
	serve("/voipd.js", "text/javascript", example(t, "js"))
	serve("/test.js", "text/javascript", prefix+`["`+o.address+`", "`+token+`", false]`+"\n"+page)
	mux.HandleFunc("POST /play", func(http.ResponseWriter, *http.Request) { o.play(t, "in-answered") })
	mux.HandleFunc("POST /done", func(_ http.ResponseWriter, r *http.Request) {
		got := map[string]any{}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		done <- got
	})
	visit(t, browser, site.URL)
	got := <-wait(t, done)
	for name, want := range map[string]any{"socket": true, "sse": "call.started", "found": "callId,srcPhone", "once": true, "refused": "urn:voipd:problem:source-refused", "ticket": "open", "again": "refused", "error": nil} {
		if got[name] != want {
			t.Errorf("%s: %v, want %v (%v)", name, got[name], want, got["error"])
		}
	}
	visit(t, browser, foreign.URL)
	if got := <-wait(t, done); len(got) != 1 || got["error"] == nil {
		t.Errorf("a foreign page got through: %v", got)
	}
}

// wait gives up after a while.
func wait(t *testing.T, done <-chan map[string]any) <-chan map[string]any {
	out := make(chan map[string]any, 1)
	select {
	case got := <-done:
		out <- got
	case <-time.After(2 * time.Minute):
		t.Fatal("the page has not come to its end")
	}
	return out
}

// visit opens a page; the browser ends with the test.
func visit(t *testing.T, browser, url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-port=0", "--user-data-dir="+t.TempDir(), url)
	if err := cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = cmd.Wait() }) // it was killed
}
