package capture

import (
	"time"

	"github.com/voipd/voipd/ami"
)

// clock tells when each message of a capture arrived, in the order of the
// stream: by the index, else by the anchors that the stream itself gives.
type clock struct {
	index    []piece
	anchors  []anchor
	next     int
	messages int
	now      time.Time
	stamped  bool // the messages carry timestamps
}

func (c *clock) guessed() bool { return len(c.index) == 0 && !c.stamped }

// at is when m arrived.
func (c *clock) at(m *ami.Message) time.Time {
	if len(c.index) > 0 {
		last := m.Offset() + int64(len(m.Raw())) - 1
		for c.next < len(c.index) && c.index[c.next].offset <= last {
			c.now = c.index[c.next].at
			c.next++
		}
		return c.now
	}
	c.stamped = c.stamped || m.Get("Timestamp") != nil
	for c.next < len(c.anchors) && c.anchors[c.next].message <= c.messages {
		if at := c.anchors[c.next].at; at.After(c.now) {
			c.now = at
		}
		c.next++
	}
	c.messages++
	return c.now
}
