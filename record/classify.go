package record

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// This file tells what a channel is: a person of the organisation and at which
// extension, somebody outside, or a helper.

// role is what a channel is in a call.
type role uint8

const (
	helper   role = iota // Local halves, recorders, announcers: followed through, never a party
	operator             // a person of the organisation
	external             // a person outside, over a trunk
)

// shown is what is known of a channel beside its name.
type shown struct {
	class  string // what the PBX shows its endpoint to be, as in [Channel]
	number string // the caller ID that it was made with: of a phone, that of its endpoint
	rung   bool   // the PBX made it, to ring it
	user   string // whose phone the dialplan says that it is
}

// class is what a channel is.
type class struct {
	role     role
	endpoint string         // "101", "trunk-a"; none for a helper
	ext      string         // the operator's extension
	by       *regexp.Regexp // the pattern that decided; nil: none
	given    bool           // the admin gave the endpoint's extension

	byCallerID bool // nothing but the caller ID that it was made with shows whose it is
}

// classify tells what a channel is: what the admin says of it first (its extension,
// then patterns of his own), then what the PBX shows, then the shape of its name.
func (r *Rules) classify(name string, s shown) class {
	tech, rest, ok := strings.Cut(name, "/")
	if !ok || r.helper(tech) {
		return class{}
	}
	c := class{role: external, endpoint: rest}
	if i := strings.LastIndexByte(rest, '-'); i > 0 {
		c.endpoint = rest[:i] // "101-0000000f", and DAHDI's "i1/79031234567-1"
	}
	whole := name[:len(tech)+1+len(c.endpoint)]
	if ext := r.Endpoints[whole]; ext != "" {
		c.role, c.ext, c.given = operator, ext, true
		return c
	}
	for _, p := range r.Trunks {
		if p.MatchString(whole) {
			c.by = p
			return c
		}
	}
	s.class = cmp.Or(s.class, r.Shown[whole])
	if ext, by := r.extensionBy(c.endpoint); by != nil && !(r.Guessed && (s.class == ClassTrunk || hasPorts(tech))) {
		c.role, c.ext, c.by = operator, r.namedPerson(ext, s), by
		return c
	}
	if ext := r.shownPerson(tech, c.endpoint, s); ext != "" {
		c.role, c.ext = operator, ext
	} else if s.class == "" && s.rung && r.short(s.number) {
		c.role, c.ext, c.byCallerID = operator, s.number, true // the endpoint's own: a trunk has none, or the company's number
	}
	return c
}

// name gives a channel its name, and with it what it is.
func (m *Machine) name(ch *channel, name, shows string) {
	m.origins.remove(device(ch.name), ch)
	m.operators.remove(ch.ext, ch)
	ch.name, ch.shownAs = name, shows
	known := shown{class: shows, user: ch.user, rung: ch.born == Down}
	if ch.seen && !ch.outside {
		known.number = ch.number // later it is what was dialled to ring it
	}
	was := m.rules.classify(name, known)
	ch.role, ch.endpoint, ch.ext, ch.guessed = was.role, was.endpoint, was.ext, was.byCallerID
	if ch.begins {
		m.origins.add(device(name), ch)
	}
	if ch.call != nil {
		ch.call.phones = nil
	}
	if ch.role == operator {
		m.operators.add(ch.ext, ch)
	}
}

// helper tells whether channels of a technology are never a party.
func (r *Rules) helper(tech string) bool {
	switch tech {
	case "Local", "Bridge", "Recorder", "Announcer", "CBAnn", "CBRec", "Snoop", "MulticastRTP",
		"UnicastRTP", "AudioSocket", "WebSocket", "Surrogate", "AsyncGoto", "Message", "ConfBridgeRecorder", "ConfBridgeAnnouncer", "Parked":
		return true
	}
	return slices.Contains(r.Helpers, tech)
}

// hasPorts tells whether a technology names its endpoints by port: DAHDI/33 is the
// 33rd line of a card, whoever is on it.
func hasPorts(tech string) bool { return tech == "DAHDI" || tech == "Zap" }

