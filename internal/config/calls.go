package config

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// calls checks what goes into an AMI action and a dial string.
func (k *checker) calls(c *Calls) {
	k.patterns("calls.sources", c.Sources)
	k.patterns("calls.destinations", c.Destinations)
	if !regexp.MustCompile(`^[A-Za-z0-9]+/[A-Za-z0-9_.@{}/-]+$`).MatchString(c.Channel) || !strings.Contains(c.Channel, "{src}") {
		k.bad("calls.channel", "want a channel with {src} in it such as \"PJSIP/{src}\", have %q", c.Channel)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(c.Context) {
		k.bad("calls.context", "want a context of the dialplan such as \"from-internal\", have %q", c.Context)
	}
	k.line("calls.caller_id", c.CallerID)
	if c.AutoAnswer != "" && !regexp.MustCompile(`^[A-Za-z-]+: ?[^\r\n,;()"\\]+$`).MatchString(c.AutoAnswer) {
		k.bad("calls.auto_answer", "want a SIP header such as \"Call-Info: answer-after=0\", have %q", c.AutoAnswer)
	}
	if c.RingFor < time.Second || c.RingFor > 5*time.Minute {
		k.bad("calls.ring_for", "want one second to five minutes, have %s", c.RingFor)
	}
	if c.PerMinute < 1 {
		k.bad("calls.per_minute", "want 1 or more, have %d", c.PerMinute)
	}
}

func (k *checker) members(all []Member) {
	seen, taken := map[string]bool{}, map[string]bool{}
	endpoint := regexp.MustCompile(`^[A-Za-z0-9]+/[^\s/][^\r\n\t]*$`)
	for i, m := range all {
		key := fmt.Sprintf("members[%d]", i)
		if m.Extension == "" || seen[m.Extension] {
			k.bad(key+".extension", "want an extension that no other member has")
		}
		if m.Name == "" && len(m.Endpoints) == 0 {
			k.bad(key+".name", "must not be empty where endpoints is")
		}
		for n, e := range m.Endpoints {
			if at := fmt.Sprintf("%s.endpoints[%d]", key, n); !endpoint.MatchString(e) {
				k.bad(at, "want a technology and an endpoint such as \"PJSIP/anna-desk\", have %q", e)
			} else if taken[e] {
				k.bad(at, "%s is another member's, or given twice", e)
			}
			taken[e] = true
		}
		seen[m.Extension] = true
	}
}
