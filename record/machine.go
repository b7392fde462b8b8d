package record

import (
	"strings"
	"time"
)

// remember is how long an ended channel's id is kept, so that late and
// repeated facts about it change nothing. Asterisk's own stragglers (a queue's
// second DialEnd, a CEL row) come within seconds; a minute is ample, and at
// 200 calls per second it is some 50,000 ids.
const remember = time.Minute

// Machine turns Events into Changes. Make one with [New]; it is not safe for
// use by more than one goroutine.
type Machine struct {
	rules      Rules
	channels   map[string]*channel
	bridges    map[string]*bridge
	calls      map[string]*call    // by call id
	linked     map[string]*call    // by any linkedid that leads to the call
	operators  index               // operators' channels, by extension
	origins    index               // channels of the PBX's making that began a call, by device
	most       int                 // how many calls went on at once, since their room was given back
	paging     index               // channels that run Page, by the devices that they ring
	halves     map[string]*channel // Local channels whose other half is not known yet, by name without the half
	waiting    map[string]*channel // agents, by the bridge in which each waits
	standIns   map[string]*channel // agents' in customers' calls, by the agent's channel
	agents     map[string]bool     // linkedids of agents' calls of which nothing else is known
	ended      map[string]struct{}
	fading     []fading         // ended ids, oldest first, from faded on
	faded      int              // how many of them are forgotten already
	ordered    map[string]order // calls that voipd ordered and that have no channel yet, by its id
	sentOn     []sentOn         // blind transfers of a moment ago, oldest first
	givenUp    []givenUp        // calls that operators gave up a moment ago, oldest first
	unanswered []*call          // ended originates whose OriginateResponse may still come, oldest first
	now        time.Time
	heard      Source    // of the latest fact that the PBX told
	clock      time.Time // when the PBX's clock was last set
	events     uint64
	walk       uint64   // number of walks through bridges
	snapshot   uint64   // event number of the snapshot under way; 0: none
	gapped     uint64   // event number of the latest gap; 0: there was none
	about      *channel // whom the last event was about; nil: nobody
	aboutOrder string   // the order that it was about, if it was
	compact    *call    // whose journal it made compactable; nil: nobody's
	asides     []Event  // what it was to other calls
}

type fading struct {
	id string
	at time.Time
}

// New makes a Machine that has seen nothing.
func New(r Rules) *Machine {
	return &Machine{
		rules:     r,
		channels:  make(map[string]*channel),
		bridges:   make(map[string]*bridge),
		calls:     make(map[string]*call),
		linked:    make(map[string]*call),
		halves:    make(map[string]*channel),
		operators: make(index),
		origins:   make(index),
		paging:    make(index),
		ordered:   make(map[string]order),
		ended:     make(map[string]struct{}),
		waiting:   make(map[string]*channel),
		standIns:  make(map[string]*channel),
		agents:    make(map[string]bool),
	}
}

// Open is the number of calls going on.
func (m *Machine) Open() int { return len(m.calls) }

// Touched is the id of the call that the last applied event was about, as it
// is after the event; empty where it was about none, or changed nothing: a
// channel that waits in a loop of the dialplan for days repeats itself. Facts
// that touch no call need not be kept to replay it.
func (m *Machine) Touched() string {
	if m.about == nil {
		return m.aboutOrder
	}
	return m.about.call.id
}

// Asides are what the last applied event was to other calls than the one that
// [Machine.Touched] names: facts that those need to be replayed without it. Each
// is about a channel that is there. They go into the journal behind the event.
// The slice is valid until the next Apply.
func (m *Machine) Asides() []Event { return m.asides }

// CallOf is the id of the call that a channel belongs to; empty where it is not
// there.
func (m *Machine) CallOf(channelID string) string {
	if ch := m.channels[channelID]; ch != nil {
		return ch.call.id
	}
	return ""
}

