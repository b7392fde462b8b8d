package pbx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/record"
)

// Endpoint is one endpoint of the PBX as the PBX describes it.
type Endpoint struct {
	Name    string // with its technology: "PJSIP/101"
	State   string // as the PBX calls it: "Not in use", "OK (3 ms)", …
	Context string // where its calls begin in the dialplan; empty: not told
	Caller  string // name in its caller ID; empty: none
	Number  string // number in its caller ID; empty: none
	// Class is what the PBX shows the endpoint to be, as [record.Channel] takes
	// it; empty where it shows nothing.
	Class string
	Why   string // what shows it
}

// maxDetails is how many endpoints are asked about one by one, for what the
// list does not say; the rest go by the patterns of the configuration. At some
// 2 ms each it is a second.
const maxDetails = 500

// technologies are the actions that list endpoints. One that the PBX does not
// know, or does not let this user use, is passed over.
func technologies() []technology {
	return []technology{
		{"PJSIPShowEndpoints", "PJSIP/", "DeviceState"},
		{"SIPpeers", "SIP/", "Status"},
		{"IAXpeerlist", "IAX2/", "Status"},
	}
}

type technology struct{ action, prefix, state string }

// ListEndpoints asks the PBX for its endpoints, in its order. None and no error: it has
// none, or does not let this user ask (write = system in manager.conf).
func ListEndpoints(ctx context.Context, c *ami.Client) ([]Endpoint, error) {
	all, err := listStates(ctx, c)
	if err != nil || len(all) == 0 {
		return all, err
	}
	user, err := users(ctx, c)
	if err != nil {
		return all, err
	}
	for i := range all {
		technology, name, _ := strings.Cut(all[i].Name, "/")
		switch {
		case i >= maxDetails:
		case technology == "PJSIP":
			err = all[i].details(ctx, c, name)
		case technology == "SIP" && all[i].Class == record.ClassExtension:
			err = all[i].peer(ctx, c, name)
		}
		if err != nil {
			return all, err
		}
		all[i].shows(user[name])
	}
	return all, nil
}

// shows puts the extension into the class of a phone: the user's whose device it is,
// else the number of its caller ID.
func (e *Endpoint) shows(user string) {
	switch {
	case e.Class == record.ClassTrunk:
	case user != "":
		e.Class, e.Why = record.ClassOperator+" "+user, "the PBX's database has it as a device of "+user
	case e.Class == record.ClassExtension && e.Number != "":
		e.Class += " " + e.Number
	}
}

// peer asks about one peer of chan_sip: its context and caller ID.
func (e *Endpoint) peer(ctx context.Context, c *ami.Client, name string) error {
	m, err := c.Do(ctx, ami.Action{Name: "SIPshowpeer"}.With("Peer", name))
	var refused *ami.ActionError
	if errors.As(err, &refused) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("describe peer %s: %w", name, err)
	}
	e.Context = string(m.Get("Context"))
	e.Caller, e.Number = callerID(string(m.Get("Callerid")))
	return nil
}

// listStates asks for the endpoints and their states alone: one question for each
// technology. Errors are as with ListEndpoints.
func listStates(ctx context.Context, c *ami.Client) ([]Endpoint, error) {
	var all []Endpoint
	for _, tech := range technologies() {
		items, _, err := list(ctx, c, tech.action)
		if err != nil {
			return all, fmt.Errorf("list endpoints: %w", err)
		}
		for _, m := range items {
			name := string(m.Get("ObjectName"))
			if name == "" {
				continue
			}
			e := Endpoint{Name: tech.prefix + name, State: string(m.Get(tech.state))}
			e.login(m)
			all = append(all, e)
		}
	}
	return all, nil
}

// login takes from a list's item how the endpoint logs in: a phone logs in to
// the PBX, to a provider the PBX logs in.
func (e *Endpoint) login(m *ami.Message) {
	switch {
	case len(m.Get("OutboundAuths")) > 0:
		e.Class, e.Why = record.ClassTrunk, "the PBX logs in there, as to a provider"
	case len(m.Get("Auths")) > 0:
		e.Class, e.Why = record.ClassExtension, "it logs in to the PBX, as a phone does"
	case strings.EqualFold(string(m.Get("Dynamic")), "yes"): // chan_sip, chan_iax2
		e.Class, e.Why = record.ClassExtension, "it registers with the PBX, as a phone does"
	}
}

// details asks about one PJSIP endpoint: its context, caller ID, and whether
// it is known by its address alone.
func (e *Endpoint) details(ctx context.Context, c *ami.Client, name string) error {
	items, _, err := list(ctx, c, "PJSIPShowEndpoint", ami.Header{Key: "Endpoint", Value: name})
	if err != nil {
		return fmt.Errorf("describe endpoint %s: %w", name, err)
	}
	for _, m := range items {
		switch string(m.Event()) {
		case "EndpointDetail":
			e.Context = string(m.Get("Context"))
			e.Caller, e.Number = callerID(string(m.Get("Callerid")))
		case "IdentifyDetail":
			if e.Class == "" {
				e.Class, e.Why = record.ClassTrunk, "it is known by its address alone, as a provider is"
			}
		}
	}
	if e.Class == "" && record.ShortNumber(e.Number) {
		e.Class, e.Why = record.ClassExtension, "it is known by its user name, and its caller ID is a short number, as a phone's is"
	}
	return nil
}

// callerID splits `"Irina" <105>`.
func callerID(s string) (name, number string) {
	before, after, ok := strings.Cut(s, "<")
	if !ok {
		return "", ""
	}
	number, _, _ = strings.Cut(after, ">")
	return strings.Trim(strings.TrimSpace(before), `"`), strings.TrimSpace(number)
}
