package ship

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// centre answers as one that is no good: what a real one does is tested in
// internal/centre.
type centre struct {
	mu     sync.Mutex
	place  contract.Place
	got    map[string]bool                                // call ids
	posted int                                            // batches
	refuse func(records []string) (status int, id string) // 0: it is taken; id: that of another batch is answered
}

func (c *centre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer token" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.URL.Path == "/v1/ship/hours" {
		_ = json.NewEncoder(w).Encode(contract.ShipHours{})
		return
	}
	answer := c.place
	if r.Method == http.MethodPost {
		var head contract.ShipHead
		records := read(r, &head)
		c.posted++
		if c.refuse != nil {
			status, id := c.refuse(records)
			if status != 0 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
				return
			}
			if id != "" {
				answer.ID = id
				_ = json.NewEncoder(w).Encode(answer)
				return
			}
		}
		c.place = contract.Place{Batch: head.Batch, ID: head.ID, Instance: head.Instance, Seq: head.UpTo, Mark: head.Mark}
		if head.UpTo == head.After && !head.Begin {
			c.place.Seq, c.place.Mark = answer.Seq, answer.Mark
		}
		for _, id := range records {
			c.got[id] = true
		}
		answer = c.place
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// read gives the call ids of a batch.
func read(r *http.Request, head *contract.ShipHead) (ids []string) {
	z, err := zstd.NewReader(r.Body)
	if err != nil {
		panic(err)
	}
	defer z.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(z); err != nil {
		panic(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(text.String()), "\n") {
		var s contract.ShipRecord
		var to any = &s
		if i == 0 {
			to = head
		}
		if err := json.Unmarshal([]byte(line), to); err != nil {
			panic(err)
		}
		if i > 0 {
			ids = append(ids, s.CallID)
		}
	}
	return ids
}

// run ships n calls, which come once the Shipper is there, until done holds.
func run(t *testing.T, c *centre, n int, token string, done func(*Shipper) bool) *Shipper {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	c.got = map[string]bool{}
	server := httptest.NewServer(c)
	s := New(Options{Store: db, Address: server.URL, Token: func() (string, error) { return token, nil }, Gather: time.Millisecond, Retry: time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if c.place.Instance == "mine" {
		if c.place.Instance, err = db.Instance(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	b := &store.Batch{}
	for i := range n {
		r := record.Record{CallID: fmt.Sprintf("1.%d", i), Direction: record.In, Details: record.Details{StartedAt: time.Unix(int64(i), 0).UTC(), Source: "ami"}}
		b.Put(r)
		b.Changes = append(b.Changes, store.Change{At: r.Details.StartedAt, Kind: contract.RecordCreated, CallID: r.CallID, Body: []byte(`{}`)})
	}
	if err := db.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-over
		server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	limit := time.After(time.Minute)
	for every := time.NewTicker(5 * time.Millisecond); !done(s); {
		select {
		case <-every.C:
		case <-limit:
			t.Fatalf("not within a minute: %+v", s.now())
		}
	}
	return s
}

func (c *centre) has() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

// TestOneUnfitRecord: a record that makes the centre refuse its whole batch costs itself
// alone, and health tells it.
func TestOneUnfitRecord(t *testing.T) {
	t.Parallel()
	c := &centre{place: contract.Place{Instance: "mine"}, refuse: func(ids []string) (int, string) {
		for _, id := range ids {
			if id == "1.33" {
				return http.StatusUnprocessableEntity, ""
			}
		}
		return 0, ""
	}}
	s := run(t, c, 200, "token", func(s *Shipper) bool { return c.has() == 199 && s.now().refused == 1 })
	var h contract.Health
	s.Health(t.Context(), &h)
	if !h.Warned("centre-refuses") || !strings.Contains(h.Warnings[0].Text, "1.33") || !h.Centre.OK {
		t.Errorf("health: %+v %+v", h.Centre, h.Warnings)
	}
}

// TestDouble: the centre has a batch of that number of another machine with the same
// token. Nothing is taken for shipped that was not.
func TestDouble(t *testing.T) {
	t.Parallel()
	others := 3
	c := &centre{place: contract.Place{Instance: "mine"}}
	c.refuse = func(ids []string) (int, string) {
		if len(ids) > 0 && others > 0 {
			others--
			return 0, "another's"
		}
		return 0, ""
	}
	run(t, c, 20, "token", func(*Shipper) bool { return c.has() == 20 })
	if others != 0 {
		t.Errorf("%d doubles were not met", others)
	}
}

// TestAway: while the centre fails, or refuses the token, changes wait, health says how many and
// why, and no secret is in it.
func TestAway(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		token string
		fails int
		want  string
	}{"a revoked token": {"revoked-secret", 0, "refuses the token"}, "an error": {"token", 503, "HTTP 503"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &centre{place: contract.Place{Instance: "mine"}, refuse: func([]string) (int, string) { return x.fails, "" }}
			s := run(t, c, 7, x.token, func(s *Shipper) bool { return s.now().trouble != "" && s.now().waiting == 7 })
			s.mu.Lock()
			s.state.since = time.Now().Add(-time.Hour)
			s.mu.Unlock()
			var h contract.Health
			s.Health(t.Context(), &h)
			if h.Centre.OK || !strings.Contains(h.Centre.Error, x.want) || !h.Warned("centre-away") {
				t.Errorf("health: %+v %+v", h.Centre, h.Warnings)
			}
			if strings.Contains(fmt.Sprint(h.Warnings, h.Centre), "revoked-secret") {
				t.Error("health tells the token")
			}
			if len(s.Metrics()) != 4 {
				t.Errorf("%d metrics", len(s.Metrics()))
			}
		})
	}
}

// TestUnfit: which answers mean that the batch itself is at fault.
func TestUnfit(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{401: false, 403: false, 413: true, 422: true, 429: false, 500: false, 503: false} {
		if got := errors.Is(fmt.Errorf("ship: %w", &answerError{status: status}), errUnfit); got != want {
			t.Errorf("HTTP %d is unfit: %t", status, got)
		}
	}
}