// namedPerson is the extension of an endpoint whose name a pattern makes ext. A name
// that is no number, or has something before the number (99101 is the browser of
// 101), gives way to what is shown.
func (r *Rules) namedPerson(ext string, s shown) string {
	kind, number, _ := strings.Cut(s.class, " ")
	users := []string{s.user}
	if kind == ClassOperator {
		users = append(users, number)
	}
	for _, n := range users {
		if r.Guessed && r.short(n) {
			return n
		}
	}
	for _, n := range [...]string{s.user, number, s.number} {
		if r.short(n) && (!Digits(ext) || r.Guessed && ext != n && strings.HasSuffix(ext, n)) {
			return n
		}
	}
	return ext
}

// shownPerson is the extension of an endpoint that no pattern makes one; empty for
// one that leads outside.
func (r *Rules) shownPerson(tech, endpoint string, s shown) string {
	kind, number, _ := strings.Cut(s.class, " ")
	if r.outside(number) {
		number = "" // the company's, and not his alone
	}
	switch {
	case kind == ClassOperator:
		return number
	case kind == ClassTrunk:
		return ""
	case r.Guessed && r.short(s.user):
		return s.user
	case kind == ClassExtension:
		return cmp.Or(number, endpoint)
	case r.Guessed && hasPorts(tech) && Digits(endpoint) && r.short(s.number):
		return s.number // a line from outside has none at first, or a whole number
	}
	return ""
}

// short tells whether a caller ID is an extension's number: two to six digits that do
// not lead outside.
func (r *Rules) short(number string) bool {
	return ShortNumber(number) && !r.outside(number)
}

// ShortNumber tells whether s can be the number of an extension or a service: two to
// six digits. One that leads outside may be as short (112).
func ShortNumber(s string) bool { return len(s) >= 2 && len(s) <= 6 && Digits(s) }

// Digits tells whether s is a number and nothing else: one digit at least, and no
// other character.
func Digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Class says what an endpoint of the PBX ("PJSIP/101", "PJSIP/trunk-a") is to
// voipd, and why: for the admin who wants to know.
//
// shows and because are what the PBX shows it to be ([Channel].Class), and what
// shows it.
func (r *Rules) Class(endpoint, shows, because string) (class, why string) {
	c := r.classify(endpoint+"-00000000", shown{class: shows})
	switch {
	case c.role == helper:
		return "helper", "is followed through, never a party"
	case c.given:
		return "extension " + c.ext, "is among the endpoints of a member"
	case c.role == operator && c.by == nil:
		return "extension " + c.ext, because
	case c.role == operator && strings.HasSuffix(shows, " "+c.ext) && c.ext != c.endpoint:
		return "extension " + c.ext, because + "; matches numbers.extensions " + c.by.String()
	case c.role == operator:
		return "extension " + c.ext, "matches numbers.extensions " + c.by.String()
	case c.by != nil:
		return "trunk", "matches numbers.trunks " + c.by.String()
	case shows == ClassTrunk:
		return "trunk", because
	}
	return "trunk", "matches no pattern: what is no extension leads outside"
}

// Operator tells whose an endpoint of the PBX ("PJSIP/101-mobile") is: the
// operator's extension; ok is false for one that leads outside. shows is as in
// [Rules.Class].
func (r *Rules) Operator(endpoint, shows string) (extension string, ok bool) {
	c := r.classify(endpoint+"-00000000", shown{class: shows})
	return c.ext, c.role == operator
}

// extension tells whether a number is an operator's extension, and which. Where the
// PBX says which it has, a number of the usual shape alone is none: it may be a
// group's.
func (r *Rules) extension(s string) (string, bool) {
	ext, by := r.extensionBy(s)
	switch {
	case !r.Guessed || r.Numbers == nil:
		return ext, by != nil
	case by != nil && r.Numbers[ext]:
		return ext, true
	}
	return s, r.Numbers[s]
}

func (r *Rules) extensionBy(s string) (ext string, by *regexp.Regexp) {
	if s == "" {
		return "", nil
	}
	for _, p := range r.Extensions {
		m := p.FindStringSubmatch(s)
		switch {
		case m == nil:
		case len(m) > 1 && m[1] != "":
			return m[1], p
		default:
			return s, p
		}
	}
	return "", nil
}
