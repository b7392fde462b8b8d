package ami

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// maxActionLine is the longest line of an action in bytes, CR LF included. Asterisk reads into a buffer of
	// 1025 bytes and answers a longer line with "Failed to parse message: line too long".
	maxActionLine = 1024
	// maxActionLines is how many lines of an action Asterisk keeps (AST_MAX_MANHEADERS); it ignores the rest.
	maxActionLines = 128
)

// Header is one "Key: Value" of an action.
type Header struct{ Key, Value string }

// Action is an order to the PBX: its name, and its headers in the order in which they are sent. A header may be there
// more than once (Variable). The zero value cannot be encoded.
type Action struct {
	Name    string
	Headers []Header
}

// With returns the action with one more header. The receiver is unchanged.
func (a Action) With(key, value string) Action {
	a.Headers = append(a.Headers[:len(a.Headers):len(a.Headers)], Header{key, value})
	return a
}

// String returns the name only: a header may hold a secret or a phone number.
func (a Action) String() string { return a.Name }

// id is the ActionID that the caller gave, or "".
func (a Action) id() string {
	for _, h := range a.Headers {
		if strings.EqualFold(h.Key, "ActionID") {
			return h.Value
		}
	}
	return ""
}

// Encode returns the bytes to send. It refuses what the PBX would read as something else: CR, LF or NUL anywhere, an
// empty name or key, a colon, space or control character in a key, a second "Action". It also refuses what Asterisk would
// not take: a line over 1 KiB, more than 128 lines. The error names the header, never its value.
func (a Action) Encode() ([]byte, error) {
	if len(a.Headers)+1 > maxActionLines {
		return nil, fmt.Errorf("encode action %.40q: %d headers; Asterisk takes %d", a.Name, len(a.Headers), maxActionLines-1)
	}
	if a.Name == "" {
		return nil, errors.New("encode action: it has no name")
	}
	out := make([]byte, 0, 256)
	out, err := appendHeader(out, "Action", a.Name)
	for _, h := range a.Headers {
		if err != nil {
			break
		}
		if strings.EqualFold(h.Key, "Action") {
			err = errors.New("a header Action would be a second name")
			break
		}
		out, err = appendHeader(out, h.Key, h.Value)
	}
	if err != nil {
		return nil, fmt.Errorf("encode action %.40q: %w", a.Name, err)
	}
	return append(out, "\r\n"...), nil
}

func appendHeader(out []byte, key, value string) ([]byte, error) {
	switch {
	case key == "":
		return nil, errors.New("a header has no name")
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == ':' || r == 0x7f }):
		return nil, fmt.Errorf("header %.40q: a name cannot hold a colon, a space or a control character", key)
	case strings.ContainsAny(value, "\r\n\x00"):
		return nil, fmt.Errorf("header %.40q: its value holds a line break or NUL", key)
	case len(key)+len(value)+len(": \r\n") > maxActionLine:
		return nil, fmt.Errorf("header %.40q: a line of %d bytes; Asterisk takes %d", key, len(key)+len(value)+4, maxActionLine)
	}
	out = append(out, key...)
	out = append(out, ": "...)
	out = append(out, value...)
	return append(out, "\r\n"...), nil
}
