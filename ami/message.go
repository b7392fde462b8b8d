package ami

import (
	"bytes"
	"iter"
	"slices"
)

// Field is one header of a message: "Key: Value" without the colon, the one space after it, and the line end.
// Both slices are views into the message.
type Field struct{ Key, Value []byte }

// Message is one AMI message: an event, or the response to an action.
//
// A Message from Reader.Next, and every slice taken from it, is a view into the reader's buffer: it is valid until the
// next call of Next. Clone makes a copy that stays valid. Values are the bytes that came: they may be invalid UTF-8
// (Asterisk 16 cuts a caller's name in the middle of a character) and hold anything but a line feed.
//
// Not safe for concurrent use: Fields builds its slice on the first call.
type Message struct {
	raw    []byte
	spans  []span
	fields []Field // filled by Fields; empty until then
	offset int64
	kind   kind
	name   int // index in spans of the header that made it an event or a response
	bad    int
	follow followState
}

// span is a header by its offsets in Message.raw: they stay right when the reader's buffer moves or grows, and they
// are a quarter of two slices. A line without a key (old-style command output) has colon == noColon.
type span struct{ start, colon, end uint32 }

const noColon = ^uint32(0)

type kind uint8

const (
	other kind = iota
	event
	response
)

// Event returns the event's name, or nil if the message is no event. A message with both headers, "Event" and
// "Response" (OriginateResponse), is what the first of the two says.
func (m *Message) Event() []byte {
	if m.kind != event {
		return nil
	}
	return m.value(m.spans[m.name])
}

// Response returns how an action ended ("Success", "Error", "Follows", "Goodbye"), or nil when the message is no
// response.
func (m *Message) Response() []byte {
	if m.kind != response {
		return nil
	}
	return m.value(m.spans[m.name])
}

// ActionID returns the id of the action that this message answers, or nil.
func (m *Message) ActionID() []byte { return m.Get("ActionID") }

// Get returns the value of the first header of that name, whatever its case: nil when there is none, empty and not
// nil when it is there without a value.
func (m *Message) Get(key string) []byte {
	for _, s := range m.spans {
		if m.hasKey(s, key) {
			return m.value(s)
		}
	}
	return nil
}

// All yields the value of every header of that name, whatever its case, in the order in which they came. Asterisk
// repeats ChanVariable, Variable and Output.
func (m *Message) All(key string) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, s := range m.spans {
			if m.hasKey(s, key) && !yield(m.value(s)) {
				return
			}
		}
	}
}

// Fields returns every header in the order they came. The slice belongs to the message.
func (m *Message) Fields() []Field {
	if len(m.fields) == len(m.spans) {
		return m.fields
	}
	m.fields = slices.Grow(m.fields[:0], len(m.spans))
	for _, s := range m.spans {
		m.fields = append(m.fields, Field{Key: m.key(s), Value: m.value(s)})
	}
	return m.fields
}

// Raw returns the message as it came, from its first line through the empty line that ends it.
func (m *Message) Raw() []byte { return m.raw }

// Offset returns where the message begins, in bytes from the beginning of the stream.
func (m *Message) Offset() int64 { return m.offset }

// BadLines returns how many lines of this message are no header (no colon, or nothing before it). They are only in Raw.
func (m *Message) BadLines() int { return m.bad }

// Clone returns a copy that owns its bytes and stays valid.
func (m *Message) Clone() *Message {
	c := *m
	c.raw = bytes.Clone(m.raw)
	c.spans = slices.Clone(m.spans)
	c.fields = nil
	return &c
}

// String returns the message as it came, for test failures. It may hold phone numbers, and a secret if it is a login.
func (m *Message) String() string { return string(m.raw) }

var outputKey = []byte("Output")

func (m *Message) key(s span) []byte {
	if s.colon == noColon {
		return outputKey
	}
	return m.raw[s.start:s.colon:s.colon]
}

func (m *Message) value(s span) []byte {
	if s.colon == noColon {
		return m.raw[s.start:s.end:s.end]
	}
	v := m.raw[s.colon+1 : s.end : s.end]
	if len(v) > 0 && v[0] == ' ' {
		return v[1:]
	}
	return v
}

func (m *Message) hasKey(s span, key string) bool {
	if s.colon-s.start == uint32(len(key)) {
		return equalFold(m.raw[s.start:s.colon], key)
	}
	return s.colon == noColon && equalFold(outputKey, key)
}

// equalFold compares two header names of the same length, ASCII letters without regard to case. It goes from the end:
// names of one message that are equally long mostly share their beginning (ConnectedLineNum, ChannelStateDesc).
func equalFold(a []byte, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}
