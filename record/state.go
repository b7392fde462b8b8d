package record

import "time"

// channel is what the Machine knows of one channel of the PBX.
type channel struct {
	id, linked, name string
	role             role
	endpoint         string // "101", "trunk-a"
	ext              string // operators: the extension
	guessed          bool   // by its caller ID alone
	outside          bool   // and wrongly so: that was the number dialled
	call             *call

	born    State // state when first seen; Ring: the far side called, Down: the PBX calls it
	seen    bool  // its beginning was seen (Created); else it was met on the way
	state   State
	began   time.Time
	up      time.Time // first time Up
	ended   time.Time // zero while alive
	touched uint64    // number of the last event about it

	number     string // caller ID number as first presented
	callerName string
	shown      string // caller ID number that the PBX gave it first
	shownAs    string // what the PBX shows its endpoint to be
	user       string // whose phone the dialplan says that it is
	exten      string
	first      string // exten when first seen: what the far side asked for
	stands     string // the last extension or service number that it came to; a macro's "s" hides it from exten
	app        string // what it does: see doing

	bridge  *bridge
	half    *channel // other half of a Local channel
	rung    *attempt // the ringing of this channel, if it is a party's
	dialled string   // number in the dial string that rang it
	owner   string   // extension on whose behalf it is rung (forwards)

	cause   int
	rang    bool   // its far side said that it rings
	mixOpts string // options of the MixMonitor that is about to start
	mixPath string

	gaveUp    time.Time // when a dialling of its own was cancelled
	quit      bool      // that was the last thing that it tried: see call.quit
	wantsDown bool      // its far side hung up
	recorded  bool      // MixMonitor runs on it
	left      string    // id of the bridge that it left last
	waits     string    // id of the bridge in which this agent waits or talks
	lent      *channel  // his stand-in in a customer's call
	standsFor *channel  // whose stand-in it is
	begins    bool      // it is of the PBX's making, and began a call
	companion string    // id of a channel of another call that is in the same conference
	paged     string    // "PJSIP/102&PJSIP/103": the phones that it rings by Page, where no linkedid says so
}

func (c *channel) alive() bool { return c.ended.IsZero() }

func (c *channel) party() bool { return c.role != helper }

// phone is what a record calls the party on this channel.
func (c *channel) phone(r *Rules) string {
	switch {
	case c.role == operator:
		return c.ext
	case c.rung != nil && c.dialled != "":
		n, _ := r.dialled(c.dialled)
		return n
	}
	if called, _ := r.dialled(c.shown); c.born == Down && withheld(c.number) && r.outside(called) {
		return called // the PBX called it, and said whom behind the channel
	}
	n, _ := r.caller(c.number)
	return n
}

// bridge is a bridge of the PBX and who is in it.
type bridge struct {
	id      string
	kind    BridgeKind
	members []*channel
	visited uint64 // last walk that came by
}

func (b *bridge) remove(c *channel) {
	for i, m := range b.members {
		if m == c {
			b.members = append(b.members[:i], b.members[i+1:]...)
			return
		}
	}
}

// attempt is one ringing of one phone.
type attempt struct {
	ch     *channel
	phone  string
	at     time.Time
	ended  time.Time
	status string // DialStatus; empty while it rings
	owner  string // extension on whose behalf an outside number is rung
	asked  string // the number at which the one who rings it stands

	dialled bool // a channel dialled it, and not the PBX itself
	told    bool // PhoneRang was told
}

func (a *attempt) open() bool { return a.ended.IsZero() && a.ch.alive() }

// talk is a time in which two parties hear each other.
type talk struct {
	a, b         *channel // b is nil in a conference: "the others"
	start, end   time.Time
	aPhone       string
	bPhone       string
	withExternal bool
}

// recording is a recording that the PBX announced.
type recording struct {
	ch      *channel
	path    string
	at      time.Time
	stopped time.Time
	bridged bool // option b: only what is heard in a bridge is written
}

// call is a set of channels and what happened among them.
type call struct {
	id      string
	began   time.Time
	last    time.Time // latest event
	noted   time.Time // latest fact about one channel that counted as touching the call
	origin  *channel
	agent   *channel // who is logged in by it and waits for customers; nil: it is no such call
	members []*channel
	phones  []string // of its operators, in the order in which they came; nil: to be gathered again
	alive   int
	linked  []string // linkedids that lead here
	seq     uint64   // number of its first event: the order of calls that began at the same time
	told    bool     // CallBegan was told
	bare    bool     // its source knows no linkedids (ARI without channelvars)
	source  Source

	byPBX    bool   // the PBX rang the first party itself
	pbxAsked string // the number that the PBX was told to connect it with
	did      string
	asked    string   // extension or service number that the origin asked for last, before anybody was rung
	services []string // numbers at which a queue or a conference began
	tried    bool     // the dialplan tried to ring somebody
	srcExt   string
	dstExt   string

	attempts   []*attempt      // by beginning; of a long call the first and the last
	dropped    droppedRingings // those between
	gone       []string        // channels of those since the journal was compacted last
	talks      []*talk
	transfers  []Transfer
	recordings []*recording

	queue      string
	queueSince time.Time
	queueWait  time.Duration
	waiting    bool
	service    string
	voicemail  bool
	conference string
	heldBy     *channel
	heldSince  time.Time
	held       time.Duration

	cancelled  bool // the calling side hung up while the call was on its way
	hungUpBy   *channel
	unseenEnd  bool
	absorbed   []string
	mergedInto string
	approx     []string
	gap        string // facts may have been missed since, and why
}

// approximate notes, once, why the record may not be exact.
func (c *call) approximate(why string) {
	for _, w := range c.approx {
		if w == why {
			return
		}
	}
	c.approx = append(c.approx, why)
}

func (c *call) talking() bool {
	for _, t := range c.talks {
		if t.end.IsZero() {
			return true
		}
	}
	return false
}

// ringing tells whether a phone rings that is not the origin's own.
func (c *call) ringing() bool {
	for _, a := range c.attempts {
		if a.open() && a.ch != c.origin {
			return true
		}
	}
	return false
}
