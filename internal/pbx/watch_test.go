package pbx

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/contract"
)

// asked is the link to a PBX, as far as its endpoints go.
type asked struct {
	connection
	times int
	say   func(context.Context) ([]Endpoint, error)
}

func (l *asked) states(ctx context.Context) ([]Endpoint, error) {
	l.times++
	return l.say(ctx)
}

func idle101(context.Context) ([]Endpoint, error) {
	return []Endpoint{{Name: "PJSIP/101", State: "Not in use"}}, nil
}

// TestManyAskThePBXOnce: fifty wallboards that look each second cost the PBX
// one question a minute.
func TestManyAskThePBXOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pbx := &asked{say: idle101}
		r := newWatch(&Endpoints{}, func() {}, slog.New(slog.DiscardHandler))
		for range 150 {
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					if got := r.states(t.Context(), pbx); len(got) != 1 {
						t.Errorf("got %v", got)
					}
				})
			}
			all.Wait()
			<-time.After(time.Second)
		}
		if pbx.times != 3 {
			t.Errorf("in two minutes and a half the PBX was asked %d times, want 3", pbx.times)
		}
	})
}

// TestTheLastListStays: whatever comes instead of a list, the last one stays.
// The PBX is asked again soon where it did not answer; that it lists nothing is
// an answer, as of one that does not let voipd ask.
func TestTheLastListStays(t *testing.T) {
	for name, c := range map[string]struct {
		instead func(context.Context) ([]Endpoint, error)
		again   time.Duration
	}{
		"an error": {func(context.Context) ([]Endpoint, error) { return nil, errors.New("no link") }, statesAgain},
		"nothing":  {func(context.Context) ([]Endpoint, error) { return nil, nil }, statesAge},
		"silence":  {func(ctx context.Context) ([]Endpoint, error) { <-ctx.Done(); return nil, ctx.Err() }, statesAgain},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pbx := &asked{say: idle101}
				r := newWatch(&Endpoints{}, func() {}, slog.New(slog.DiscardHandler))
				r.states(t.Context(), pbx)
				<-time.After(statesAge)
				pbx.say = c.instead
				gone, leave := context.WithCancel(t.Context())
				leave()
				began := time.Now()
				for range 10 {
					if got := r.states(gone, pbx); len(got) != 1 || got[0].State != "Not in use" {
						t.Errorf("got %v", got)
					}
				}
				if took := time.Since(began); took > statesWithin || pbx.times != 2 {
					t.Errorf("ten looks took %v and %d questions", took, pbx.times-1)
				}
				<-time.After(c.again - time.Millisecond)
				if r.states(t.Context(), pbx); pbx.times != 2 {
					t.Errorf("the PBX was asked again before %v", c.again)
				}
				<-time.After(time.Millisecond)
				pbx.say = func(context.Context) ([]Endpoint, error) {
					return []Endpoint{{Name: "PJSIP/101", State: "In use"}}, nil
				}
				if got := r.states(t.Context(), pbx); len(got) != 1 || got[0].State != "In use" {
					t.Errorf("afterwards: %v", got)
				}
			})
		})
	}
}

// TestStateOf: lists and events of AMI and ARI write the same states otherwise.
func TestStateOf(t *testing.T) {
	for want, all := range map[string][]string{
		contract.Idle:    {"Not in use", "NOT_INUSE", "online", "OK (3 ms)", "Unmonitored"},
		contract.Ringing: {"Ringing", "RINGING", "Ring+Inuse", "RINGINUSE"},
		contract.Busy:    {"In use", "INUSE", "Busy", "BUSY", "On Hold", "ONHOLD", "in use"},
		contract.Offline: {"Unavailable", "UNAVAILABLE", "Invalid", "INVALID", "offline", "UNREACHABLE"},
		contract.Unknown: {"", "UNKNOWN", "Lagged", "unknown"},
	} {
		for _, s := range all {
			if got := stateOf(s); got != want {
				t.Errorf("%q is %s, want %s", s, got, want)
			}
		}
	}
}

// TestWithCalls: calls know better than devices.
func TestWithCalls(t *testing.T) {
	for _, c := range []struct {
		state        string
		rings, talks bool
		want         string
	}{
		{contract.Offline, false, false, contract.Offline},
		{contract.Busy, true, false, contract.Ringing}, // a list of ARI: in use
		{contract.Idle, true, true, contract.Busy},
		{contract.Offline, false, true, contract.Busy},
	} {
		if got := withCalls(c.state, c.rings, c.talks); got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
	}
}
