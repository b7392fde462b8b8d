package sim

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
)

// session is one AMI connection. Fields below mu are guarded by the PBX's mutex.
type session struct {
	pbx  *PBX
	conn net.Conn
	out  chan string
	over chan struct{} // closed when serve returns

	challenge string

	// guarded by pbx.mu
	loggedIn bool
	mask     string // of events: "on", "off" or classes
	filters  []filter
	hung     bool
}

type filter struct {
	exclude bool
	match   *regexp.Regexp
}

func newSession(p *PBX, conn net.Conn) *session {
	return &session{pbx: p, conn: conn, out: make(chan string, p.opts.Backlog), over: make(chan struct{}), mask: "off"}
}

// serve reads actions until the connection ends.
func (s *session) serve() {
	written := make(chan struct{})
	go func() { defer close(written); s.write() }()
	defer func() {
		s.pbx.dismiss(s)
		close(s.over)
		_ = s.conn.SetWriteDeadline(time.Now().Add(time.Second)) // for who does not read; a closed one needs none
		<-written
		_ = s.conn.Close() // it may be closed already
	}()
	s.lockedSend("Asterisk Call Manager/" + s.pbx.opts.Version + "\r\n")
	actions := ami.NewReader(s.conn, ami.Bounds{Line: 1024, Message: 128 * 1024})
	for {
		m, err := actions.Next()
		var bad *ami.MalformedError
		switch {
		case errors.As(err, &bad):
			s.lockedSend("Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n")
		case err != nil:
			return
		case !s.act(m):
			return
		}
	}
}

// write sends what is queued; after the session's end, what is left, as far as the other side takes it.
func (s *session) write() {
	for {
		select {
		case text := <-s.out:
			s.put(text)
		case <-s.over:
			for {
				select {
				case text := <-s.out:
					s.put(text)
				default:
					return
				}
			}
		}
	}
}

func (s *session) put(text string) {
	slow := s.pbx.slowness()
	piece := len(text)
	if slow.Piece > 0 {
		piece = slow.Piece
	}
	for len(text) > 0 {
		n := min(piece, len(text))
		if _, err := s.conn.Write([]byte(text[:n])); err != nil {
			_ = s.conn.Close() // the reading side ends the session
			return
		}
		text = text[n:]
		if slow.Piece > 0 {
			select {
			case <-time.After(slow.Pause):
			case <-s.pbx.closed:
			}
		}
	}
}

// send queues text. The PBX's mutex is held.
func (s *session) send(text string) {
	if s.hung {
		return
	}
	select {
	case s.out <- text:
	default:
		s.pbx.opts.Log.Warn("fake PBX: a reader that does not read is thrown out")
		_ = s.conn.Close()
	}
}

func (s *session) lockedSend(text string) {
	s.pbx.mu.Lock()
	defer s.pbx.mu.Unlock()
	s.send(text)
}

// event sends an event if this session is to see it. The PBX's mutex is held.
func (s *session) event(raw string) {
	if s.loggedIn && s.sees(headerOf(raw, "Privilege")) && s.passes(raw) {
		s.send(raw)
	}
}

// sees: every class of the event has to be both readable for the user and asked for.
func (s *session) sees(privilege string) bool {
	for class := range strings.SplitSeq(privilege, ",") {
		if class != "all" && (!has(s.pbx.opts.Read, class) || !has(s.mask, class)) {
			return false
		}
	}
	return true
}

// has: a list of classes as manager.conf and EventMask have it.
func has(list, class string) bool {
	for each := range strings.SplitSeq(list, ",") {
		switch strings.ToLower(strings.TrimSpace(each)) {
		case "all", "on", class:
			return true
		}
	}
	return false
}

// passes: with includes an event has to match one; whatever matches an exclude is left out.
func (s *session) passes(raw string) bool {
	included, includes := false, false
	for _, f := range s.filters {
		matches := f.match.MatchString(raw)
		if f.exclude && matches {
			return false
		}
		if !f.exclude {
			includes, included = true, included || matches
		}
	}
	return included || !includes
}

// reply answers an action. The PBX's mutex is held.
func (s *session) reply(m *ami.Message, response string, headers ...string) {
	s.answer(m, "Response: "+response, headers...)
}

// answer sends a message with the ActionID of the action that it answers.
func (s *session) answer(m *ami.Message, first string, headers ...string) {
	text := first + "\r\n"
	if id := m.ActionID(); id != nil {
		text += fmt.Sprintf("ActionID: %s\r\n", id)
	}
	for _, h := range headers {
		text += h + "\r\n"
	}
	s.send(text + "\r\n")
}
