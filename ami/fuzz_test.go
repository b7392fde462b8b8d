package ami

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzReader checks three things: any bytes are survived within bounded memory; how they are split among reads
// changes nothing; and what comes is what a reader written as plainly as possible finds in the same bytes.
func FuzzReader(f *testing.F) {
	for _, data := range captures(f) {
		f.Add(data[:min(len(data), 700)], uint64(1), false)
		f.Add(data[len(data)-500:], uint64(2), true)
	}
	for _, s := range []string{
		"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n\r\n",
		"Response: Follows\r\nPrivilege: Command\r\na\n\nb: c\n--END COMMAND--\r\n\r\nEvent: A\r\n\r\n",
		"Event: A\r\nrubbish\r\n:\r\n\r\n\r\n\nEvent:B\n\n", "\r\r\n\r", "Event: A\r\nX: \xd0\x00\r\r\n\r\n",
		"Event: A\r\nX: " + strings.Repeat("x", 300) + "\r\n\r\nEvent: B\r\n\r\n", strings.Repeat("A: b\n", 200),
	} {
		f.Add([]byte(s), uint64(3), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64, tight bool) {
		bounds := Bounds{}
		if tight {
			bounds = Bounds{Line: 64, Message: 256}
		}
		want := plainly(data, bounds)
		for _, src := range []io.Reader{
			bytes.NewReader(data),
			&splitter{data, rand.New(rand.NewPCG(seed, 0))},
		} {
			r := NewReader(src, bounds)
			if got := tellFrom(r); !slices.Equal(want, got) {
				t.Fatalf("%T (-plain +reader):\n%s", src, cmp.Diff(want, got))
			}
			if limit := max(r.bounds.Message+1, firstBuffer); len(r.buf) > limit {
				t.Fatalf("buffer of %d bytes, bound %d", len(r.buf), limit)
			}
		}
	})
}

// splitter gives its bytes in pieces of random length, mostly short ones.
type splitter struct {
	data []byte
	rand *rand.Rand
}

func (s *splitter) Read(p []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	n := 1 + s.rand.IntN(1<<s.rand.IntN(12))
	n = copy(p, s.data[:min(n, len(s.data))])
	s.data = s.data[n:]
	return n, nil
}

// plainly is the oracle: the whole input at hand, line after line, nothing clever. It gives what tell gives.
func plainly(data []byte, bounds Bounds) []string {
	bounds = NewReader(nil, bounds).bounds
	var out []string
	var m plainMessage
	skipping := false
	for at := 0; at < len(data); {
		line, _, whole := bytes.Cut(data[at:], []byte("\n"))
		next := at + len(line) + 1
		text := string(bytes.TrimSuffix(line, []byte("\r")))
		switch {
		case skipping:
			skipping = text != "" || !whole
		case m.lines == 0 && text == "" && whole:
		case len(line) > bounds.Line || at+len(line)-m.start(at) > bounds.Message:
			reason := fmt.Sprintf("message longer than %d bytes", bounds.Message)
			if at+bounds.Line < m.start(at)+bounds.Message {
				reason = fmt.Sprintf("line longer than %d bytes", bounds.Line)
			}
			out = append(out, fmt.Sprintf("bad @%d line %d: %s", m.start(at), m.lines+1, reason))
			m, skipping = plainMessage{}, text != "" || !whole
		case !whole:
			return append(out, fmt.Sprintf("bad @%d line %d: the stream ends within it", m.start(at), m.lines+1))
		case text == "" && !m.inOutput():
			out = append(out, m.String())
			m = plainMessage{}
		case m.lines == 0 && strings.HasPrefix(text, bannerPrefix) && strings.Index(text, ":") <= 0:
		default:
			m.at = m.start(at)
			m.take(text)
		}
		at = next
	}
	switch {
	case m.lines == 0:
	case len(data)-m.at > bounds.Message: // whatever came, even the empty line, would be beyond the bound
		out = append(out, fmt.Sprintf("bad @%d line %d: message longer than %d bytes", m.at, m.lines+1, bounds.Message))
	default:
		out = append(out, fmt.Sprintf("bad @%d line %d: the stream ends within it", m.at, m.lines+1))
	}
	return out
}

type plainMessage struct {
	at, lines, bad int
	kind           string
	fields         []string
	old            bool // "Response: Follows"
	began, ended   bool // its output
}

func (m *plainMessage) inOutput() bool { return m.old && !m.ended }

func (m *plainMessage) start(at int) int {
	if m.lines == 0 {
		return at
	}
	return m.at
}

func (m *plainMessage) take(text string) {
	m.lines++
	key, value, ok := strings.Cut(text, ":")
	value = strings.TrimPrefix(value, " ")
	name := strings.ToLower(key)
	switch {
	case m.inOutput() && !m.began && ok && (name == "privilege" || name == "actionid" || name == "message"):
	case m.inOutput():
		m.began = true
		key = "Output"
		value, m.ended = strings.CutSuffix(text, endCommand)
		if m.ended && value == "" {
			m.lines--
			return
		}
	case !ok || key == "":
		m.bad++
		return
	case m.kind == "" && isASCII(key) && (name == "event" || name == "response"):
		m.kind = fmt.Sprintf(" %s %q", name, value)
		m.old = name == "response" && isASCII(value) && strings.ToLower(value) == "follows"
	}
	m.fields = append(m.fields, fmt.Sprintf(" %s=%q", key, value))
}

// isASCII: strings.ToLower makes an ASCII k of the Kelvin sign.
func isASCII(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

func (m *plainMessage) String() string {
	if len(m.fields) == 0 {
		return fmt.Sprintf("bad @%d line 1: no line of it is a header", m.at)
	}
	bad := ""
	if m.bad > 0 {
		bad = fmt.Sprintf(" bad=%d", m.bad)
	}
	return fmt.Sprintf("@%d%s%s%s", m.at, m.kind, strings.Join(m.fields, ""), bad)
}
