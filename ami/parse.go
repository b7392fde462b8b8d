package ami

import "bytes"

// outcome is how far parse got with the bytes at hand.
type outcome uint8

const (
	needMore  outcome = iota // the message goes on beyond what was read
	complete                 // r.msg is a message
	malformed                // no line of it is a header
	tooLong                  // the line at hand breaks a bound
)

// followState is where an old-style command reply is.
type followState uint8

const (
	plain   followState = iota // any other message
	headers                    // after "Response: Follows": Privilege and ActionID may come
	outputs                    // lines of output, empty ones among them
	closed                     // after --END COMMAND--
)

// parse goes on with the message at hand, line by line, as far as the buffer goes. This is the hot loop: one search
// for the line feed and one for the colon a line, both vectorised, and twelve bytes written.
func (r *Reader) parse() outcome {
	if r.skipping && !r.skip() {
		return needMore
	}
	m := &r.msg
	buf := r.buf[:r.end]
	for {
		limit := r.limit()
		n := bytes.IndexByte(buf[r.scan:], '\n')
		if n < 0 {
			r.scan = len(buf)
			if r.scan > limit {
				return tooLong
			}
			return needMore
		}
		line, stop := r.line, r.scan+n
		next := stop + 1
		if stop > limit {
			return tooLong
		}
		if stop > line && buf[stop-1] == '\r' {
			stop--
		}
		r.line, r.scan = next, next
		if stop == line && m.follow != headers && m.follow != outputs {
			switch {
			case len(m.spans) > 0:
				m.raw, m.offset = buf[r.start:next:next], r.base+int64(r.start)
				return complete
			case m.bad > 0:
				return malformed
			}
			r.start = next // a stray empty line between messages
			continue
		}
		colon := bytes.IndexByte(buf[line:stop], ':')
		if colon <= 0 || m.follow != plain {
			r.oddLine(line, colon, stop)
			continue
		}
		m.add(buf, r.start, line, line+colon, stop)
	}
}

// add notes a header, and by the first Event or Response what the message is. Positions are in buf, and noted
// relative to the message.
func (m *Message) add(buf []byte, start, line, colon, stop int) {
	m.spans = append(m.spans, span{uint32(line - start), uint32(colon - start), uint32(stop - start)})
	if m.kind != other {
		return
	}
	switch key := buf[line:colon]; {
	case equalFold(key, "Event"):
		m.kind, m.name = event, len(m.spans)-1
	case equalFold(key, "Response"):
		m.kind, m.name = response, len(m.spans)-1
		if value := bytes.TrimPrefix(buf[colon+1:stop], []byte(" ")); equalFold(value, "Follows") {
			m.follow = headers
		}
	}
}

// oddLine takes what parse's hot loop leaves: lines that are no header, and those of an old-style command reply.
// colon is relative to line, or negative.
func (r *Reader) oddLine(line, colon, stop int) {
	m, text := &r.msg, r.buf[line:stop]
	switch {
	case m.follow == headers && colon > 0 && isReplyHeader(text[:colon]):
		m.add(r.buf, r.start, line, line+colon, stop)
	case m.follow == headers || m.follow == outputs:
		m.follow = outputs
		if bytes.HasSuffix(text, []byte(endCommand)) {
			m.follow = closed
			if stop -= len(endCommand); stop == line {
				return // output that ends without a line feed has the mark behind it
			}
		}
		m.spans = append(m.spans, span{uint32(line - r.start), noColon, uint32(stop - r.start)})
	case colon > 0:
		m.add(r.buf, r.start, line, line+colon, stop)
	case len(m.spans) == 0 && m.bad == 0 && r.banner(text):
		r.start = r.line
	default:
		m.bad++
	}
}

// isReplyHeader names what Asterisk up to 13 writes between "Response: Follows" and the output.
func isReplyHeader(key []byte) bool {
	return equalFold(key, "Privilege") || equalFold(key, "ActionID") || equalFold(key, "Message")
}

// skip leaves out lines through the next empty one; false when that is beyond what was read.
func (r *Reader) skip() (done bool) {
	for {
		n := bytes.IndexByte(r.buf[r.line:r.end], '\n')
		if n < 0 {
			rest := r.buf[r.line:r.end]
			if len(rest) > 1 || len(rest) == 1 && rest[0] != '\r' {
				r.midLine = true
			}
			if r.midLine {
				r.line = r.end
			}
			r.start, r.scan = r.line, r.end
			return false
		}
		text := r.buf[r.line : r.line+n]
		empty := !r.midLine && (n == 0 || n == 1 && text[0] == '\r')
		r.line += n + 1
		r.start, r.scan, r.midLine = r.line, r.line, false
		if empty {
			r.skipping = false
			r.release() // what was parsed of the message before the bound broke
			return true
		}
	}
}
