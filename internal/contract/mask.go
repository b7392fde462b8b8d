package contract

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a token with [ScopeMasked] sees of numbers of people outside. A number is any
// run of leastMasked digits or more, whatever marks stand between them: extensions are
// shorter. Of it the first four digits and the last two are shown, and at least five
// are not (of six, four).
const (
	leastMasked           = 6
	shownFirst, shownLast = 4, 2
	leastHidden           = 5
	// hidden stands for a digit.
	hidden = '•'
	// ShownPart is how many digits of a number stand together at most where it is masked.
	ShownPart = shownFirst
	// betweenDigits of one number is how many marks there may be.
	betweenDigits = 3
)

// MaskDigits masks a number that consists of digits.
func MaskDigits(digits string) string {
	if len(digits) < leastMasked {
		return digits
	}
	first := min(shownFirst, max(0, len(digits)-shownLast-leastHidden))
	return digits[:first] + strings.Repeat(string(hidden), len(digits)-first-shownLast) + digits[len(digits)-shownLast:]
}

// MaskText masks each number in a text.
func MaskText(text string) string {
	var out strings.Builder
	for rest := text; rest != ""; {
		begin := strings.IndexFunc(rest, unicode.IsDigit)
		if begin < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:begin])
		rest = rest[begin:]
		digits, length := number(rest)
		if len(digits) < leastMasked {
			out.WriteString(rest[:length])
		} else {
			out.WriteString(MaskDigits(digits))
		}
		rest = rest[length:]
	}
	return out.String()
}

// number reads the number that a text begins with: its digits, and how long it is.
// A digit of another script counts as a 0: it is hidden or shown as that.
func number(text string) (digits string, length int) {
	var b strings.Builder
	between := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r >= '0' && r <= '9':
			b.WriteByte(byte(r))
		case unicode.IsDigit(r):
			b.WriteByte('0')
		case !unicode.IsLetter(r) && between < betweenDigits && r != '"' && r != '\\' && r != ',' && r != ';':
			between++
			continue
		default:
			return b.String(), length
		}
		between, length = 0, i
	}
	return b.String(), length
}

// unmasked are the members of our JSON that hold no number of a person outside, but
// what would be worth nothing if it were changed, or numbers of our own.
func unmasked(name string) bool {
	switch name {
	case "callId", "lastCallId", "id", "recording", "into", "mergedInto", "absorbed", "next", "ticket", "secret", "link", "url", "instance",
		"did", "dids", "day", "zone", "version":
		return true
	}
	return false
}

// Mask masks the numbers of people outside in JSON of this package's types. Text that
// is no JSON is masked as a text.
func Mask(text []byte) []byte {
	m := masker{text: text, out: make([]byte, 0, len(text)+64)}
	m.value("")
	return append(m.out, []byte(MaskText(string(m.text[min(m.i, len(m.text)):])))...)
}

// masker copies JSON, and masks the texts in it.
type masker struct {
	text, out []byte
	i         int
}

// value copies a value of the member name.
func (m *masker) value(name string) {
	for m.i < len(m.text) {
		switch c := m.text[m.i]; c {
		case '"':
			m.string(name)
			return
		case '{', '[':
			m.pass()
			m.inside(name, c == '{')
			return
		case ' ', '\n', '\r', '\t', ':':
			m.pass()
		case ',', '}', ']':
			return // that is no JSON
		default:
			for m.i < len(m.text) && !bytes.ContainsRune([]byte(",}] \n\r\t"), rune(m.text[m.i])) {
				m.pass()
			}
			return
		}
	}
}

func (m *masker) pass() {
	m.out = append(m.out, m.text[m.i])
	m.i++
}

// inside copies the members of an object or the elements of a list.
func (m *masker) inside(name string, object bool) {
	for m.i < len(m.text) {
		switch m.text[m.i] {
		case '}', ']':
			m.pass()
			return
		case ',', ' ', '\n', '\r', '\t':
			m.pass()
			continue
		}
		of := name
		if object {
			end := m.end()
			key, _ := strconv.Unquote(string(m.text[m.i:end])) // of a name that is not plain, nothing is known
			m.out = append(m.out, m.text[m.i:end]...)
			m.i = end
			if of = key; name == "dids" { // all that is in them
				of = name
			}
		}
		before := m.i
		if m.value(of); m.i == before && m.i < len(m.text) {
			m.pass() // that is no JSON; it ends all the same
		}
	}
}

// end is where the string that begins here ends.
func (m *masker) end() int {
	for i := m.i + 1; i < len(m.text); i++ {
		switch m.text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(m.text)
}

func (m *masker) string(name string) {
	end := m.end()
	whole := m.text[m.i:end]
	m.i = end
	if unmasked(name) || !slices.ContainsFunc(whole, func(c byte) bool { return c >= '0' && c <= '9' || c >= utf8.RuneSelf || c == '\\' }) {
		m.out = append(m.out, whole...)
		return
	}
	var plain string
	if err := json.Unmarshal(whole, &plain); err != nil {
		m.out = append(m.out, []byte(MaskText(string(whole)))...)
		return
	}
	if _, err := time.Parse(TimeLayout, plain); err == nil { // whatever its name: "to" is a phone as well
		m.out = append(m.out, whole...)
		return
	}
	m.out = appendText(m.out, MaskText(plain))
}
