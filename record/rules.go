package record

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
)

// Rules tell a Machine what the PBX's names and numbers mean. The zero value
// is not usable: Extensions need at least one pattern (see [Rules.Check]). Rules
// are read-only once a Machine has them and may be shared.
type Rules struct {
	// Extensions match an operator's extension, as it stands in an endpoint's
	// name ("PJSIP/101-0000000f" has the endpoint 101) or in the dialplan. The
	// first group, if there is one, is the extension itself, so that several
	// devices (101-mobile, 101-desk) are one operator.
	Extensions []*regexp.Regexp
	// Guessed says that Extensions are but the usual shape of an extension and
	// not the admin's own: what the PBX shows an endpoint to be goes before them.
	Guessed bool
	// Trunks match technology and endpoint ("PJSIP/trunk-a"). A match wins over
	// Extensions. What is neither a trunk, an extension nor a helper channel is
	// held to lead outside.
	Trunks []*regexp.Regexp
	// Outside match numbers, as dialled and rewritten, that lead outside.
	Outside []*regexp.Regexp
	// Dialled are rewrites of numbers that operators dial, for example to drop
	// a leading 9. Each is tried in order; all that match apply.
	Dialled []Rewrite
	// Callers are rewrites of numbers of callers from outside.
	Callers []Rewrite
	// ExtSeparators are characters that separate a number from the extension
	// behind it: with "," the number 84951234567,123 has the extension 123.
	// ";ext=" is always understood.
	ExtSeparators string
	// SrcExtVariable and DstExtVariable name channel variables that carry the
	// other side's extension inside its own organisation. Empty: none.
	SrcExtVariable, DstExtVariable string
	// PBX is the name of the PBX in every record's details. May be empty.
	PBX string
}

// Rewrite replaces what Match finds in a number by With, in the notation of
// regexp.ReplaceAllString ("$1").
type Rewrite struct {
	Match *regexp.Regexp
	With  string
}

// Check reports what is missing for the rules to work.
func (r Rules) Check() error {
	if len(r.Extensions) == 0 {
		return fmt.Errorf("no pattern tells what an extension is")
	}
	return nil
}

// SetRules makes these the rules for channels that are met from now on. Those
// that are there keep what they were held for.
func (m *Machine) SetRules(r Rules) { m.rules = r }

// role is what a channel is in a call.
type role uint8

const (
	helper   role = iota // Local halves, recorders, announcers: followed through, never a party
	operator             // a person of the organisation
	external             // a person outside, over a trunk
)

// classify tells what a channel is from its name and from what the PBX shows
// its endpoint to be: the admin's patterns first, then the PBX, then the shape
// of the name. ext is the operator's extension, endpoint is "101" or "trunk-a",
// by the pattern that decided.
func (r *Rules) classify(name, shown string) (kind role, endpoint, ext string, by *regexp.Regexp) {
	tech, rest, ok := strings.Cut(name, "/")
	if !ok {
		return helper, "", "", nil
	}
	switch tech {
	case "Local", "Bridge", "Recorder", "Announcer", "CBAnn", "CBRec", "Snoop", "MulticastRTP",
		"UnicastRTP", "AudioSocket", "WebSocket", "Surrogate", "AsyncGoto", "Message", "ConfBridgeRecorder", "ConfBridgeAnnouncer", "Parked":
		return helper, "", "", nil
	}
	endpoint = rest
	if i := strings.LastIndexByte(rest, '-'); i > 0 {
		endpoint = rest[:i] // "101-0000000f", and DAHDI's "i1/79031234567-1"
	}
	for _, p := range r.Trunks {
		if p.MatchString(name[:len(tech)+1+len(endpoint)]) {
			return external, endpoint, "", p
		}
	}
	ext, by = r.extensionBy(endpoint)
	if by != nil && (!r.Guessed || shown != ClassTrunk) {
		return operator, endpoint, ext, by
	}
	if class, number, _ := strings.Cut(shown, " "); class == ClassExtension {
		return operator, endpoint, cmp.Or(number, endpoint), nil
	}
	return external, endpoint, "", nil
}