// Apply takes one fact in and appends what it decides to dst. It never fails
// and never blocks; a fact that makes no sense changes nothing.
func (m *Machine) Apply(dst []Change, e Event) []Change {
	m.events++
	m.about, m.aboutOrder, m.compact, m.asides = nil, "", nil, m.asides[:0]
	if e.Kind == ClockSet {
		m.clockSet(e)
		return dst
	}
	if e.At.After(m.now) {
		m.now = e.At
	}
	if len(m.fading) > m.faded {
		m.forget()
	}
	if e.Source != SourceClock {
		m.heard = e.Source
	}
	if len(m.ordered) > 0 {
		dst = m.expireOrders(dst)
	}
	switch e.Kind {
	case RingingsDropped:
		m.ringingsDropped(e)
		return dst
	case Accompanied, Alone, Lent, Returned, Consulted:
		return m.asideTold(dst, e)
	case SnapshotBegan, ChannelPresent, SnapshotEnded, Gapped:
		return m.applySnapshot(dst, e)
	case None:
		return dst
	case Originated:
		return m.originated(dst, e)
	case DialStarted:
		return m.dialStarted(dst, e)
	case DialEnded:
		return m.dialEnded(dst, e)
	case HungUp:
		return m.hungUp(dst, e)
	}
	if e.Kind == RecordingStarted && e.Bridge != "" {
		e.Channel.ID = m.inBridge(e.Bridge)
	}
	if e.Channel.ID == "" {
		return dst
	}
	known := m.channels[e.Channel.ID]
	if known == nil && (terminal(e.Kind) || m.standIns[e.Channel.ID] != nil) {
		return m.aboutUnknown(dst, e)
	}
	if known != nil && aboutOne(e.Kind) && known.linked == e.Channel.Linked {
		return m.applyToOne(dst, known, e)
	}
	var ch *channel
	if ch, dst = m.meet(dst, e, e.Channel); ch == nil {
		return dst
	}
	m.follow(ch, e)
	return m.applyTo(dst, ch, e)
}

// terminal tells which facts never make an unknown channel known.
func terminal(k Kind) bool {
	return k == BridgeLeft || k == QueueLeft || k == ParkAbandoned || k == HangupRequested
}

// aboutOne tells which facts change nothing but a channel and its call.
func aboutOne(k Kind) bool {
	return k == Executed || k == VariableSet || k == StateChanged || k == Identified
}

// heardEvery is how often a fact that changes nothing counts all the same: it
// says that the call was still there.
const heardEvery = 10 * time.Minute

// applyToOne applies a fact about one known channel, and notices where it says
// what was known.
func (m *Machine) applyToOne(dst []Change, ch *channel, e Event) []Change {
	before := imprintOf(ch)
	if _, dst = m.meet(dst, e, e.Channel); m.about == nil {
		return dst
	}
	m.follow(ch, e)
	dst = m.applyTo(dst, ch, e)
	if c := ch.call; imprintOf(ch) != before || e.At.Sub(c.noted) > heardEvery {
		c.noted = e.At
	} else {
		m.about = nil
	}
	return dst
}

func (m *Machine) applyTo(dst []Change, ch *channel, e Event) []Change {
	if ch.lent != nil && customers(e.Kind) {
		ch, m.about = ch.lent, ch.lent
	}
	c := ch.call
	switch e.Kind {
	case Executed:
		m.executed(ch, e)
		if strings.EqualFold(e.Key, "Page") {
			return m.pages(dst, ch, e.Value, e.At)
		}
	case VariableSet:
		m.variableSet(ch, e)
	case BridgeEntered:
		return m.bridgeEntered(dst, ch, e)
	case BridgeLeft:
		return m.bridgeLeft(dst, ch, e)
	case LocalJoined:
		return m.localJoined(dst, ch, e)
	case HangupRequested:
		m.hangupRequested(ch, e.Cause)
		if ch.lent != nil {
			m.hangupRequested(ch.lent, e.Cause)
		}
	case BlindTransferred, AttendedTransferred, PickedUp:
		return m.transferred(dst, ch, e)
	case Parked, Unparked, ParkTimedOut, ParkAbandoned:
		return m.parked(dst, ch, e)
	case Held:
		return m.holdBegan(dst, ch, e.At)
	case Resumed:
		return m.holdEnded(dst, ch, e.At)
	case QueueJoined:
		m.queueJoined(c, e.Value, e.At)
	case QueueLeft:
		m.queueLeft(c, e.At)
	case ConferenceJoined:
		return m.conferenceJoined(dst, ch, e)
	case RecordingStarted:
		if ch.recorded = true; e.Value != "" {
			m.recordingStarted(ch, e)
		}
	case VoicemailLeft:
		c.voicemail = true
	}
	return dst
}

