package record_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// guessed are the rules of a configuration that says nothing, with what the PBX has.
func guessed(has ...string) record.Rules {
	r := numbers.Default()
	for _, n := range has {
		if r.Numbers == nil {
			r.Numbers = map[string]bool{}
		}
		r.Numbers[n] = true
	}
	return r
}

// own are the rules with one pattern of the admin's own.
func own(pattern string) record.Rules {
	r := numbers.Default()
	r.Extensions, r.Guessed = []*regexp.Regexp{regexp.MustCompile(pattern)}, false
	return r
}

// TestNumberThatIsNoExtension: a mobile that answers for a group does not make the
// group's number an operator; one that answers for an extension does.
func TestNumberThatIsNoExtension(t *testing.T) {
	for name, c := range map[string]struct {
		rules record.Rules
		asked string
		app   string // what the dialplan runs there
		rings string // an operator's phone that is rung besides; empty: none
		local bool   // by a Local channel of its own
		want  string
	}{
		"a group with an operator":              {guessed(), "604", "Dial", "102", false, "102"},
		"a group of Local members":              {guessed(), "7700", "Dial", "103", true, "103"},
		"an extension that rings too":           {guessed(), "102", "Dial", "102", false, "102"},
		"an extension that only forwards":       {guessed(), "105", "Dial", "", false, "105"},
		"a known extension, a colleague's rung": {guessed("105", "102"), "105", "Dial", "102", false, "105"},
		"a known group with an operator":        {guessed("101", "102"), "604", "Dial", "102", false, "102"},
		"a queue with an operator":              {guessed(), "612", "Queue", "102", true, "102"},
		"a queue of mobiles alone":              {guessed(), "612", "Queue", "", false, "612"},
	} {
		t.Run(name, func(t *testing.T) {
			in, phone := ch(1, 1, "provider"), ch(2, 1, c.rings)
			one, two, mobile := ch(3, 1, ""), ch(4, 1, ""), ch(5, 1, "provider")
			one.Name, two.Name = "Local/89160000010@from-internal-0001;1", "Local/89160000010@from-internal-0001;2"
			got := runBy(t, c.rules, tell(func(s *story) {
				s.calls(in, "79030000051", "74951110020")
				s.add(record.Event{Kind: record.Executed, Channel: in, Exten: c.asked, Key: c.app, Value: c.asked})
				from, others := in, []record.Channel{}
				if c.local {
					a, b := ch(7, 1, ""), ch(8, 1, "")
					a.Name, b.Name = "Local/1@m-0002;1", "Local/1@m-0002;2"
					s.dials(in, a, c.asked, "1@m")
					s.add(record.Event{Kind: record.Created, Channel: b, State: record.Ring})
					s.add(record.Event{Kind: record.LocalJoined, Channel: a, Peer: b})
					s.add(record.Event{Kind: record.Executed, Channel: b, Exten: c.rings, Key: "Dial"})
					from, others = b, []record.Channel{a, b}
				}
				if c.rings != "" {
					s.dials(from, phone, "", c.rings)
					others = append(others, phone)
				}
				s.dials(in, one, c.asked, "89160000010@from-internal")
				s.add(record.Event{Kind: record.Created, Channel: two, State: record.Ring})
				s.add(record.Event{Kind: record.LocalJoined, Channel: one, Peer: two})
				s.dials(two, mobile, "89160000010", "89160000010@provider")
				s.up(mobile)
				s.dialEnds(two, mobile, "ANSWER")
				s.gone(26, others...)
				s.up(in)
				s.bridge("a", mobile, two)
				s.bridge("b", one, in)
				s.wait(4 * time.Second)
				s.leave("b", in)
				s.gone(16, mobile, two, one, in)
			}))
			if len(got) != 1 || got[0].DstPhone != c.want || got[0].Disposition != record.Answered {
				t.Errorf("got %+v, want answered by %s", got, c.want)
			}
		})
	}
}

