//go:build lab

package lab

import (
	"fmt"
	"strings"
)

// hostileNames are what a caller may put into his name to harm whoever shows
// it: a terminal, a log, a spreadsheet, a page, a query, a dialplan.
func hostileNames() []string {
	return []string{
		`=HYPERLINK("http://evil.example","x")`,
		`+cmd|' /C calc'!A0`,
		`'; DROP TABLE records;--`,
		`<img src=x onerror=alert(1)>`,
		`${SHELL(touch /tmp/owned)}`,
		"\x1b[2J\x1b[31mowned",
		"\u202egpj.wav\u2028",
		`..%2f..%2fetc%2fpasswd%00%0d%0aAction: Originate`,
		strings.Repeat("я", 60),
	}
}

// hostileCalls: each of them comes by a real INVITE, and the call is a call
// like any other.
func hostileCalls() []Scenario {
	var all []Scenario
	for i, name := range hostileNames() {
		phone, from := fmt.Sprint(111+i%7), fmt.Sprint(79031000330+i)
		all = append(all, Scenario{
			Name: fmt.Sprintf("hostile-%d", i+1), Title: fmt.Sprintf("inbound with the name %q", name),
			Scripts: map[string]string{phone: "ring:1|answer|wait:20"},
			Calls: []Call{{Trunk: "trunk-a", From: from, Dial: "749512347" + phone[1:], Script: "wait:2|hangup", Named: name,
				Want: inbound(from, phone, "answered", 2).audio(NotJudged)}},
		})
	}
	return all
}
