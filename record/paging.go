package record

import (
	"strings"
	"time"
)

// This file finds for whom the PBX rings phones by Page: it makes their channels by
// itself, and without linkedids (ARI without channelvars) no event names the caller.

// pages notes which phones a channel pages: list is Page's argument,
// "PJSIP/102&PJSIP/103,dq,5".
func (m *Machine) pages(dst []Change, ch *channel, list string, at time.Time) []Change {
	if !ch.call.bare {
		return dst
	}
	m.pagingEnded(ch)
	ch.paged, _, _ = strings.Cut(list, ",")
	for dev := range strings.SplitSeq(ch.paged, "&") {
		m.paging.add(dev, ch)
		rung := m.origins.oldest(dev, func(c *call) bool { // the fact of the ringing may come first
			return c != ch.call && c.bare && c.byPBX && device(c.origin.name) == dev && c.alive == 1 && len(c.talks) == 0
		})
		dst = m.join(dst, ch.call, rung, at, true)
	}
	return dst
}

// pagedBy is the call that pages the phone of a channel; nil where none does.
func (m *Machine) pagedBy(ch *channel) *call {
	return m.paging.oldest(device(ch.name), func(*call) bool { return true })
}

// pagingEnded forgets whom a channel paged.
func (m *Machine) pagingEnded(ch *channel) {
	for dev := range strings.SplitSeq(ch.paged, "&") {
		m.paging.remove(dev, ch)
	}
	ch.paged = ""
}
