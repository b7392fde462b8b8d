package capture

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/voipd/voipd/ami"
)

// anchor says that the message of that number did not arrive before at.
type anchor struct {
	message int
	at      time.Time
}

// guess finds the times that a stream without an index tells of itself: NTP
// times in RTCP reports, security events, the second in a new channel's
// Uniqueid, and, looking back from its end, how long each Dial rang and talked
// (DIALEDTIME_MS, ANSWEREDTIME_MS). They are estimates, and records made from
// them say so.
func guess(stream io.Reader) []anchor {
	g := &guesser{dials: map[string]*dial{}, leaves: map[string]int{}}
	reader := ami.NewReader(stream, ami.Bounds{})
	for n := 0; ; {
		m, err := reader.Next()
		var bad *ami.MalformedError
		switch {
		case errors.As(err, &bad):
			continue
		case err != nil:
			slices.SortStableFunc(g.anchors, func(a, b anchor) int { return cmp.Compare(a.message, b.message) })
			return g.anchors
		}
		g.message(n, m)
		n++
	}
}

type guesser struct {
	anchors []anchor
	now     time.Time
	dials   map[string]*dial // by the calling channel's id
	leaves  map[string]int   // by bridge: the message with which its talk ended
}

// dial is what was seen of one Dial or queue so far.
type dial struct {
	began        time.Time
	ended, left  int    // messages: its DialEnd; the first BridgeLeave of its last bridge
	answered     string // ANSWEREDTIME_MS
	connectedFor time.Time
}

func (g *guesser) anchor(n int, at time.Time) {
	g.anchors = append(g.anchors, anchor{n, at})
	if at.After(g.now) {
		g.now = at
	}
}

func (g *guesser) message(n int, m *ami.Message) {
	if at, ok := told(m); ok {
		g.anchor(n, at)
	}
	id := string(m.Get("Uniqueid"))
	d := g.dials[id]
	switch string(m.Event()) {
	case "DialBegin", "QueueCallerJoin":
		if d == nil || d.ended > 0 {
			g.dials[id] = &dial{began: g.now}
		}
	case "DialEnd":
		if d != nil {
			d.ended = n
		}
	case "BridgeEnter":
		delete(g.leaves, string(m.Get("BridgeUniqueid")))
	case "BridgeLeave":
		bridge := string(m.Get("BridgeUniqueid"))
		if _, emptied := g.leaves[bridge]; !emptied {
			g.leaves[bridge] = n
		}
		if d != nil {
			d.left = g.leaves[bridge]
		}
	case "AgentConnect":
		if d != nil {
			d.connectedFor = d.began.Add(milliseconds(m.Get("HoldTime"), time.Second))
			g.anchor(n, d.connectedFor)
		}
	case "AgentComplete":
		if d != nil && !d.connectedFor.IsZero() {
			g.anchor(n, d.connectedFor.Add(milliseconds(m.Get("TalkTime"), time.Second)))
		}
	case "VarSet":
		if d != nil {
			g.variable(d, string(m.Get("Variable")), m.Get("Value"))
		}
	}
}

// variable: a Dial that is over sets how long it rang and talked.
func (g *guesser) variable(d *dial, name string, value []byte) {
	switch {
	case name == "ANSWEREDTIME_MS":
		d.answered = string(value)
	case name == "DIALEDTIME_MS" && len(value) > 0 && d.ended > 0:
		whole, talked := milliseconds(value, time.Millisecond), milliseconds([]byte(d.answered), time.Millisecond)
		g.anchor(d.ended, d.began.Add(whole-talked))
		if d.left > d.ended {
			g.anchor(d.left, d.began.Add(whole))
		}
	}
}

func milliseconds(v []byte, unit time.Duration) time.Duration {
	n, err := strconv.ParseInt(string(v), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * unit
}

// told finds a time in a message. The second in a Uniqueid is only a hint at
// the time, never a key.
func told(m *ami.Message) (time.Time, bool) {
	for _, key := range [...]string{"Timestamp", "SentNTP"} {
		if v := m.Get(key); v != nil {
			return seconds(v)
		}
	}
	if v := m.Get("EventTV"); v != nil {
		t, err := time.Parse("2006-01-02T15:04:05.999-0700", string(v))
		return t.UTC(), err == nil
	}
	if string(m.Event()) == "Newchannel" {
		id := m.Get("Uniqueid")
		id = id[bytes.LastIndexByte(id, '-')+1:]
		if dot := bytes.IndexByte(id, '.'); dot > 0 {
			return seconds(id[:dot])
		}
	}
	return time.Time{}, false
}

func seconds(v []byte) (time.Time, bool) {
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 1e9 || f > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMicro(int64(f * 1e6)).UTC(), true
}
