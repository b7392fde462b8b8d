// Package link holds what the connections to a PBX have in common, whatever
// they speak: the states, what health tells of them, and the waiting between
// two tries.
package link

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// State is how the link to the PBX stands.
type State string

// The states of a link.
const (
	Down       State = "down"       // not connected; Status.Reason says why, Status.NextTry when it tries again
	Connecting State = "connecting" // dialling, logging in, waiting for the first list of channels
	Up         State = "up"         // logged in, events come, the first list of channels was taken or refused
)

// Status is what health tells of a link. Times are UTC, and zero until it
// happened.
type Status struct {
	State     State
	Since     time.Time // when this state began
	Reason    string    // why it is down; empty otherwise
	NextTry   time.Time // when down: when it connects again; zero: not any more
	Address   string    // as the options have it
	Sessions  uint64    // how often it was up, or logged in, since the start
	Malformed uint64    // messages that could not be read, since the start
	// Warnings are what the PBX refused or does not tell in this session, and voipd
	// can go on without, each with what to change. Nil: none.
	Warnings []string
}

// Backoff says how long to wait before the next try. Zero values mean the
// defaults.
type Backoff struct {
	First   time.Duration // after the first failure; then half as much again each time, ±50 %. Default 500 ms
	Max     time.Duration // at most, before the ±50 %. Default 30 s
	Refused time.Duration // after an error that is ErrRefused: more tries would only get voipd locked out. Default 60 s
	Stable  time.Duration // a session that was up this long makes the next wait First again. Default 60 s
}

// ErrRefused is what a session ends with, wrapped or by an Is method, when the
// PBX is there and does not let voipd in, so that trying again soon would not
// help.
var ErrRefused = errors.New("login refused")

// WithDefaults returns b with its zero values replaced.
func (b Backoff) WithDefaults() Backoff {
	b.First = cmp.Or(b.First, 500*time.Millisecond)
	b.Max = cmp.Or(b.Max, 30*time.Second)
	b.Refused = cmp.Or(b.Refused, time.Minute)
	b.Stable = cmp.Or(b.Stable, time.Minute)
	return b
}

// Keep runs one session after another until ctx ends, and returns ctx's error.
// b is used as it is: call WithDefaults first.
//
// session lives one connection, from dialling to its end. It says since when
// it was up, zero if it never was, and why it ended; the error must not be nil.
// enter gets each change of state but Up, which is the session's own to tell.
// Both are called on the goroutine of Keep.
func (b Backoff) Keep(ctx context.Context, enter func(state State, reason string, nextTry time.Time), session func(context.Context) (upSince time.Time, err error)) error {
	wait := &backoff.ExponentialBackOff{InitialInterval: b.First, MaxInterval: b.Max, Multiplier: 1.5, RandomizationFactor: 0.5}
	wait.Reset()
	for {
		enter(Connecting, "", time.Time{})
		upSince, err := session(ctx)
		if ctx.Err() != nil {
			break
		}
		if !upSince.IsZero() && time.Since(upSince) >= b.Stable {
			wait.Reset()
		}
		pause := wait.NextBackOff()
		if errors.Is(err, ErrRefused) {
			pause = b.Refused
		}
		enter(Down, err.Error(), time.Now().UTC().Add(pause))
		select {
		case <-time.After(pause):
			continue
		case <-ctx.Done():
		}
		break
	}
	enter(Down, "stopped", time.Time{})
	return ctx.Err()
}