// meet finds the channel that an event names, or makes it known. It returns
// nil for a channel that has ended: ended is terminal.
func (m *Machine) meet(dst []Change, e Event, who Channel) (*channel, []Change) {
	ch := m.channels[who.ID]
	if ch == nil {
		if who.ID == "" {
			return nil, dst
		}
		if _, over := m.ended[who.ID]; over {
			return nil, dst
		}
		return m.create(dst, e, who)
	}
	ch.touched, m.about = m.events, ch
	if ch.name == "" && who.Name != "" {
		m.name(ch, who.Name, who.Class)
		dst = m.pairHalves(dst, ch, e.At)
	} else if who.Class != "" && who.Class != ch.shownAs {
		m.name(ch, ch.name, who.Class) // the PBX was asked after the channel was made
	}
	if ch.call.last.Before(e.At) {
		ch.call.last = e.At
	}
	if who.Linked != "" && who.Linked != ch.linked {
		dst = m.relink(dst, ch, who.Linked, e.At)
	}
	return ch, dst
}

// create makes a channel known and puts it into its call, or begins one.
func (m *Machine) create(dst []Change, e Event, who Channel) (*channel, []Change) {
	ch := &channel{id: who.ID, linked: who.Linked, began: e.At, touched: m.events, seen: e.Kind == Created}
	if e.Kind == ChannelPresent {
		ch.began = e.At.Add(-e.Age)
	}
	if ch.linked == "" {
		ch.linked = ch.id
	}
	if who == e.Channel {
		ch.born, ch.number, ch.callerName, ch.first = e.State, e.Number, e.Name, e.Exten
	} else {
		ch.number = e.PeerNumber
	}
	m.name(ch, who.Name, who.Class)
	m.channels[ch.id], m.about = ch, ch
	c := m.linked[ch.linked]
	apart := c != nil && c.agent != nil || c == nil && m.agents[ch.linked] // it has his linkedid from a customer to whom he talked
	if apart {
		if c, ch.linked = m.linked[ch.id], ch.id; c != nil && c.agent != nil {
			c = nil
		}
	}
	if c == nil && who.Linked != "" && ch.born == Down {
		c, dst = m.recalled(dst, ch, e.At)
	}
	began := c == nil
	if began {
		c = m.begin(ch, e)
	}
	ch.call = c
	if ch.id == c.id {
		c.origin = ch // a fact about another channel of the call may come first
	}
	c.members, c.phones = append(c.members, ch), nil
	c.alive++
	if !began {
		c.classUntold(ch, e)
	}
	if began && !apart && (!c.bare || ch.born == Ring && ch.party()) {
		// Without linkedids, a channel that the PBX makes is most likely part of
		// a call that the next event tells.
		dst = m.begun(dst, c, e.At)
	}
	return ch, m.pairHalves(dst, ch, e.At)
}

// begun tells that a call began, once.
func (m *Machine) begun(dst []Change, c *call, at time.Time) []Change {
	if c.told {
		return dst
	}
	c.told = true
	return append(dst, Change{Kind: CallBegan, At: at, CallID: c.id, Phone: c.origin.phone(&m.rules)})
}

// tell tells a change of a call, and before it that the call began.
func (m *Machine) tell(dst []Change, c *call, change Change) []Change {
	change.CallID = c.id
	return append(m.begun(dst, c, change.At), change)
}

// begin makes the call of its first channel. The id of the call is that channel's
// linkedid, and never changes.
func (m *Machine) begin(ch *channel, e Event) *call {
	c := &call{id: ch.linked, began: ch.began, last: e.At, linked: []string{ch.linked}, source: e.Source, origin: ch,
		seq: m.events, bare: ch.linked == ch.id && e.Channel.Linked == "" && e.Peer.Linked == ""}
	if e.Source == SourceCDR {
		c.approximate("told by CDR: whole seconds, and not who hung up")
	}
	if !ch.seen {
		c.approximate("its beginning was not seen")
		if ch.rung == nil && ch.born == Up {
			ch.born = Ring
		}
	}
	if o, ok := m.ordered[ch.id]; ok {
		c.byPBX, c.pbxAsked = true, o.exten
		delete(m.ordered, ch.id)
	}
	if ch.born == Down || ch.born == Reserved {
		ch.begins = true
		m.origins.add(device(ch.name), ch)
	}
	m.calls[c.id] = c
	m.most = max(m.most, len(m.calls))
	m.linked[ch.linked] = c
	return c
}

// forget drops the ids of channels that ended long ago. The room of dropped
// ones is used again when they are the greater part, so that an event never
// pays for moving many.
func (m *Machine) forget() {
	for m.faded < len(m.fading) && m.now.Sub(m.fading[m.faded].at) > remember {
		delete(m.ended, m.fading[m.faded].id)
		m.fading[m.faded] = fading{}
		m.faded++
	}
	if m.faded > 64 && m.faded > len(m.fading)/2 {
		m.fading = append(m.fading[:0], m.fading[m.faded:]...)
		m.faded = 0
	}
}
