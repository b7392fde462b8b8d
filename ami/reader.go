package ami

import (
	"bytes"
	"fmt"
	"io"
)

// Bounds are the sizes beyond which a message is malformed. Zero means the default.
type Bounds struct {
	// Line is the longest line in bytes, line feed not counted. Default 64 KiB: Asterisk's own buffers for a
	// variable or an application's data are 4 to 8 KiB, so a longer line is no header.
	Line int
	// Message is the longest message in bytes. Default 1 MiB: room for the reply to a Command with ten thousand
	// lines of output; an event is some 500 bytes. The reader's memory is bounded by about six times this.
	Message int
}

// The defaults of Bounds, in bytes.
const (
	DefaultMaxLine    = 64 << 10
	DefaultMaxMessage = 1 << 20
)

// firstBuffer is the buffer's first size in bytes: some hundred events a read, so that system calls do not count.
const firstBuffer = 64 << 10

// bannerPrefix begins the one line that Asterisk sends unasked: "Asterisk Call Manager/11.0.0".
const bannerPrefix = "Asterisk Call Manager"

const endCommand = "--END COMMAND--"

// MalformedError says that one message could not be used. The next call of Reader.Next returns the message after it.
type MalformedError struct {
	Offset  int64  // where the message begins, in bytes from the beginning of the stream
	Line    int    // the line of the message that is wrong, from 1
	Reason  string // what is wrong with it
	Excerpt string // how that line begins, at most 32 bytes
}

func (e *MalformedError) Error() string {
	return fmt.Sprintf("malformed AMI message at byte %d, line %d (%q…): %s", e.Offset, e.Line, e.Excerpt, e.Reason)
}

// Reader cuts a byte stream into messages. How the bytes are split among reads changes nothing.
//
// A message is one or more lines and an empty line. Lines end with CR LF or LF alone. Empty lines between messages
// are skipped (a TestEvent ends with one too many). The version in a banner line between messages is kept for Greeting.
// An old-style command reply ("Response: Follows") ends with the first empty line after "--END COMMAND--"; its output
// becomes headers named Output, as newer versions write it.
//
// Not safe for concurrent use.
type Reader struct {
	src      io.Reader
	bounds   Bounds
	buf      []byte // buf[start:end] holds what was read of the message at hand and after it
	start    int    // where the message at hand begins
	line     int    // where the line at hand begins
	scan     int    // there is no line feed in buf[line:scan]
	end      int
	base     int64  // offset of buf[0] in the stream
	err      error  // from src; sticky
	skipping bool   // leaving out the rest of an over-long message
	midLine  bool   // of which the line at hand is known not to be empty
	greeting []byte // version of the last banner
	msg      Message
}

// NewReader returns a Reader of src. It reads ahead: what follows the last message is lost to other readers of src.
func NewReader(src io.Reader, bounds Bounds) *Reader {
	if bounds.Line <= 0 {
		bounds.Line = DefaultMaxLine
	}
	if bounds.Message <= 0 {
		bounds.Message = DefaultMaxMessage
	}
	return &Reader{src: src, bounds: bounds, buf: make([]byte, min(firstBuffer, bounds.Message+1))}
}

// Next returns the next message, which is valid until the call after. The error is a [*MalformedError] for a message that
// cannot be used (call Next again), [io.EOF] at the end of the stream, or the error of the underlying reader. A message
// that the end of the stream cuts off is malformed, never returned in part.
func (r *Reader) Next() (*Message, error) {
	r.release()
	for {
		switch r.parse() {
		case complete:
			return &r.msg, nil
		case malformed:
			return nil, r.malformed("no line of it is a header", 1, r.buf[r.start:r.line])
		case tooLong:
			return nil, r.overLong()
		case needMore:
			if err := r.fill(); err != nil {
				return nil, r.ended(err)
			}
		}
	}
}

// Greeting returns the version in the last banner line that was read ("11.0.0"), or "".
func (r *Reader) Greeting() string { return string(r.greeting) }

