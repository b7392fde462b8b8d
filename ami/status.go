package ami

import (
	"slices"
	"time"
)

// State is how the link to the PBX stands.
type State string

// The states of a Client.
const (
	Down       State = "down"       // not connected; Reason says why, NextTry when it goes on
	Connecting State = "connecting" // dialling, logging in, waiting for the first snapshot
	Up         State = "up"         // logged in, events come, the first snapshot was taken or refused
)

// Status is what health tells of a link. Times are zero until it happened.
type Status struct {
	State   State
	Since   time.Time // when this state began
	Reason  string    // why it is down; empty otherwise
	NextTry time.Time // when down: when it connects again
	Address string
	Version string // AMI version of the banner, such as "11.0.0"
	// Booted says that this session saw FullyBooted. Asterisk sends it to users that may read class system only, so
	// that false means unknown.
	Booted    bool
	Sessions  uint64    // how many logins there were
	Snapshots uint64    // how many CoreShowChannels were answered in full
	LastHeard time.Time // when bytes last came, answers to pings among them
	LastEvent time.Time // when an event last came
	// Malformed counts messages that could not be used, BadLines lines that were no header in messages that could,
	// Unmatched responses that nobody waited for (any more).
	Malformed, BadLines, Unmatched uint64
	// Warnings are what the PBX refused at this login and is not needed to go on, each with what to do about it.
	Warnings []string
}

// Status returns how the link stands now. Safe for concurrent use, and never waits for the network.
func (c *Client) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.snapshotStatus()
}

func (c *Client) snapshotStatus() Status {
	s := c.status
	s.Warnings = slices.Clone(s.Warnings)
	s.LastHeard, s.LastEvent = unixNano(c.heard.Load()), unixNano(c.event.Load())
	s.Malformed, s.BadLines, s.Unmatched = c.malformed.Load(), c.badLines.Load(), c.unmatched.Load()
	return s
}

func unixNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// enter changes the state and tells it. Only the goroutine of Run calls it.
func (c *Client) enter(state State, reason string, nextTry time.Time) {
	c.mu.Lock()
	before := c.status
	c.status.State, c.status.Since = state, time.Now().UTC()
	c.status.Reason, c.status.NextTry = reason, nextTry
	now := c.snapshotStatus()
	c.mu.Unlock()

	switch {
	case state == Up:
		c.opts.Log.Info("AMI link is up", "address", now.Address, "version", now.Version)
	case state == Down && nextTry.IsZero():
		c.opts.Log.Info("AMI link is closed", "address", now.Address, "reason", reason)
	case state == Down && reason != c.lastReason:
		// A PBX that stays away is told once, and again when the reason changes.
		c.opts.Log.Warn("AMI link is down", "address", now.Address, "reason", reason, "next_try_in", time.Until(nextTry).Round(time.Millisecond))
	default:
		c.opts.Log.Debug("AMI link", "state", state, "before", before.State, "reason", reason)
	}
	switch state {
	case Up:
		c.lastReason = ""
	case Down:
		c.lastReason = reason
	}
	c.opts.OnState(now)
}

// warn notes what goes on without, for health, and logs it.
func (c *Client) warn(text string) {
	c.mu.Lock()
	c.status.Warnings = append(c.status.Warnings, text)
	c.mu.Unlock()
	c.opts.Log.Warn("AMI: " + text)
}