// Class says what an endpoint of the PBX ("PJSIP/101", "PJSIP/trunk-a") is to
// voipd, and why: for the admin who wants to know.
//
// shown and because are what the PBX shows it to be ([Channel].Class), and what
// shows it.
func (r *Rules) Class(endpoint, shown, because string) (class, why string) {
	kind, _, ext, by := r.classify(endpoint+"-00000000", shown)
	switch {
	case kind == helper:
		return "helper", "is followed through, never a party"
	case kind == operator && by == nil:
		return "extension " + ext, because
	case kind == operator:
		return "extension " + ext, "matches numbers.extensions " + by.String()
	case by != nil:
		return "trunk", "matches numbers.trunks " + by.String()
	case shown == ClassTrunk:
		return "trunk", because
	}
	return "trunk", "matches no pattern: what is no extension leads outside"
}

// Operator tells whose an endpoint of the PBX ("PJSIP/101-mobile") is: the
// operator's extension; ok is false for one that leads outside. shown is as in
// [Rules.Class].
func (r *Rules) Operator(endpoint, shown string) (extension string, ok bool) {
	kind, _, ext, _ := r.classify(endpoint+"-00000000", shown)
	return ext, kind == operator
}

// extension tells whether s is an operator's extension or device, and which.
func (r *Rules) extension(s string) (string, bool) {
	ext, by := r.extensionBy(s)
	return ext, by != nil
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

// outside tells whether a number, as rewritten, leads outside by its shape.
func (r *Rules) outside(number string) bool {
	if number == "" {
		return false
	}
	if _, is := r.extension(number); is {
		return false
	}
	for _, p := range r.Outside {
		if p.MatchString(number) {
			return true
		}
	}
	return false
}

// dialled normalises a number that an operator dialled and splits off the
// extension behind it.
func (r *Rules) dialled(s string) (number, ext string) {
	return r.normalise(s, r.Dialled)
}

// caller normalises the number of a caller from outside. A withheld or empty
// number is "anonymous".
func (r *Rules) caller(s string) (number, ext string) {
	number, ext = r.normalise(s, r.Callers)
	if withheld(number) {
		return Anonymous, ""
	}
	return number, ext
}

func (r *Rules) normalise(s string, rewrites []Rewrite) (number, ext string) {
	s = strings.TrimSpace(s)
	if i := strings.Index(strings.ToLower(s), ";ext="); i >= 0 {
		s, ext = s[:i], s[i+len(";ext="):]
	} else if r.ExtSeparators != "" {
		if i := strings.IndexAny(s, r.ExtSeparators); i > 0 {
			s, ext = s[:i], s[i+1:]
		}
	}
	s, _, _ = strings.Cut(s, ";") // ;npdi=yes, ;rn=, ;phone-context= of the URI's user part
	number = strip(s)
	for _, w := range rewrites {
		number = w.Match.ReplaceAllString(number, w.With)
	}
	return number, ext
}

// strip takes the marks for the eye out of something that is a phone number,
// and leaves everything else (SIP user names) as it is.
func strip(s string) string {
	plain := true
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9', c == '*', c == '#', c == '+' && i == 0:
		case strings.IndexByte(" -().\t", c) >= 0:
			plain = false
		default:
			return s
		}
	}
	if plain {
		return s
	}
	return strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "", "\t", "").Replace(s)
}

// Anonymous stands for a caller whose number is withheld.
const Anonymous = "anonymous"

func withheld(number string) bool {
	switch strings.ToLower(number) {
	case "", "anonymous", "<unknown>", "unknown", "unavailable", "restricted", "private", "withheld", "asserted.anonymous":
		return true
	}
	return false
}
