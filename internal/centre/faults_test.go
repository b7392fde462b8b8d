package centre_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/record"
)

// lossy cuts requests: before they are handled, or after, so that the answer is lost.
type lossy struct {
	mu   sync.Mutex
	rnd  *rand.Rand
	cut  int // of ten requests, so many before and as many after; 0: none
	cuts int // so far
}

func (l *lossy) set(cut int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

func (l *lossy) draw() (before, after bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.rnd.IntN(10)
	before, after = n < l.cut, n >= l.cut && n < 2*l.cut
	if before || after {
		l.cuts++
	}
	return before, after
}

func (l *lossy) over(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before, after := l.draw()
		if before {
			panic(http.ErrAbortHandler)
		}
		if after {
			next.ServeHTTP(&deaf{http.Header{}}, r)
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

// deaf takes an answer that nobody gets.
type deaf struct{ header http.Header }

func (d *deaf) Header() http.Header         { return d.header }
func (d *deaf) WriteHeader(int)             {}
func (d *deaf) Write(p []byte) (int, error) { return len(p), nil }

// TestFaults: requests and answers are lost, the centre's process is replaced in a batch, an
// edge is stopped between batches, PostgreSQL crashes. In the end the centre has what
// the edges have, field by field.
func TestFaults(t *testing.T) {
	t.Parallel()
	postgres := databases.NewPostgresServer(t)
	h := newHead(t, postgres, "faults")
	cuts := &lossy{rnd: rand.New(rand.NewPCG(1, 1))}
	h.wrap = cuts.over
	h.restart(t)
	must(t, h.AddTenant(t.Context(), "acme"))
	offices := map[string]*office{}
	for _, pbx := range []string{"a", "b"} {
		offices[pbx] = newOffice(t, h, h.join(t, "acme", pbx))
		offices[pbx].start(t)
	}
	cuts.set(3)
	calls := []string{"in-answered", "int-answered", "xfer-attended", "queue-abandoned", "out-busy", "in-ringgroup"}
	for round, fault := range []func(){
		func() {},
		func() { h.restart(t) },
		func() { offices["a"].stop(); offices["a"].start(t) },
		func() { postgres.Kill(); postgres.Start(t) },
		func() { h.restart(t); offices["b"].stop(); postgres.Kill(); offices["b"].start(t); postgres.Start(t) },
	} {
		played := make(chan struct{})
		go func() { defer close(played); offices["b"].play(t, calls[round+1], calls[0]) }()
		offices["a"].play(t, calls[round], "in-voicemail")
		fault()
		<-played
	}
	cuts.set(0)
	for _, o := range offices {
		o.settle(t, 6)
	}
	h.same(t, "acme", offices)
	if cuts.cuts == 0 {
		t.Error("no request was cut")
	}
}

// settle waits until an office's records do not change any more: calls are over, and
// recordings whole.
func (o *office) settle(t testing.TB, least int) {
	t.Helper()
	before := map[string]record.Record{}
	eventually(t, "records are final", func() bool {
		now := o.records(t)
		still := len(now) >= least && fmt.Sprint(now) == fmt.Sprint(before)
		before = now
		return still
	})
}

// checkRestored: an edge is restored from a backup that is older than what it shipped, and
// goes on. The centre keeps what the edge lost, has what it told since, and what it told
// anew.
func checkRestored(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "restored")
	must(t, h.AddTenant(t.Context(), "acme"))
	o := newOffice(t, h, h.join(t, "acme", "a"))
	o.start(t)
	o.play(t, "in-answered", "int-answered")
	o.settle(t, 2)
	o.stop()
	backup := o.backup(t)
	o.start(t)
	o.play(t, "xfer-attended", "out-busy")
	o.settle(t, 4)
	lost := o.records(t)
	h.same(t, "acme", map[string]*office{"a": o})
	o.stop()
	o.restore(t, backup)
	// It runs on without the centre until it is past the place that the centre has: the
	// numbers of its changes are there, and are of others.
	away := o.config.Centre
	o.config.Centre.Address, o.config.Centre.Token = "", ""
	o.start(t)
	o.play(t, "queue-abandoned", "in-ringgroup", "in-voicemail", "ivr-101", "out-answered", "queue-second-agent")
	o.settle(t, 8)
	o.stop()
	o.config.Centre = away
	o.start(t)
	h.has(t, "acme", func() map[string]map[string]record.Record {
		want := asPBX(lost, "a")
		for id, r := range asPBX(o.records(t), "a") {
			want[id] = r
		}
		if len(want) <= len(lost) {
			t.Fatalf("the restored edge has no more than it had before")
		}
		return map[string]map[string]record.Record{"a": want}
	})
}
