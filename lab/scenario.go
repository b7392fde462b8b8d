//go:build lab

package lab

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Scenario is something that happens in the office: what the phones and the
// network do, who calls when, and the record that each call must leave.
type Scenario struct {
	Name  string // short, unique, [a-z0-9-]
	Title string // one sentence: what happens

	// Scripts says how a called number acts: "102": "ring:1|answer|wait:10",
	// "89161000001": "busy", "a/89161000005": "503" for provider a alone,
	// "101@79031000001" for that caller alone.
	// The words are explained in conf/net/extensions.conf. A number without
	// a script is refused with 404.
	Scripts map[string]string

	// Uses names what the scenario needs for itself beside the phones that
	// occur in Scripts and Calls: "queue-sales", "conference".
	Uses []string

	Calls []Call

	// Acts are what the CRM or an administrator does meanwhile.
	Acts []Act

	// Not says why the scenario cannot be played on an Asterisk, by version.
	Not map[string]string

	// Later marks what voipd need not tell rightly yet: it is played and
	// reported, and does not fail the run.
	Later bool
}

// Call is one call that somebody begins. Exactly one of Phone, Trunk and
// Originate says who.
type Call struct {
	After time.Duration // how long after the scenario's beginning

	Phone string // an extension's phone dials
	Trunk string // somebody outside calls in by "trunk-a" or "trunk-b"; "trunk-a-hidden" hides the number
	From  string // Trunk only: the caller's number
	Named string // Trunk only: the caller's name, if any
	Dial  string // what is dialled

	Script string        // what the caller does once answered; then hangs up
	GiveUp time.Duration // the caller hangs up if there is no answer by then; 0: stays a minute

	// Originate makes the PBX begin the call: the channel that it rings
	// first, such as PJSIP/101 or Local/101@from-internal; it then dials Dial.
	Originate string
	// By says how: "" by the AMI's Originate, "file" by a call file, "ari" by
	// ARI's POST /channels into the dialplan, "stasis" by an ARI application
	// that dials Dial (an endpoint such as PJSIP/102) without a dialplan,
	// "voipd-ami" and "voipd-ari" by the voipd that listens there (POST /v1/calls),
	// "app" by somebody else, once Begun was called.
	By string

	// Begun is told that the phones know what to do and the call is waited
	// for; nil: nobody is told.
	Begun func()

	// Retries is how often a call file is tried again, after a second; each try is a
	// call of its own.
	Retries int

	// Want is the record that must come of the call; nil where none may:
	// no channel ever was, or the call went into another one.
	Want *Want

	// Second says that the phone's script of a call before makes this one.
	Second bool

	// NoChannel says that the PBX refuses the call before it has a channel.
	NoChannel bool
}

var (
	extension    = regexp.MustCompile(`^1\d\d$`)
	scenarioName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	originated   = regexp.MustCompile(`^(PJSIP|Local)/(\d+)(@[a-z-]+)?$`)
)

// Holds lists everything that no other scenario may touch at the same time:
// phones, outside numbers and what Uses names.
func (s Scenario) Holds() []string {
	seen := map[string]bool{}
	var held []string
	hold := func(name string) {
		if name != "" && !seen[name] {
			seen[name] = true
			held = append(held, name)
		}
	}
	for number := range s.Scripts {
		number, _, _ = strings.Cut(number, "@")
		hold(strings.TrimPrefix(strings.TrimPrefix(number, "a/"), "b/"))
	}
	for _, c := range s.Calls {
		hold(c.Phone)
		hold(c.From)
		hold(c.operator())
		if c.Trunk == "trunk-a-hidden" {
			hold("anonymous")
		}
		if number := strings.TrimPrefix(c.Dial, "PJSIP/"); extension.MatchString(number) {
			hold(number)
		}
	}
	for _, name := range s.Uses {
		hold(name)
	}
	return held
}

// operator is the extension that the PBX rings first in a call it begins.
func (c Call) operator() string {
	if m := originated.FindStringSubmatch(c.Originate); m != nil && extension.MatchString(m[2]) {
		return m[2]
	}
	return ""
}

// begins tells whether a new channel of the PBX is the first one of the call.
func (c Call) begins(channel, callerNum, exten string) bool {
	switch {
	case strings.HasPrefix(c.Originate, "PJSIP/") && strings.Contains(c.Originate, "@"):
		// The outside party first. A call that comes in has the number it asks for.
		_, trunk, _ := strings.Cut(c.Originate, "@")
		return strings.HasPrefix(channel, "PJSIP/"+trunk+"-") && !strings.HasPrefix(exten, "7")
	case c.Trunk == "trunk-c":
		return strings.HasPrefix(channel, "IAX2/trunk-c-") && callerNum == c.From
	case c.Phone == "125":
		return strings.HasPrefix(channel, "SIP/125-")
	case c.Phone != "":
		return strings.HasPrefix(channel, "PJSIP/"+c.Phone+"-")
	case c.Trunk == "trunk-a-hidden":
		return strings.HasPrefix(channel, "PJSIP/trunk-a-") && callerNum == "anonymous"
	case c.Trunk != "":
		return strings.HasPrefix(channel, "PJSIP/"+c.Trunk+"-") && callerNum == c.From
	case strings.HasPrefix(c.Originate, "Local/"):
		return strings.HasPrefix(channel, c.Originate+"-") && strings.HasSuffix(channel, ";1")
	default:
		return strings.HasPrefix(channel, c.Originate+"-")
	}
}

// Act is something that is done to the PBX while calls go on.
type Act struct {
	After time.Duration // how long after the scenario's beginning
	// Do is one of, where CHANNEL is how the channel's name begins:
	//
	//	redirect CHANNEL EXTEN   hangup CHANNEL   pause QUEUE PHONE   unpause QUEUE PHONE
	//	redirect-both CHANNEL EXTEN CHANNEL EXTEN   bridge CHANNEL CHANNEL   kick CHANNEL CONFERENCE
	//	record CHANNEL FILE   mute CHANNEL   unmute CHANNEL   record-bridge BRIDGE NAME (by ARI)
	Do string
}

// Check finds mistakes in a table of scenarios before anything is started.
func Check(all []Scenario) error {
	var errs []error
	names, callers := map[string]bool{}, map[string]string{}
	for _, s := range all {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("scenario %s: "+format, append([]any{s.Name}, args...)...))
		}
		if !scenarioName.MatchString(s.Name) || names[s.Name] {
			bad("the name is not of [a-z0-9-] or not unique")
		}
		names[s.Name] = true
		if len(s.Calls) == 0 {
			bad("nobody calls")
		}
		for i, c := range s.Calls {
			begun := 0
			for _, who := range []string{c.Phone, c.Trunk, c.Originate} {
				if who != "" {
					begun++
				}
			}
			if begun != 1 || c.Dial == "" {
				bad("call %d: one of Phone, Trunk, Originate, and Dial", i+1)
			}
			if c.Originate != "" && !originated.MatchString(c.Originate) {
				bad("call %d: cannot originate %q", i+1, c.Originate)
			}
			if c.NoChannel && c.Want != nil {
				bad("call %d: no channel, yet a record", i+1)
			}
			if c.From != "" {
				if other, taken := callers[c.From]; taken && other != s.Name {
					bad("call %d: %s calls in %s too", i+1, c.From, other)
				}
				callers[c.From] = s.Name
			}
		}
	}
	return errors.Join(errs...)
}
