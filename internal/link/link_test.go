package link_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// TestKeep: the waits grow to Max, begin anew after a stable session, and are
// long after a refusal; each state is told with its reason.
func TestKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		b := link.Backoff{First: time.Second, Max: 10 * time.Second, Refused: time.Hour, Stable: time.Minute}
		var waits []time.Duration
		var told []string
		enter := func(s link.State, reason string, next time.Time) {
			told = append(told, string(s)+" "+reason)
			if s == link.Down && !next.IsZero() {
				waits = append(waits, time.Until(next))
			}
		}
		tries := 0
		err := b.Keep(ctx, enter, func(ctx context.Context) (time.Time, error) {
			tries++
			switch tries {
			case 11: // was up for less than Stable
				up := time.Now()
				<-time.After(time.Minute - 1)
				return up, errors.New("cut")
			case 12:
				up := time.Now()
				<-time.After(time.Minute)
				return up, errors.New("cut")
			case 13:
				return time.Time{}, fmt.Errorf("login: %w", link.ErrRefused)
			case 14:
				cancel()
				return time.Time{}, ctx.Err()
			}
			return time.Time{}, errors.New("away")
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Keep ended with %v", err)
		}
		between := func(i int, least, most time.Duration) {
			if waits[i] < least || waits[i] > most {
				t.Errorf("wait %d is %v, want %v to %v", i+1, waits[i], least, most)
			}
		}
		if len(waits) != 13 {
			t.Fatalf("%d waits: %v", len(waits), waits)
		}
		between(0, time.Second/2, 3*time.Second/2)
		between(9, 5*time.Second, 15*time.Second)
		between(10, 5*time.Second, 15*time.Second)
		between(11, time.Second/2, 3*time.Second/2)
		between(12, time.Hour, time.Hour)
		if want := []string{"connecting ", "down away", "connecting "}; !slices.Equal(told[:3], want) {
			t.Errorf("told %q, want %q", told[:3], want)
		}
		if want := []string{"down login: login refused", "connecting ", "down stopped"}; !slices.Equal(told[len(told)-3:], want) {
			t.Errorf("told %q at the end, want %q", told[len(told)-3:], want)
		}
	})
}

func TestWithDefaults(t *testing.T) {
	if got, want := (link.Backoff{Max: time.Hour}).WithDefaults(), (link.Backoff{First: 500 * time.Millisecond, Max: time.Hour, Refused: time.Minute, Stable: time.Minute}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