// ReadGreeting reads the banner with which Asterisk begins, and returns the version in it ("11.0.0"). Call it before
// Next. A first line that is no banner is an error: this is then no manager port.
func (r *Reader) ReadGreeting() (version string, err error) {
	for {
		if i := bytes.IndexByte(r.buf[r.line:r.end], '\n'); i >= 0 {
			text := bytes.TrimSuffix(r.buf[r.line:r.line+i], []byte("\r"))
			if !r.banner(text) {
				return "", fmt.Errorf("read greeting: this is not an Asterisk manager port: it says %q", clip(text))
			}
			r.line += i + 1
			r.start, r.scan = r.line, r.line
			return r.Greeting(), nil
		}
		if n := r.end - r.line; n > 256 {
			return "", fmt.Errorf("read greeting: this is not an Asterisk manager port: it says %q", clip(r.buf[r.line:r.end]))
		}
		if err := r.fill(); err != nil {
			return "", fmt.Errorf("read greeting: %w", err)
		}
	}
}

// release gives up the message that the last Next returned.
func (r *Reader) release() {
	m := &r.msg
	m.raw, m.spans, m.fields = nil, m.spans[:0], m.fields[:0]
	m.kind, m.name, m.bad, m.follow = other, 0, 0, plain
	r.start = r.line
}

// fill reads more of the stream; the message at hand stays, and may move.
func (r *Reader) fill() error {
	if r.err != nil {
		return r.err
	}
	if free := len(r.buf) - r.end; r.start > 0 && free < len(r.buf)/2 {
		r.end = copy(r.buf, r.buf[r.start:r.end])
		r.line, r.scan, r.base = r.line-r.start, r.scan-r.start, r.base+int64(r.start)
		r.start = 0
	}
	if r.end == len(r.buf) {
		// parse has seen to it that the message at hand is within bounds, so this ends at Message+1.
		bigger := make([]byte, min(2*len(r.buf), r.bounds.Message+1))
		copy(bigger, r.buf[:r.end])
		r.buf = bigger
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		r.err = err
		if n > 0 {
			return nil // the error, if any, is for the next time
		}
		if err != nil {
			return err
		}
	}
	r.err = io.ErrNoProgress
	return r.err
}

// ended turns the end of the stream into what the caller is to know: a message cut off comes first.
func (r *Reader) ended(err error) error {
	if err == io.EOF && !r.skipping && r.end > r.start {
		bad := r.malformed("the stream ends within it", r.lineNumber(), r.buf[r.line:r.end])
		r.start, r.line, r.scan = r.end, r.end, r.end
		return bad
	}
	return err
}

// overLong reports the message at hand and begins to leave out the rest of it.
func (r *Reader) overLong() error {
	reason := fmt.Sprintf("message longer than %d bytes", r.bounds.Message)
	if r.line+r.bounds.Line < r.start+r.bounds.Message {
		reason = fmt.Sprintf("line longer than %d bytes", r.bounds.Line)
	}
	err := r.malformed(reason, r.lineNumber(), r.buf[r.line:max(r.line, r.limit())])
	r.skipping, r.midLine = true, false
	return err
}

// limit is the position beyond which the line at hand may not reach. When it does, the bytes up to here have been
// read, whatever the splits.
func (r *Reader) limit() int { return min(r.line+r.bounds.Line, r.start+r.bounds.Message) }

// malformed makes the error; from begins with the bytes of the bad line.
func (r *Reader) malformed(reason string, line int, from []byte) error {
	text, _, _ := bytes.Cut(from, []byte("\n"))
	return &MalformedError{
		Offset:  r.base + int64(r.start),
		Line:    line,
		Reason:  reason,
		Excerpt: clip(bytes.TrimSuffix(text, []byte("\r"))),
	}
}

// lineNumber is the number of the line at hand in its message, from 1.
func (r *Reader) lineNumber() int { return len(r.msg.spans) + r.msg.bad + 1 }

func (r *Reader) banner(line []byte) bool {
	if !bytes.HasPrefix(line, []byte(bannerPrefix)) {
		return false
	}
	_, version, _ := bytes.Cut(line, []byte("/"))
	r.greeting = append(r.greeting[:0], version...)
	return true
}

func clip(b []byte) string { return string(b[:min(len(b), 32)]) }
