package record

import "strings"

// This file reads dial strings: what the dialplan's Dial, Queue or Originate was
// told to ring.

// dialledNumber takes the number out of a dial string: "89161000001@trunk-a" and
// "trunk-a/sip:89161000001@203.0.113.4:5060" (PJSIP), "trunk-a/89161000001" (SIP,
// IAX2), "user:secret@203.0.113.4/89161000001@context" (IAX2), "g1/w89161000001"
// (DAHDI; w waits for the dial tone). Empty where it has none.
func dialledNumber(s string) string {
	if tech, rest, ok := strings.Cut(s, "/"); ok {
		switch tech {
		case "PJSIP", "SIP", "IAX2", "DAHDI", "Local", "Motif": // app_queue puts the technology before it
			s = rest
		}
	}
	s = WithoutSecrets(s)
	where, number, slashed := strings.Cut(s, "/")
	if !slashed {
		var at bool
		if number, _, at = strings.Cut(where, "@"); !at {
			return ""
		}
	}
	number, _, _ = strings.Cut(number, "/")
	if scheme, rest, ok := strings.Cut(number, ":"); ok && addresses(scheme) {
		number = rest
	}
	number, _, _ = strings.Cut(number, "@")
	number, _, _ = strings.Cut(number, ":") // a port, or what is hidden
	if bare := strings.TrimLeft(number, "wW"); strings.HasPrefix(number, "w") && bare != "" && strings.IndexByte("0123456789*#+", bare[0]) >= 0 {
		number = bare
	}
	return number
}

// addresses tells whether a word is the scheme of an address, as in
// "sip:101@host".
func addresses(word string) bool {
	switch strings.ToLower(word) {
	case "sip", "sips", "tel", "pjsip", "iax2":
		return true
	}
	return false
}

// HideSecrets takes the passwords out of the dial strings of a fact. Whoever hears
// it from the PBX calls this, before anything keeps or shows the fact.
func (e *Event) HideSecrets() {
	e.Channel.Name, e.Peer.Name = WithoutSecrets(e.Channel.Name), WithoutSecrets(e.Peer.Name)
	switch e.Kind {
	case Parked, Unparked, ParkTimedOut, ParkAbandoned:
		e.Key = WithoutSecrets(e.Key)
	case DialStarted:
		e.Value = WithoutSecrets(e.Value)
	case Executed:
		switch e.Key { // not MixMonitor: a file's name may look like one
		case "Dial", "RetryDial", "Queue", "Page", "Originate", "FollowMe":
			e.Value = WithoutSecrets(e.Value)
		}
	}
}

// hidden stands for a secret.
const hidden = "***"

// WithoutSecrets gives a dial string without the password that IAX2 and SIP allow
// in it: "IAX2/user:***@host/number". It hides everything from the colon behind the
// user's name to the last "@" in front of the host.
func WithoutSecrets(s string) string {
	from := 0
	for {
		i := strings.IndexByte(s[from:], ':')
		if i < 0 {
			return s
		}
		colon := from + i
		from = colon + 1
		user := s[strings.LastIndexAny(s[:colon], "/&,(| ")+1 : colon]
		if addresses(user) || strings.Contains(user, "@") { // a scheme, or the port of a host
			continue
		}
		rest := s[colon+1:]
		end := len(rest)
		if i := strings.IndexAny(rest, "&,|) "); i >= 0 { // the next phone, or the next argument
			end = i
		}
		at := strings.IndexByte(rest[:end], '@')
		if at < 0 {
			continue
		}
		// A secret may hold "@" and "/" itself: the host is in front of the last
		// "/NUMBER", with or without "@context".
		if host := strings.LastIndexByte(rest[:end], '/'); host > at {
			at = strings.LastIndexByte(rest[:host], '@')
		}
		s = s[:colon+1] + hidden + rest[at:]
		from = colon + 1 + len(hidden)
	}
}
