//go:build lab

package lab

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// watch follows the PBX's channels, to know which of them belong to which
// running scenario, which linkedid each call got, and when all is over. It
// looks at Newchannel and Hangup only.
type watch struct {
	mu       sync.Mutex
	live     map[string]*seenChannel // by uniqueid, until Hangup
	running  map[*playing]bool
	stray    []string // channels that nobody claimed, for the run's report
	linked   map[string]*playing
	owners   map[string]*playing // by uniqueid, for ever
	progress chan struct{}       // closed and replaced whenever something changed
}

type seenChannel struct {
	name  string
	owner *playing
}

// playing is a scenario while it is played.
type playing struct {
	Scenario
	holds   map[string]bool
	begun   []bool         // calls that were started
	ids     []string       // linkedid of each call, "" as long as unknown
	open    int            // channels of the scenario that live
	rang    []string       // extensions that had a channel they did not begin
	up      []string       // extensions whose channel was answered
	refused map[int]string // calls that ended before the PBX had a channel: why
	started time.Time
	ended   time.Time
}

func newWatch() *watch {
	return &watch{
		live: map[string]*seenChannel{}, running: map[*playing]bool{},
		linked: map[string]*playing{}, owners: map[string]*playing{}, progress: make(chan struct{}),
	}
}

var channelPhone = regexp.MustCompile(`^(?:PJSIP|SIP|Local)/(?:RG-\d+-|FMPR-)?([0-9*]+)[-@]`)

// begin registers a scenario; its phones are its own until end.
func (w *watch) begin(s Scenario) *playing {
	p := &playing{
		Scenario: s, holds: map[string]bool{}, begun: make([]bool, len(s.Calls)),
		ids: make([]string, len(s.Calls)), refused: map[int]string{}, started: time.Now(),
	}
	for _, h := range s.Holds() {
		p.holds[h] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[p] = true
	return p
}

func (w *watch) end(p *playing) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.ended = time.Now()
	delete(w.running, p)
}

// start notes that call i of p is about to be made.
func (w *watch) start(p *playing, i int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.begun[i] = true
}

// refuse notes that call i of p ended without the caller having been answered.
func (w *watch) refuse(p *playing, i int, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	p.refused[i] = why
	w.changed()
}

func (w *watch) changed() {
	close(w.progress)
	w.progress = make(chan struct{})
}

// see takes an event of the PBX.
func (w *watch) see(m Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m["Event"] {
	case "Newchannel":
		w.newChannel(m)
		w.changed()
	case "Newstate":
		if c := w.live[m["Uniqueid"]]; c != nil && c.owner != nil && m["ChannelState"] == "6" {
			c.owner.up = note(c.owner.up, c.name)
		}
	case "Hangup":
		if c := w.live[m["Uniqueid"]]; c != nil {
			delete(w.live, m["Uniqueid"])
			if c.owner != nil {
				c.owner.open--
			}
		}
		w.changed()
	}
}

func (w *watch) newChannel(m Message) {
	name, num := m["Channel"], m["CallerIDNum"]
	owner := w.linked[m["Linkedid"]]
	first := m["Uniqueid"] == m["Linkedid"]
	for p := range w.running {
		if !first {
			break
		}
		for i, c := range p.Calls {
			if p.begun[i] && p.ids[i] == "" && c.begins(name, num, m["Exten"]) {
				p.ids[i] = m["Linkedid"]
				owner = p
				break
			}
		}
	}
	if owner == nil {
		owner = w.holder(name)
	}
	w.live[m["Uniqueid"]] = &seenChannel{name: name, owner: owner}
	if owner == nil {
		w.stray = append(w.stray, fmt.Sprintf("%s (%s, from %s)", name, m["Uniqueid"], num))
		return
	}
	w.linked[m["Linkedid"]] = owner
	w.owners[m["Uniqueid"]] = owner
	owner.open++
	if !first {
		owner.rang = note(owner.rang, name)
	}
}

// holder is the running scenario that has the channel's phone, or the
// conference.
func (w *watch) holder(name string) *playing {
	phone := ""
	if m := channelPhone.FindStringSubmatch(name); m != nil {
		phone = m[1]
	}
	for p := range w.running {
		if p.holds[phone] || p.holds["conference"] && strings.HasPrefix(name, "CBAnn/") {
			return p
		}
	}
	return nil
}

func note(list []string, channel string) []string {
	m := channelPhone.FindStringSubmatch(channel)
	who := channel
	if m != nil {
		who = m[1]
	} else if i := strings.LastIndex(channel, "-"); i > 0 {
		who = strings.TrimPrefix(channel[:i], "PJSIP/")
	}
	for _, have := range list {
		if have == who {
			return list
		}
	}
	return append(list, who)
}

// awaitCall waits until the PBX has a channel for call i of p.
func (w *watch) awaitCall(ctx context.Context, p *playing, i int, patience time.Duration) error {
	return w.await(ctx, patience, func() bool { return p.ids[i] != "" })
}

// awaitRefusal waits until call i of p ended unanswered.
func (w *watch) awaitRefusal(ctx context.Context, p *playing, i int, patience time.Duration) error {
	return w.await(ctx, patience, func() bool { return p.refused[i] != "" })
}

// awaitIdle waits until no channel of p lives.
func (w *watch) awaitIdle(ctx context.Context, p *playing, patience time.Duration) error {
	return w.await(ctx, patience, func() bool { return p.open == 0 })
}

func (w *watch) await(ctx context.Context, patience time.Duration, done func() bool) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		w.mu.Lock()
		ok, progress := done(), w.progress
		w.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-progress:
		case <-timer.C:
			return fmt.Errorf("nothing of the kind within %v", patience)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// strays lists the channels that belonged to no scenario.
func (w *watch) strays() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.stray...)
}

// ownerOf names the scenario that a linkedid belonged to, "" if none.
func (w *watch) ownerOf(linkedid string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p := w.linked[linkedid]; p != nil {
		return p.Name
	}
	return ""
}
