package backfill

import (
	"slices"
	"strings"

	"github.com/voipd/voipd/record"
)

// This file tells who rang whom, which CEL has no row for.

// rings: CEL has no DialBegin. The channel is rung by the one of its call that
// rings others: the last that began to and names it, else the half of a Local
// channel that was made to ring somebody, else the last.
func (t *celCalls) rings(dst []record.Event, c *celChannel, r celRow) []record.Event {
	var by *celChannel
	element := ""
	all := slices.DeleteFunc(t.diallers[r.linked], func(d *celChannel) bool { return d.over })
	t.diallers[r.linked] = all
	var last *celChannel
	for _, d := range slices.Backward(all) {
		if !d.dials() || d == c {
			continue
		}
		if text, ok := d.names(r.channel); ok {
			by, element = d, text
			break
		}
		if last == nil {
			last = d
		}
	}
	if by == nil {
		by = t.goesOn(c, r)
	}
	if by == nil {
		by = last
	}
	if by == nil {
		by = t.waits(r.linked, c)
	}
	if by == nil {
		return dst
	}
	c.rung, c.by = true, by.fact
	by.rings = append(by.rings, c)
	return append(dst, record.Event{At: r.at, Kind: record.DialStarted, Source: record.SourceCEL, Channel: by.fact, Peer: c.fact,
		PeerNumber: r.number, Value: element})
}

// goesOn is the second half of a Local channel that a new channel of its call is
// rung by, where cel.conf does not list Dial: the one made for that number
// ("Local/102@from-queue-…;2" rings PJSIP/102), else, for one that is no
// extension's own, the latest that has rung nobody.
func (t *celCalls) goesOn(c *celChannel, r celRow) *celChannel {
	_, endpoint, _ := strings.Cut(endpointOf(r.channel), "/")
	var found *celChannel
	sure := false // its number is the endpoint's
	for _, d := range t.names {
		number, is := strings.CutPrefix(d.fact.Name, "Local/")
		if !is || !strings.HasSuffix(number, ";2") || d.fact.Linked != r.linked || d.over || d.app != "" || d.bridge != "" ||
			d.fact.Name[:len(d.fact.Name)-1] == r.channel[:len(r.channel)-1] {
			continue
		}
		number, _, _ = strings.Cut(number, "@")
		named := number == endpoint
		if !named && (record.Digits(endpoint) || len(d.rings) > 0) {
			continue
		}
		if found == nil || named && !sure || named == sure && d.first > found.first {
			found, sure = d, named
		}
	}
	return found
}

// waits is the channel that began a call, as long as it talks to nobody: where
// cel.conf does not list the application that rings (apps = dial,park, as it
// comes, leaves Queue out), somebody who is rung is rung for it.
func (t *celCalls) waits(linked string, rung *celChannel) *celChannel {
	first := t.channels[linked]
	if first == nil || first == rung || first.over || first.bridge != "" {
		return nil
	}
	return first
}

// names tells whether the dial string that a channel runs names another, and
// gives its element for it: "89161000001@trunk-a" of "PJSIP/89161000001@trunk-a".
func (c *celChannel) names(channel string) (string, bool) {
	i, element := dialElement(c.data, channel, c.used)
	if i < 0 {
		return "", false
	}
	for len(c.used) <= i {
		c.used = append(c.used, false)
	}
	c.used[i] = true
	return element, true
}

// dialElement finds the first element of a Dial's data, not yet used, that
// rings the channel; -1 for none.
func dialElement(data, channel string, used []bool) (int, string) {
	tech, endpoint, _ := strings.Cut(endpointOf(channel), "/")
	targets, _, _ := strings.Cut(data, ",")
	for i, target := range strings.Split(targets, "&") {
		if i < len(used) && used[i] {
			continue
		}
		how, rest, _ := strings.Cut(target, "/")
		if how != tech || endpoint == "" {
			continue
		}
		whole := strings.TrimSuffix(rest, "/n")
		_, at, _ := strings.Cut(rest, "@")
		before, _, _ := strings.Cut(rest, "/")
		if whole == endpoint || at == endpoint || before == endpoint {
			return i, rest
		}
	}
	return -1, ""
}
