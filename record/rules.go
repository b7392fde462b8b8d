package record

import (
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
	// Endpoints are the extensions of endpoints ("PJSIP/anna-desk") as the admin
	// gives them; they win over everything.
	Endpoints map[string]string
	// Shown is what the PBX shows its endpoints to be, for facts that do not say it
	// themselves ([Channel].Class): those of CEL and CDR.
	Shown map[string]string
	// Numbers are those that the PBX has an endpoint, a hint or a mailbox for, or
	// that rang as an extension. nil: it does not say, and the shape of a number
	// has to do.
	Numbers map[string]bool
	// Helpers are further technologies whose channels are never a party, as it
	// stands before the slash.
	Helpers []string
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
