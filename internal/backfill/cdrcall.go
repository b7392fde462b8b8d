package backfill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// cdrChannel is a channel that rows of one call name.
type cdrChannel struct {
	fact       record.Channel
	rung       bool // a row that rings it came before any of its own
	number     string
	exten      string
	context    string
	began, end time.Time
	file       string
	did        string
	doubt      string // what its rows do not tell
}

// cdrTale is the telling of one call.
type cdrTale struct {
	rows     []cdrRow
	channels map[string]*cdrChannel // by name
	order    []*cdrChannel
	events   []record.Event
}

// cdrCall turns the rows of one call into facts. A row says that its channel
// ran an application, perhaps rang another channel, and perhaps talked to it
// from answer to end.
func cdrCall(rows []cdrRow) []record.Event {
	slices.SortStableFunc(rows, func(a, b cdrRow) int {
		return cmp.Or(a.start.Compare(b.start), -cmp.Compare(first(a), first(b)), cmp.Compare(helper(a), helper(b)), cmp.Compare(a.sequence, b.sequence))
	})
	t := &cdrTale{rows: slices.Compact(rows), channels: map[string]*cdrChannel{}}
	t.mend()
	for _, r := range t.rows {
		t.meet(r.channel, r, false)
		if r.peer != "" && !r.conference() {
			t.meet(r.peer, r, true)
		}
	}
	for _, r := range t.rows {
		if r.peer != "" && r.conference() { // who came by a call of his own, of which there may be no row
			t.meet(r.peer, r, true)
		}
	}
	t.name()
	for _, c := range t.order {
		t.began(c)
	}
	for i, r := range t.rows {
		t.row(r, i)
	}
	if at := t.givenUp(); !at.IsZero() {
		t.events = append(t.events, t.channels[t.rows[0].channel].says(at, record.HangupRequested))
	}
	for _, c := range t.order {
		e := c.says(c.end, record.HungUp)
		e.Value = c.doubt
		t.events = append(t.events, e)
	}
	slices.SortStableFunc(t.events, func(a, b record.Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(cdrRank(a.Kind), cdrRank(b.Kind)))
	})
	return t.events
}

// first is 1 for a row of the channel that began the call.
func first(r cdrRow) int {
	if r.id == r.linked {
		return 1
	}
	return 0
}

// helper is 1 for a row of a Local channel: where rows have no linkedid, it is not
// the one that began the call.
func helper(r cdrRow) int {
	if strings.HasPrefix(r.channel, "Local/") {
		return 1
	}
	return 0
}

// cdrRank is the order of facts within one second.
func cdrRank(k record.Kind) int {
	order := [...]record.Kind{record.Created, record.Executed, record.DialStarted, record.PickedUp, record.HangupRequested, record.DialEnded,
		record.StateChanged, record.VariableSet, record.BridgeEntered, record.ConferenceJoined, record.BridgeLeft, record.HungUp}
	return slices.Index(order[:], k)
}

// meet notes that a row names a channel, as its own or as the one rung.
func (t *cdrTale) meet(name string, r cdrRow, rung bool) {
	c := t.channels[name]
	if c == nil {
		c = &cdrChannel{fact: record.Channel{Name: name, Linked: r.linked}, rung: rung, began: r.start}
		t.channels[name], t.order = c, append(t.order, c)
	}
	if r.end.After(c.end) {
		c.end = r.end
	}
	if rung {
		return
	}
	if c.fact.ID == "" {
		c.fact.ID, c.fact.Linked, c.number, c.exten, c.context = r.id, r.linked, r.src, r.dst, r.context
		c.did = r.did
	}
	if c.file == "" {
		c.file = r.file
	}
}

// name gives each channel its ids. A channel that was only rung has none in
// CDR: its name within the call stands for it.
func (t *cdrTale) name() {
	for _, c := range t.order {
		if c.fact.ID == "" {
			c.fact.ID = c.fact.Linked + "/" + c.fact.Name
		}
	}
}

func (c *cdrChannel) says(at time.Time, kind record.Kind) record.Event {
	return record.Event{At: at, Kind: kind, Source: record.SourceCDR, Channel: c.fact}
}

func (t *cdrTale) began(c *cdrChannel) {
	e := c.says(c.began, record.Created)
	if !c.rung {
		e.State, e.Number, e.Exten, e.Context = record.Ring, c.number, c.exten, c.context
	}
	t.events = append(t.events, e)
	if c.did != "" {
		e = c.says(c.began, record.VariableSet)
		e.Key, e.Value = "FROM_DID", c.did
		t.events = append(t.events, e)
	}
	if c.file != "" {
		e = c.says(c.began, record.VariableSet)
		e.Key, e.Value = "MIXMONITOR_FILENAME", c.file
		t.events = append(t.events, e)
	}
}

// row tells what one row says happened.
func (t *cdrTale) row(r cdrRow, number int) {
	c, peer := t.channels[r.channel], t.channels[r.peer]
	conference := r.conference()
	if !strings.HasPrefix(r.app, "App") && r.app != "" {
		e := c.says(r.start, record.Executed)
		e.Key, e.Value, e.Exten, e.Context = r.app, r.data, r.dst, r.context
		t.events = append(t.events, e)
	}
	if peer != nil && !conference {
		t.dial(r, c, peer)
	}
	if r.taker {
		t.pickedUp(r)
	}
	if r.answer.IsZero() || r.taken {
		return
	}
	e := c.says(r.answer, record.StateChanged)
	e.State = record.Up
	t.events = append(t.events, e)
	if peer == nil {
		return
	}
	e = peer.says(r.answer, record.StateChanged)
	e.State = record.Up
	t.events = append(t.events, e)
	if r.answer.Equal(r.start) && peer.rung && !conference && !r.taker {
		c.doubt = answeredFirst
	}
	bridge := r.bridgeOf(number)
	for _, member := range [...]*cdrChannel{c, peer} {
		e := member.says(r.answer, record.BridgeEntered)
		if e.Bridge = bridge; conference {
			e.BridgeKind = record.Conference
		}
		t.events = append(t.events, e)
		if conference {
			e.Kind, e.Exten = record.ConferenceJoined, r.dst
			e.Value, _, _ = strings.Cut(r.data, ",")
			t.events = append(t.events, e)
		}
		e = member.says(r.end, record.BridgeLeft)
		e.Bridge = bridge
		t.events = append(t.events, e)
		if i := t.again(member.fact.Name, r); i >= 0 && !conference {
			e.Kind, e.Bridge = record.BridgeEntered, t.rows[i].bridgeOf(i)
			t.events = append(t.events, e)
		}
	}
}

// dial tells that a row's channel rang another, and how that ended. The same
// channel in a later row of the call was not rung again: it was there.
func (t *cdrTale) dial(r cdrRow, c, peer *cdrChannel) {
	if !peer.rung || peer.began.Before(r.start) || r.taker {
		return
	}
	e := c.says(r.start, record.DialStarted)
	e.Peer, e.Exten, e.Context = peer.fact, r.dst, r.context
	_, e.Value = dialElement(r.data, r.peer, nil)
	t.events = append(t.events, e)
	if r.taken {
		return
	}
	e = c.says(r.end, record.DialEnded)
	switch e.Peer = peer.fact; r.disposition {
	case "ANSWERED":
		e.At, e.Value = r.answer, "ANSWER"
	case "BUSY", "CONGESTION":
		e.Value = r.disposition
	case "FAILED":
		e.Value = "CHANUNAVAIL"
	default:
		e.Value = "NOANSWER"
	}
	t.events = append(t.events, e)
}
