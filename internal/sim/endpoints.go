package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/voipd/voipd/ami"
)

// Endpoint is a PJSIP endpoint of the fake PBX.
type Endpoint struct {
	Name         string
	Auths        string // how it logs in to the PBX
	OutboundAuth string // how the PBX logs in there
	Context      string
	CallerID     string // "Irina" <105>
	State        string // empty: Not in use
	Address      string // by which it is known; empty: by its name
}

func (e Endpoint) state() string {
	if e.State == "" {
		return "Not in use"
	}
	return e.State
}

// SetEndpoints makes these the endpoints from now on; none, and not nil: an
// empty list, as of a PBX that is starting up.
func (p *PBX) SetEndpoints(all []Endpoint) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opts.Endpoints = all
}

// Listed is how often the endpoints were asked for.
func (p *PBX) Listed() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listed
}

func (s *session) showEndpoints(m *ami.Message) {
	all := s.pbx.opts.Endpoints
	s.pbx.listed++
	if all == nil || !has(s.pbx.opts.Write, "system") {
		s.reply(m, "Error", "Message: Permission denied")
		return
	}
	s.reply(m, "Success", "EventList: start", "Message: A listing of Endpoints follows, presented as EndpointList events")
	for _, e := range all {
		s.item(m, "EndpointList", "ObjectType: endpoint", "ObjectName: "+e.Name, "Auths: "+e.Auths, "OutboundAuths: "+e.OutboundAuth,
			"DeviceState: "+e.state(), "ActiveChannels: ")
	}
	s.item(m, "EndpointListComplete", "EventList: Complete", fmt.Sprintf("ListItems: %d", len(all)))
}

func (s *session) showEndpoint(m *ami.Message) {
	name := string(m.Get("Endpoint"))
	for _, e := range s.pbx.opts.Endpoints {
		if e.Name != name {
			continue
		}
		s.reply(m, "Success", "EventList: start", "Message: Following are Events for each object associated with the Endpoint")
		items := 1
		s.item(m, "EndpointDetail", "ObjectType: endpoint", "ObjectName: "+e.Name, "Context: "+e.Context, "Callerid: "+e.CallerID,
			"DeviceState: "+e.state())
		if e.Address != "" {
			s.item(m, "IdentifyDetail", "ObjectType: identify", "Match: "+e.Address, "EndpointName: "+e.Name)
			items++
		}
		s.item(m, "EndpointDetailComplete", "EventList: Complete", fmt.Sprintf("ListItems: %d", items))
		return
	}
	s.reply(m, "Error", "Message: Unable to retrieve endpoint "+name)
}

// entries answers an action with a list; none: the action is refused.
func (s *session) entries(m *ami.Message, event, complete string, none bool, entries [][]string) {
	if none {
		s.reply(m, "Error", "Message: Permission denied")
		return
	}
	s.reply(m, "Success", "EventList: start", "Message: A list follows")
	for _, lines := range entries {
		s.item(m, event, lines...)
	}
	s.item(m, complete, "EventList: Complete", fmt.Sprintf("ListItems: %d", len(entries)))
}

func (s *session) showHints(m *ami.Message) {
	var all [][]string
	for _, number := range slices.Sorted(maps.Keys(s.pbx.opts.Hints)) {
		all = append(all, []string{"Exten: " + number, "Context: ext-local", "Hint: " + s.pbx.opts.Hints[number], "Status: 0", "StatusText: Idle"})
	}
	s.entries(m, "ExtensionStatus", "ExtensionStateListComplete", s.pbx.opts.Hints == nil, all)
}

func (s *session) showMailboxes(m *ami.Message) {
	var all [][]string
	for _, number := range s.pbx.opts.Mailboxes {
		all = append(all, []string{"VMContext: default", "VoiceMailbox: " + number})
	}
	s.entries(m, "VoicemailUserEntry", "VoicemailUserEntryComplete", len(all) == 0, all)
}

func (s *session) showDatabase(m *ami.Message) {
	var all [][]string
	for _, key := range slices.Sorted(maps.Keys(s.pbx.opts.Database)) {
		if strings.HasPrefix(key, "/"+string(m.Get("Family"))+"/") {
			all = append(all, []string{"Key: " + key, "Val: " + s.pbx.opts.Database[key]})
		}
	}
	s.entries(m, "DBGetTreeResponse", "DBGetTreeComplete", len(s.pbx.opts.Database) == 0, all)
}

// item is one event of a list that answers an action.
func (s *session) item(m *ami.Message, event string, lines ...string) {
	s.answer(m, "Event: "+event, lines...)
}