// TestWhosePhone: an endpoint is the operator's whom its caller ID, the PBX's own
// list or the admin names; the pattern of its name comes last.
func TestWhosePhone(t *testing.T) {
	given := guessed()
	given.Endpoints = map[string]string{"PJSIP/anna-desk": "121", "PJSIP/1000": "122", "Khomp/B0C3": "123"}
	listed := guessed()
	listed.Shown = map[string]string{"PJSIP/anna-desk": "extension 121", "PJSIP/2001": "operator 125", "PJSIP/300": "extension 500",
		"PJSIP/reception": "extension 74951110000"}
	helpers := guessed()
	helpers.Helpers = []string{"Khomp"}
	for name, c := range map[string]struct {
		rules    record.Rules
		endpoint string // with its technology
		number   string // the caller ID that it is made with
		user     string // AMPUSER
		src      string // empty: it is no operator's
	}{
		"the admin names a phone":           {given, "PJSIP/anna-desk", "", "", "121"},
		"the admin names a number":          {given, "PJSIP/1000", "1000", "", "122"},
		"the admin names a port":            {given, "Khomp/B0C3", "79031234567", "", "123"},
		"nobody names it":                   {guessed(), "PJSIP/anna-desk", "121", "", ""},
		"the list names it":                 {listed, "PJSIP/anna-desk", "", "", "121"},
		"a device of another user":          {listed, "PJSIP/2001", "2001", "", "125"},
		"one company number for all":        {listed, "PJSIP/reception", "", "", "reception"},
		"one office number for all":         {listed, "PJSIP/300", "500", "", "300"},
		"a browser's phone":                 {guessed(), "PJSIP/98104", "104", "", "104"},
		"a number that shows a company's":   {guessed(), "PJSIP/104", "74951110000", "", "104"},
		"the dialplan finds a user":         {guessed(), "PJSIP/desk-7f", "79990000000", "126", "126"},
		"an analog phone":                   {guessed(), "DAHDI/17", "112", "", "112"},
		"an analog line":                    {guessed(), "DAHDI/17", "79031234567", "", ""},
		"an analog line without a number":   {guessed(), "Zap/42", "", "", ""},
		"a helper that the admin names":     {helpers, "Khomp/B0C3", "121", "", "helper"},
		"a name by the admin's own pattern": {own(`^([a-z0-9]{8})$`), "PJSIP/qxqz31sq", "1001", "", "1001"},
		"such a name with a company number": {own(`^([a-z0-9]{8})$`), "PJSIP/qxqz31sq", "74951110000", "", "qxqz31sq"},
		"an own pattern keeps its number":   {own(`^(\d{5})$`), "PJSIP/99101", "101", "", "99101"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := ch(1, 1, ""), ch(2, 1, "101")
			a.Name = fmt.Sprintf("%s-00000001", c.endpoint)
			got := runBy(t, c.rules, tell(func(s *story) {
				s.calls(a, c.number, "101")
				if c.user != "" {
					s.add(record.Event{Kind: record.VariableSet, Channel: a, Key: "AMPUSER", Value: c.user})
				}
				s.dials(a, b, "101", "101")
				s.add(record.Event{Kind: record.VariableSet, Channel: b, Key: "__FROMEXTEN", Value: "126"}) // inherited
				s.dialEnds(a, b, "ANSWER")
				s.up(b)
				s.up(a)
				s.bridge("b", a, b)
				s.leave("b", a)
				s.gone(16, a, b)
			}))
			want := record.Internal
			if c.src == "" {
				want = record.In
			}
			if len(got) != 1 || c.src == "helper" != (got[0].Details.BeganBy == "pbx") || got[0].DstPhone != "101" && c.src != "helper" {
				t.Fatalf("got %+v", got)
			}
			if c.src != "helper" && (got[0].Direction != want || c.src != "" && got[0].SrcPhone != c.src) {
				t.Errorf("got %s from %s, want %s from %s", got[0].Direction, got[0].SrcPhone, want, c.src)
			}
		})
	}
}
