package record

import "sort"

// This file takes in the list of channels that the PBX gives after each
// connect. Presence counts only from the list itself: what was known before
// the list began and is not in it has ended while nobody listened.

func (m *Machine) applySnapshot(dst []Change, e Event) []Change {
	switch e.Kind {
	case Gapped:
		m.gapped = m.events
		m.snapshot = 0 // a list that goes on may have lost a line: who is not in it need not be gone
		for _, c := range m.calls {
			c.gap = "facts were missed: " + e.Value
			// Somebody may have been rung, and be gone again. Of a talk, a recording may
			// have begun: the list of channels does not show one.
			if !c.talking() || len(c.recordings) == 0 {
				c.approximate(c.gap)
			}
		}
	case SnapshotBegan:
		m.snapshot = m.events
	case ChannelPresent:
		return m.present(dst, e)
	case SnapshotEnded:
		return m.snapshotEnded(dst, e)
	}
	return dst
}

func (m *Machine) present(dst []Change, e Event) []Change {
	known := m.channels[e.Channel.ID]
	ch, dst := m.meet(dst, e, e.Channel)
	if ch == nil {
		return dst
	}
	if c := ch.call; c.gap != "" && (known == nil || ch.state != e.State || bridgeID(ch) != e.Bridge) {
		c.approximate(c.gap) // what is seen now is not what was seen last
	}
	m.follow(ch, e)
	if e.Key != "" && ch.app == "" {
		m.executed(ch, e)
	}
	switch {
	case e.Bridge != "":
		e.BridgeKind = m.kindOf(e)
		if bridgeID(ch) != e.Bridge {
			unsure(ch.bridge)
			unsure(m.bridges[e.Bridge])
		}
		return m.bridgeEntered(dst, ch, e)
	case ch.bridge != nil:
		unsure(ch.bridge)
		return m.leave(dst, ch, e.At)
	case ch.waits != "":
		return m.agentLeft(dst, ch, e.At)
	}
	return dst
}

// unsure notes that somebody came into a bridge or left it during a gap: the
// other members of a conference are calls of their own.
func unsure(b *bridge) {
	if b == nil {
		return
	}
	for _, ch := range b.members {
		if gap := ch.call.gap; gap != "" {
			ch.call.approximate(gap)
		}
	}
}

func bridgeID(ch *channel) string {
	if ch.bridge == nil {
		return ch.waits
	}
	return ch.bridge.id
}

// kindOf guesses a bridge's kind in a list of channels, which does not tell
// it: by the application of the channel that is in it.
func (m *Machine) kindOf(e Event) BridgeKind {
	if e.BridgeKind != Mixing { // ARI tells it
		return e.BridgeKind
	}
	if b := m.bridges[e.Bridge]; b != nil {
		return b.kind
	}
	switch e.Key {
	case "ConfBridge", "MeetMe":
		return Conference
	case "Park", "ParkedCall":
		return Holding
	}
	return Mixing
}

func (m *Machine) snapshotEnded(dst []Change, e Event) []Change {
	if m.snapshot == 0 {
		return dst
	}
	began := m.snapshot
	m.snapshot = 0
	defer func() {
		for _, c := range m.calls {
			c.gap = ""
		}
	}()
	// A channel of which something was heard since the last gap is on its way out:
	// the PBX lists it no more, and tells its end in a moment.
	if m.gapped > 0 {
		began = min(began, m.gapped)
	}
	var missing []*channel
	for _, ch := range m.channels {
		if ch.touched < began {
			missing = append(missing, ch)
		}
	}
	sort.Slice(missing, func(i, j int) bool { return missing[i].id < missing[j].id })
	for _, ch := range missing {
		c := ch.call
		c.approximate("its end was not seen")
		c.unseenEnd = true
		at := ch.call.last // the latest moment at which it was there for certain
		if ch.bridge != nil {
			unsure(ch.bridge)
			dst = m.leave(dst, ch, at)
		}
		dst = m.agentLeft(dst, ch, at)
		dst = m.remove(dst, ch, at)
	}
	m.shrink()
	return m.hearConferences(dst, e.At)
}
