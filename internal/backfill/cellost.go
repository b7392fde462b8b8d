package backfill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

const (
	// longestSilence is how long a channel may have no row and still be taken
	// for alive. Asterisk that crashed writes no CHAN_END; without a bound such
	// channels would pile up over years of rows.
	longestSilence = 24 * time.Hour
	// lookEvery is how often, by the times of rows, such channels are looked for.
	lookEvery = time.Hour
)

// unseen marks the end of a channel that no row tells.
const unseen = "its end was not written down"

// lost ends the channels that had no row for too long, at their last one.
func (t *celCalls) lost(dst []record.Event, now time.Time) []record.Event {
	if now.Sub(t.searched) < lookEvery {
		return dst
	}
	t.searched = now
	return t.silent(dst, now, func(last time.Time) bool { return now.Sub(last) > longestSilence })
}

// silent ends, at their last row, the channels whose last row is so old.
func (t *celCalls) silent(dst []record.Event, now time.Time, old func(last time.Time) bool) []record.Event {
	var gone []*celChannel
	for _, c := range t.channels {
		if !c.over && old(c.last) {
			gone = append(gone, c)
		}
	}
	slices.SortFunc(gone, func(a, b *celChannel) int {
		return cmp.Or(a.last.Compare(b.last), strings.Compare(a.fact.ID, b.fact.ID))
	})
	for _, c := range gone {
		c.over, c.rings = true, nil
		dst = append(dst, record.Event{At: c.last, Kind: record.HungUp, Source: record.SourceCEL, Channel: c.fact, Value: unseen})
		t.ends(c, celRow{id: c.fact.ID, linked: c.fact.Linked, channel: c.fact.Name, at: now})
	}
	return dst
}
