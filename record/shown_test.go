package record_test

import (
	"regexp"
	"testing"

	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// TestShownByThePBX: the admin's own patterns come first, then what the PBX
// shows an endpoint to be, then the shape of its name.
func TestShownByThePBX(t *testing.T) {
	own := numbers.Default()
	own.Extensions, own.Guessed = []*regexp.Regexp{regexp.MustCompile(`^(?:1\d\d|1000)$`)}, false
	trunks := numbers.Default()
	trunks.Guessed, trunks.Trunks = true, []*regexp.Regexp{regexp.MustCompile(`^PJSIP/alice$`)}
	guessed := numbers.Default()
	guessed.Guessed = true
	for name, c := range map[string]struct {
		rules            record.Rules
		caller, callee   string // endpoints
		shownA, shownB   string
		direction        record.Direction
		src, dst, number string
	}{
		"a phone with a name":        {guessed, "alice", "101", "extension 105", "extension", record.Internal, "105", "101", "105"},
		"a phone without caller ID":  {guessed, "alice", "101", "extension", "", record.Internal, "alice", "101", "105"},
		"nobody says":                {guessed, "alice", "101", "", "", record.In, "79031234567", "101", "79031234567"},
		"a trunk like an extension":  {guessed, "1000", "101", "trunk", "", record.In, "79031234567", "101", "79031234567"},
		"the admin says extension":   {own, "1000", "101", "trunk", "", record.Internal, "1000", "101", "79031234567"},
		"the admin says trunk":       {trunks, "alice", "101", "extension 105", "", record.In, "79031234567", "101", "79031234567"},
		"asked after it was created": {guessed, "alice", "101", "late", "", record.Internal, "105", "101", "105"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := ch(1, 1, c.caller), ch(2, 1, c.callee)
			a.Class, b.Class = c.shownA, c.shownB
			if a.Class == "late" {
				a.Class = ""
			}
			m := record.New(c.rules)
			var changes []record.Change
			for _, e := range tell(func(s *story) {
				s.calls(a, c.number, "101")
				if c.shownA == "late" {
					a.Class = "extension 105"
				}
				s.dials(a, b, "101", "101")
				s.dialEnds(a, b, "ANSWER")
				s.up(b)
				s.up(a)
				s.bridge("b", a, b)
				s.wantsDown(a)
				s.leave("b", a)
				s.leave("b", b)
				s.gone(16, a, b)
			}) {
				changes = m.Apply(changes, e)
			}
			got := records(changes)
			if len(got) != 1 || got[0].Direction != c.direction || got[0].SrcPhone != c.src || got[0].DstPhone != c.dst || got[0].Disposition != record.Answered {
				t.Errorf("got %+v, want %s from %s to %s", got, c.direction, c.src, c.dst)
			}
		})
	}
}
