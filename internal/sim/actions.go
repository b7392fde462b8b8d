package sim

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"time"

	"github.com/voipd/voipd/ami"
)

// act carries an action out; false ends the session.
func (s *session) act(m *ami.Message) (goOn bool) {
	p := s.pbx
	p.mu.Lock()
	defer p.mu.Unlock()
	name := strings.ToLower(string(m.Get("Action")))
	switch {
	case name == "challenge" && !p.opts.NoChallenge:
		return s.challenged(m)
	case name == "login":
		return s.login(m)
	case name == "logoff":
		s.reply(m, "Goodbye", "Message: Thanks for all the fish.")
		return false
	case !s.loggedIn && name != "challenge":
		s.reply(m, "Error", "Message: Permission denied")
		return true
	}
	switch name {
	case "ping":
		s.reply(m, "Success", "Ping: Pong", fmt.Sprintf("Timestamp: %.6f", float64(p.Now().UnixMicro())/1e6))
	case "events":
		s.events(m)
	case "filter":
		s.filter(m)
	case "coreshowchannels":
		s.showChannels(m)
	case "pjsipshowendpoints":
		s.showEndpoints(m)
	case "pjsipshowendpoint":
		s.showEndpoint(m)
	case "extensionstatelist":
		s.showHints(m)
	case "voicemailuserslist":
		s.showMailboxes(m)
	case "dbgettree":
		s.showDatabase(m)
	case "originate":
		s.originate(m)
	case "":
		s.reply(m, "Error", "Message: Missing action in request")
	default:
		s.reply(m, "Error", fmt.Sprintf("Message: Invalid/unknown command: %s. Use Action: ListCommands to show available commands.", m.Get("Action")))
	}
	return true
}

func (s *session) challenged(m *ami.Message) bool {
	if !strings.EqualFold(string(m.Get("AuthType")), "MD5") {
		s.reply(m, "Error", "Message: Must specify AuthType")
		return true
	}
	if s.challenge == "" {
		s.challenge = fmt.Sprint(rand.Int32())
	}
	s.reply(m, "Success", "Challenge: "+s.challenge)
	return true
}

func (s *session) login(m *ami.Message) bool {
	opts := s.pbx.opts
	right := string(m.Get("Secret")) == opts.Secret
	if strings.EqualFold(string(m.Get("AuthType")), "MD5") {
		sum := md5.Sum([]byte(s.challenge + opts.Secret))
		right = s.challenge != "" && string(m.Get("Key")) == hex.EncodeToString(sum[:])
	}
	if !right || string(m.Get("Username")) != opts.Username || s.pbx.refusing {
		s.reply(m, "Error", "Message: Authentication failed")
		return false
	}
	s.loggedIn, s.mask = true, "on"
	if mask := m.Get("Events"); len(mask) > 0 {
		s.mask = string(mask)
	}
	s.reply(m, "Success", "Message: Authentication accepted")
	if s.sees("system,all") {
		s.send("Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 42\r\nLastReload: 42\r\nStatus: Fully Booted\r\n\r\n")
	}
	return true
}

func (s *session) events(m *ami.Message) {
	s.mask = string(m.Get("EventMask"))
	if has(s.mask, "off") {
		s.reply(m, "Success", "Events: Off")
		return
	}
	s.reply(m, "Success", "Events: On")
}

func (s *session) filter(m *ami.Message) {
	if !has(s.pbx.opts.Write, "system") {
		s.reply(m, "Error", "Message: Permission denied")
		return
	}
	text, exclude := strings.CutPrefix(string(m.Get("Filter")), "!")
	match, err := regexp.Compile(text)
	if err != nil || text == "" {
		s.reply(m, "Error", "Message: Filter format error")
		return
	}
	s.filters = append(s.filters, filter{exclude: exclude, match: match})
	s.reply(m, "Success", "Message: Filter Added Successfully")
}

func (s *session) showChannels(m *ami.Message) {
	if !has(s.pbx.opts.Write, "system") && !has(s.pbx.opts.Write, "reporting") {
		s.reply(m, "Error", "Message: Permission denied")
		return
	}
	s.reply(m, "Success", "EventList: start", "Message: Channels will follow")
	id := ""
	if v := m.ActionID(); v != nil {
		id = fmt.Sprintf("ActionID: %s\r\n", v)
	}
	all := s.pbx.channels.sorted()
	var list strings.Builder // one message to the backlog: a long list is no slow reader
	for _, c := range all {
		list.WriteString("Event: CoreShowChannel\r\n" + id + c.shown(s.pbx.Now()) + "\r\n")
	}
	s.send(list.String())
	s.send(fmt.Sprintf("Event: CoreShowChannelsComplete\r\n%sEventList: Complete\r\nListItems: %d\r\n\r\n", id, len(all)))
}

// clock is a duration as CoreShowChannels writes it.
func clock(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
