package contract

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Splice looks whether text is the JSON of [Details] without recordings, as
// encoding/json writes it, and tells where these belong: behind a member, so that
// ,"recordings":[…] can be put there. It is not ok where text is anything else,
// or has a \u escape, which stands for a character that answers have as it is. It
// is a parser of its own because encoding/json takes longer to look than the
// database to read.
func Splice(text string) (at int, ok bool) { return members(text, nil) }

// Strings calls f with each member of text that is a string, where [Splice] is
// ok. Else f may have been called for some.
func Strings(text string, f func(name, value string)) (ok bool) {
	_, ok = members(text, func(name, value string) {
		if value[0] != '"' {
			return
		}
		if value = value[1 : len(value)-1]; strings.Contains(value, `\\`) {
			_ = json.Unmarshal([]byte(`"`+value+`"`), &value) // it was looked through
		}
		f(name, value)
	})
	return ok
}

func members(text string, each func(name, value string)) (at int, ok bool) {
	s := scanner{text: text, each: each}
	order, next := detailsOrder(), 0
	pass := func(name string) bool { // goes behind a member of that name
		for ; next < len(order); next++ {
			switch m := order[next]; {
			case m.recordings:
				at = s.behind
			case m.name == name:
				next++
				return true
			case m.always:
				return false
			}
		}
		return name == "" // else it is unknown, twice or in another order
	}
	ok = s.object(0, pass) && s.i == len(text) && utf8.ValidString(text)
	s.behind = len(text) - 1 // the brace
	return at, ok && pass("")
}

// member is one of the members of [Details].
type member struct {
	name       string
	always     bool // it is there though it be zero
	recordings bool
}

// detailsOrder are the members in their order.
func detailsOrder() [28]member {
	return [28]member{{name: "startedAt", always: true}, {name: "answeredAt"}, {name: "endedAt"}, {name: "ringMs", always: true}, {name: "waitMs", always: true},
		{name: "holdMs", always: true}, {name: "talkMs", always: true}, {name: "did"}, {name: "callerName"}, {name: "asked"}, {name: "beganBy", always: true},
		{name: "rang"}, {name: "rangOmitted"}, {name: "conversations"}, {name: "transfers"}, {name: "queue"}, {name: "queueWaitMs"}, {name: "service"},
		{name: "voicemail"}, {name: "hangupCause"}, {name: "hangupBy"}, {recordings: true}, {name: "mergedInto"}, {name: "absorbed"}, {name: "approximate"},
		{name: "why"}, {name: "pbx"}, {name: "source"}}
}

// scanner reads JSON as encoding/json writes it: without blanks, and with whole
// numbers, as all of ours are.
type scanner struct {
	text   string
	i      int                      // the next byte
	each   func(name, value string) // is told of the members of the outermost object; nil: nobody is
	behind int                      // the end of the member before the current one of the outermost object
}

// deepest is how deep values may lie in each other; ours lie two deep.
const deepest = 8

func (s *scanner) take(c byte) bool {
	if s.i < len(s.text) && s.text[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) word(w string) bool {
	if len(s.text)-s.i < len(w) || s.text[s.i:s.i+len(w)] != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) value(depth int) bool {
	if s.i >= len(s.text) || depth > deepest {
		return false
	}
	switch c := s.text[s.i]; {
	case c == '"':
		return s.string()
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		return s.array(depth)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	}
	return s.number()
}

// object reads an object, and calls known, where it is not nil, with the name of
// each member.
func (s *scanner) object(depth int, known func(name string) bool) bool {
	if !s.take('{') {
		return false
	}
	if s.take('}') {
		return true
	}
	for {
		if depth == 0 {
			s.behind = max(s.i-1, 1) // before the comma
		}
		begin := s.i
		if !s.string() {
			return false
		}
		end := s.i
		if known != nil && !known(s.text[begin+1:end-1]) || !s.take(':') || !s.value(depth+1) {
			return false
		}
		if depth == 0 && s.each != nil {
			s.each(s.text[begin+1:end-1], s.text[end+1:s.i])
		}
		if !s.take(',') {
			return s.take('}')
		}
	}
}

func (s *scanner) array(depth int) bool {
	s.i++
	if s.take(']') {
		return true
	}
	for {
		if !s.value(depth + 1) {
			return false
		}
		if !s.take(',') {
			return s.take(']')
		}
	}
}

func (s *scanner) string() bool {
	if !s.take('"') {
		return false
	}
	text := s.text
	for i := s.i; i < len(text); i++ {
		c := text[i]
		if c > '\\' || c > '"' && c < '\\' { // nearly all
			continue
		}
		switch {
		case c == '"':
			s.i = i + 1
			return true
		case c < ' ':
			return false
		case c == '\\':
			if i++; i == len(text) || !strings.ContainsRune(`"\nrtbf`, rune(text[i])) {
				return false // \u, or none that is written
			}
		}
	}
	return false
}

func (s *scanner) number() bool {
	s.take('-')
	if s.take('0') {
		return true
	}
	begin := s.i
	for s.i < len(s.text) && s.text[s.i] >= '0' && s.text[s.i] <= '9' {
		s.i++
	}
	return s.i > begin
}
