//go:build lab

package lab

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// Where the SIP phones 131 to 139 are, by conf/pbx/pjsip.conf.
const (
	sipPhones = "127.0.2.5:5060"
	pbxSIP    = "127.0.2.1:5060"
)

// sipPhone stands for the phones that do what an Asterisk cannot play: hold
// by re-INVITE, and attended transfer by REFER with Replaces. All share one
// socket; a call belongs to the phone in its Request-URI or From. They send no
// sound and answer whatever the PBX asks with 200. Their scripts have the words
//
//	ring:S   answer   wait:S   busy   decline   NNN   hangup   (as conf/net)
//	hold   resume   re-INVITE with sendonly, sendrecv
//	call:N   hold, then a second call to N; goes on when it is answered
//	ringcall:N   the same; goes on when N rings
//	drop   the second call is given up
//	join   REFER with Replaces: the second call, or the other that the phone has, replaces the first
//	refer:N   blind transfer of the first call by REFER
type sipPhone struct {
	conn *net.UDPConn
	peer *net.UDPAddr

	mu      sync.Mutex
	scripts map[string]string
	dialogs map[string]*sipDialog // by Call-ID
	last    int
}

// sipDialog is one call of a phone.
type sipDialog struct {
	phone         *sipPhone
	id            string
	local, remote string // From and To with tags, as seen from here
	target        string // the remote Contact
	cseq          int
	invite        *sipMessage      // their INVITE, while it is unanswered
	answers       chan *sipMessage // responses to our requests
	over          chan struct{}    // closed when the call has ended
	once          sync.Once
}

func (d *sipDialog) end() { d.once.Do(func() { close(d.over) }) }

// openSIPPhones begins to listen.
func openSIPPhones() (*sipPhone, error) {
	local, err := net.ResolveUDPAddr("udp", sipPhones)
	if err != nil {
		return nil, fmt.Errorf("SIP phones: %w", err)
	}
	peer, err := net.ResolveUDPAddr("udp", pbxSIP)
	if err != nil {
		return nil, fmt.Errorf("SIP phones: %w", err)
	}
	conn, err := net.ListenUDP("udp", local)
	if err != nil {
		return nil, fmt.Errorf("SIP phones: %w", err)
	}
	p := &sipPhone{conn: conn, peer: peer, scripts: map[string]string{}, dialogs: map[string]*sipDialog{}}
	go p.read()
	return p, nil
}

// Close ends the phones; calls that are still open are the PBX's to end.
func (p *sipPhone) Close() error { return p.conn.Close() }

// isSIPPhone tells whether a number is one of these phones.
func isSIPPhone(number string) bool { return len(number) == 3 && strings.HasPrefix(number, "13") }

func (p *sipPhone) setScript(number, script string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scripts[number] = script
}

func (p *sipPhone) read() {
	buf := make([]byte, 64<<10)
	for {
		n, _, err := p.conn.ReadFromUDP(buf)
		if err != nil {
			return // closed
		}
		if m := parseSIP(buf[:n]); m != nil {
			p.handle(m)
		}
	}
}

func (p *sipPhone) handle(m *sipMessage) {
	p.mu.Lock()
	d := p.dialogs[m.get("Call-ID")]
	p.mu.Unlock()
	if m.status != 0 {
		if d != nil {
			d.answered(m)
		}
		return
	}
	switch {
	case m.method == "ACK":
	case m.method == "INVITE" && d == nil:
		p.ringIn(m)
	case m.method == "INVITE":
		p.send(m.reply(200, "OK", d.tag(), sdp("sendrecv")))
	case m.method == "CANCEL" && d != nil:
		p.send(m.reply(200, "OK", d.tag(), ""))
		if d.invite != nil {
			p.send(d.invite.reply(487, "Request Terminated", d.tag(), ""))
		}
		d.end()
	case m.method == "BYE" && d != nil:
		p.send(m.reply(200, "OK", d.tag(), ""))
		d.end()
	default:
		p.send(m.reply(200, "OK", "", ""))
	}
}

// ringIn begins a call from the PBX: the number's script says what happens.
func (p *sipPhone) ringIn(m *sipMessage) {
	number := userOf(m.uri)
	p.mu.Lock()
	p.last++
	d := &sipDialog{phone: p, id: m.get("Call-ID"), remote: m.get("From"), target: uriOf(m.get("Contact")), invite: m,
		local: fmt.Sprintf("%s;tag=in%d", m.get("To"), p.last), answers: make(chan *sipMessage, 16), over: make(chan struct{})}

	now, later, more := strings.Cut(p.scripts[number], "~")
	if more {
		p.scripts[number] = later
	}
	p.dialogs[d.id] = d
	p.mu.Unlock()
	if now == "" {
		now = "404"
	}
	p.send(m.reply(100, "Trying", "", ""))
	go d.play(number, now)
}

// dial lets a phone call; its script begins when it is answered.
func (p *sipPhone) dial(ctx context.Context, from, to, script string) error {
	d := p.newDialog(from, to)
	if err := d.invited(ctx, "sendrecv", 200); err != nil {
		return err
	}
	d.play(from, script)
	return nil
}

func (p *sipPhone) newDialog(from, to string) *sipDialog {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	d := &sipDialog{phone: p, id: fmt.Sprintf("lab-%d-%d", p.last, time.Now().UnixNano()), target: "sip:" + to + "@" + pbxSIP,
		local:  fmt.Sprintf("<sip:%s@%s>;tag=out%d", from, sipPhones, p.last),
		remote: fmt.Sprintf("<sip:%s@%s>", to, pbxSIP), answers: make(chan *sipMessage, 16), over: make(chan struct{})}
	p.dialogs[d.id] = d
	return d
}

// other is another call of the number that goes on; nil where there is none.
func (p *sipPhone) other(than *sipDialog, number string) *sipDialog {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.dialogs {
		select {
		case <-d.over:
		default:
			if d != than && userOf(uriOf(d.local)) == number {
				return d
			}
		}
	}
	return nil
}

func (p *sipPhone) send(text string) {
	_, _ = p.conn.WriteToUDP([]byte(text), p.peer) // a lost datagram shows as a scenario that does not end
}

// tag is the local tag.
func (d *sipDialog) tag() string {
	_, tag, _ := strings.Cut(d.local, ";tag=")
	return tag
}

// answered takes a response of the PBX.
func (d *sipDialog) answered(m *sipMessage) {
	method := m.cseqMethod()
	if method == "INVITE" && m.status >= 200 {
		d.remote = m.get("To")
		if c := m.get("Contact"); c != "" && m.status < 300 {
			d.target = uriOf(c)
		}
		d.phone.send(d.request("ACK", m.cseqNumber(), m.branch(), "", nil))
		if m.status >= 300 {
			d.end()
		}
	} else if method == "INVITE" && strings.Contains(m.get("To"), "tag=") {
		d.remote = m.get("To") // an early dialog: its tag is needed by Replaces
	}
	select {
	case d.answers <- m:
	default: // nobody waits for that many
	}
}
