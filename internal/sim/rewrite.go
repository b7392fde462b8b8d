package sim

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
)

// seen collects the names that a capture uses, in the order in which they come.
type seen struct{ ids, channels, bridges names }

type names struct {
	list []string
	has  map[string]bool
}

func (n *names) add(s string) {
	if !n.has[s] {
		n.has[s] = true
		n.list = append(n.list, s)
	}
}

func newSeen() *seen {
	return &seen{names{has: map[string]bool{}}, names{has: map[string]bool{}}, names{has: map[string]bool{}}}
}

// channelSuffix is what makes a channel's name unique: eight hex digits, and which half of a Local channel it is.
const channelSuffixLen = len("-0000000f")

func (s *seen) note(m *ami.Message) {
	for _, f := range m.Fields() {
		value := string(f.Value)
		switch {
		case bytes.HasSuffix(f.Key, []byte("BridgeUniqueid")):
			s.addBridge(value)
		case bytes.HasSuffix(f.Key, []byte("niqueid")), bytes.HasSuffix(f.Key, []byte("inkedid")):
			if epoch, sequence := splitID(value); epoch > 0 && sequence >= 0 {
				s.ids.add(value)
			}
		case bytes.HasSuffix(f.Key, []byte("Channel")):
			name, _, _ := strings.Cut(value, ";")
			if i := len(name) - channelSuffixLen; i > 0 && name[i] == '-' && strings.Contains(name, "/") {
				s.channels.add(name)
			}
		}
	}
}

func (s *seen) addBridge(id string) {
	if len(id) == len("307cfcdd-0935-4424-981d-8aacbd78eabc") {
		s.bridges.add(id)
	}
}

// splitID gives the two numbers of a unique id without a system name; -1 where there are none.
func splitID(id string) (epoch, sequence int64) {
	e, n, _ := strings.Cut(id, ".")
	epoch, err := strconv.ParseInt(e, 10, 64)
	if err != nil {
		return -1, -1
	}
	sequence, err = strconv.ParseInt(n, 10, 64)
	if err != nil {
		return -1, -1
	}
	return epoch, sequence
}

// numbering hands out what has to be unique on one PBX.
type numbering struct {
	sequence int64  // of unique ids
	channel  uint32 // of channel names
	play     uint32 // of plays
}

// rewriting makes a capture's names into those of a new call that begins at begin. monitor, if not empty, is where the
// PBX writes recordings.
func (n *numbering) rewriting(c *Capture, begin time.Time, monitor string) *strings.Replacer {
	n.play++
	shift := begin.Unix() - c.began.Unix()
	var pairs [][2]string
	first, last := int64(-1), int64(0)
	for _, id := range c.ids {
		_, sequence := splitID(id)
		last = max(last, sequence)
		if first < 0 || sequence < first {
			first = sequence
		}
	}
	for _, id := range c.ids {
		epoch, sequence := splitID(id)
		pairs = append(pairs, [2]string{id, fmt.Sprintf("%d.%d", epoch+shift, n.sequence+sequence-first)})
	}
	if first >= 0 {
		n.sequence += last - first + 1
	}
	for _, name := range c.channels {
		pairs = append(pairs, [2]string{name, fmt.Sprintf("%s-%08x", name[:len(name)-channelSuffixLen], n.channel)})
		n.channel++
	}
	for _, id := range c.bridges {
		pairs = append(pairs, [2]string{id, fmt.Sprintf("%08x%s", n.play, id[8:])})
	}
	pairs = append(pairs, c.dates(time.Duration(shift)*time.Second)...)
	if monitor != "" {
		pairs = append(pairs, c.monitors(monitor)...)
	}
	// 1795.2 begins 1795.23: the longer one first.
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return cmp.Compare(len(b[0]), len(a[0])) })
	var flat []string
	for _, p := range pairs {
		flat = append(flat, p[0], p[1])
	}
	return strings.NewReplacer(flat...)
}

// dates are those in the names of recordings: 2026/11/22 and 20261122-164952. The captured PBX lived in UTC.
func (c *Capture) dates(shift time.Duration) [][2]string {
	var pairs [][2]string
	done := map[string]bool{}
	day, second := regexp.MustCompile(`/\d{4}/\d\d/\d\d/`), regexp.MustCompile(`-\d{8}-\d{6}-`)
	for _, e := range c.events {
		for _, form := range []struct {
			found  []string
			layout string
		}{{day.FindAllString(e.raw, -1), "/2006/01/02/"}, {second.FindAllString(e.raw, -1), "-20060102-150405-"}} {
			for _, text := range form.found {
				if at, err := time.Parse(form.layout, text); err == nil && !done[text] {
					done[text] = true
					if len(text) == len("/2006/01/02/") {
						at = c.began.Truncate(time.Second) // the day alone would round the shift
					}
					pairs = append(pairs, [2]string{text, at.Add(shift).Format(form.layout)})
				}
			}
		}
	}
	return pairs
}

// monitors are the directories in which the captured PBX kept recordings.
func (c *Capture) monitors(here string) [][2]string {
	var pairs [][2]string
	done := map[string]bool{}
	found := regexp.MustCompile(`/[\w./-]*/monitor/`)
	for _, e := range c.events {
		for _, text := range found.FindAllString(e.raw, -1) {
			if !done[text] {
				done[text] = true
				// Without the last slash, which begins the date behind it.
				pairs = append(pairs, [2]string{strings.TrimSuffix(text, "/"), strings.TrimSuffix(here, "/")})
			}
		}
	}
	return pairs
}

// stamp puts Asterisk's Timestamp header (timestampevents = yes) where Asterisk puts it, behind Privilege.
func stamp(raw string, at time.Time) string {
	i := strings.Index(raw, "\nPrivilege: ")
	if i < 0 {
		return raw
	}
	end := i + 1 + strings.IndexByte(raw[i+1:], '\n') + 1
	return fmt.Sprintf("%sTimestamp: %d.%06d\r\n%s", raw[:end], at.Unix(), at.Nanosecond()/1000, raw[end:])
}
