package backfill_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/numbers"
)

// TestCallsOfThePBX: what the PBX itself began, from rows of a real Asterisk 22:
// a recall of who handed his call over, nobody being there, is part of that
// call; of whom it called, or was to call, where no row has the number, the
// record says that it is approximate.
func TestCallsOfThePBX(t *testing.T) {
	rules := numbers.Default()
	rules.Trunks = []*regexp.Regexp{regexp.MustCompile(`^PJSIP/trunk-[ab]$`)}
	for _, c := range []struct {
		file, want string // of the one record
		doubt      string
	}{
		{"recall-missed", "in 79031000117→117 answered", ""},
		{"callback-noanswer", "out 115→anonymous no_answer", "the number that the PBX called was not written down"},
		{"click-noanswer", "internal 109→109 no_answer", "whom the PBX was to call was not written down"},
	} {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + c.file + ".csv")
			if err != nil {
				t.Fatal(err)
			}
			got := tellFileBy(t, rules, strings.Split(strings.TrimSpace(string(text)), "\n"), backfill.Span{})
			if len(got) != 1 {
				t.Fatalf("%d records: %s", len(got), fields(got))
			}
			r := got[0]
			if c.file == "recall-missed" && !slices.Contains(r.Details.Absorbed, "1795614593.135") {
				t.Errorf("the recall is told of as no part of the call: %q", r.Details.Absorbed)
			}
			if said := string(r.Direction) + " " + r.SrcPhone + "→" + r.DstPhone + " " + string(r.Disposition); said != c.want || strings.Join(r.Details.Approximate, ";") != c.doubt {
				t.Errorf("got %s, approximate %q, want %s, %q", said, r.Details.Approximate, c.want, c.doubt)
			}
		})
	}
}

// TestOldPhoneIsNoRecall: before a call is handed over and comes back, the phone
// was rung for another one, of which Asterisk, which crashed, tells no more. The
// clock was an hour ahead then.
func TestOldPhoneIsNoRecall(t *testing.T) {
	rows := lines(t, "testdata/recall-missed.csv")
	first := celTime(rows[0])
	old := fmt.Sprintf(`"CHAN_START","%d.000000","Pavel","117","","","","s","from-internal","PJSIP/117-00000001","","","1795614000.1","1795614000.1","","",""`,
		first.Add(time.Hour).Unix())
	got := tellFile(t, append([]string{old}, rows...), backfill.Span{Listed: celTime(rows[len(rows)-1]).Add(time.Second)})
	if len(got) != 2 {
		t.Fatalf("%d records: %s", len(got), fields(got))
	}
	for _, r := range got {
		if slices.Contains(r.Details.Absorbed, "1795614000.1") {
			t.Errorf("%s took in the other call", r.CallID)
		}
	}
}
