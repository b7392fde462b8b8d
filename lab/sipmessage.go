//go:build lab

package lab

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// sipMessage is as much of a SIP message (RFC 3261) as the phones need.
type sipMessage struct {
	method, uri string // a request
	status      int    // a response
	headers     [][2]string
}

// compact forms of header names that Asterisk may use.
var compact = map[string]string{"i": "call-id", "f": "from", "t": "to", "v": "via", "m": "contact"}

// parseSIP reads a datagram; nil for what is none of SIP (keep-alives).
func parseSIP(b []byte) *sipMessage {
	head, _, _ := strings.Cut(string(b), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	first := strings.SplitN(lines[0], " ", 3)
	if len(first) < 3 {
		return nil
	}
	m := &sipMessage{method: first[0], uri: first[1]}
	if first[0] == "SIP/2.0" {
		m.status, _ = strconv.Atoi(first[1]) // 0 makes it a request of no known method
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if long := compact[name]; long != "" {
			name = long
		}
		m.headers = append(m.headers, [2]string{name, strings.TrimSpace(value)})
	}
	return m
}

func (m *sipMessage) get(name string) string {
	for _, h := range m.headers {
		if h[0] == strings.ToLower(name) {
			return h[1]
		}
	}
	return ""
}

func (m *sipMessage) cseqMethod() string {
	_, method, _ := strings.Cut(m.get("CSeq"), " ")
	return method
}

func (m *sipMessage) cseqNumber() int {
	n, _, _ := strings.Cut(m.get("CSeq"), " ")
	number, _ := strconv.Atoi(n)
	return number
}

// branch is that of the transaction, which the ACK of a refusal shares.
func (m *sipMessage) branch() string {
	if m.status < 300 {
		return ""
	}
	_, branch, _ := strings.Cut(m.get("Via"), "branch=")
	branch, _, _ = strings.Cut(branch, ";")
	return branch
}

// reply makes the response to a request; tag is added to To where it has none.
func (m *sipMessage) reply(status int, reason, tag, body string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	for _, h := range m.headers {
		switch h[0] {
		case "via", "record-route", "from", "call-id", "cseq":
			fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
		case "to":
			to := h[1]
			if tag != "" && !strings.Contains(to, ";tag=") {
				to += ";tag=" + tag
			}
			fmt.Fprintf(&b, "To: %s\r\n", to)
		}
	}
	fmt.Fprintf(&b, "Contact: <sip:%s@%s>\r\n", userOf(m.uri), sipPhones)
	return b.String() + content(body)
}

// request makes a request inside, or at the beginning of, a dialog.
func (d *sipDialog) request(method string, cseq int, branch, body string, extra map[string]string) string {
	if branch == "" {
		branch = fmt.Sprintf("z9hG4bK%d", time.Now().UnixNano())
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s\r\nMax-Forwards: 70\r\n", method, d.target, sipPhones, branch)
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", d.local, d.remote, d.id, cseq, method)
	fmt.Fprintf(&b, "Contact: <sip:%s@%s>\r\n", userOf(uriOf(d.local)), sipPhones)
	for name, value := range extra {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	return b.String() + content(body)
}

func content(body string) string {
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", kind, len(body), body)
}

// sdp offers or answers A-law at a port that nobody listens on.
func sdp(direction string) string {
	return fmt.Sprintf("v=0\r\no=- 1 %d IN IP4 127.0.2.5\r\ns=-\r\nc=IN IP4 127.0.2.5\r\nt=0 0\r\n"+
		"m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n",
		time.Now().UnixNano()/1e6%1e9, direction)
}

// uriOf takes the address out of "Name <sip:…>;tag=…".
func uriOf(header string) string {
	if _, rest, ok := strings.Cut(header, "<"); ok {
		header, _, _ = strings.Cut(rest, ">")
		return header
	}
	header, _, _ = strings.Cut(header, ";")
	return header
}

// userOf is the user of a SIP address.
func userOf(uri string) string {
	uri = strings.TrimPrefix(uri, "sip:")
	user, _, _ := strings.Cut(uri, "@")
	return user
}
