package ami

import (
	"slices"
	"time"

	"github.com/voipd/voipd/internal/link"
)

// Status is what health tells of an AMI link. Times are UTC, and zero until it
// happened; counts are since the start.
type Status struct {
	link.Status
	Version string // AMI version in the greeting, such as "11.0.0"; empty: never connected
	// Booted: FullyBooted came in this session. Asterisk sends it only to users that may read class system, so false
	// means unknown.
	Booted    bool
	Snapshots uint64    // how many CoreShowChannels were answered in full
	LastHeard time.Time // when bytes last came, of whatever kind
	LastEvent time.Time // when an event last came
	BadLines  uint64    // lines that were no header, in messages that could be used all the same
	Unmatched uint64    // responses that nobody waited for, or no longer
}

// Status returns the state of the link now. It never waits for the network.
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
func (c *Client) enter(state link.State, reason string, nextTry time.Time) {
	c.mu.Lock()
	before := c.status
	c.status.State, c.status.Since = state, time.Now().UTC()
	c.status.Reason, c.status.NextTry = reason, nextTry
	now := c.snapshotStatus()
	c.mu.Unlock()

	switch {
	case state == link.Up:
		c.opts.Log.Info("AMI link is up", "address", now.Address, "version", now.Version)
	case state == link.Down && nextTry.IsZero():
		c.opts.Log.Info("AMI link is closed", "address", now.Address, "reason", reason)
	case state == link.Down && reason != c.lastReason:
		// A PBX that stays away is told once, and again when the reason changes.
		c.opts.Log.Warn("AMI link is down", "address", now.Address, "reason", reason, "next_try_in", time.Until(nextTry).Round(time.Millisecond))
	default:
		c.opts.Log.Debug("AMI link", "state", state, "before", before.State, "reason", reason)
	}
	switch state {
	case link.Up:
		c.lastReason = ""
	case link.Down:
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
