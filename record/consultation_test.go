package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestGivenUpConsultation: 109 holds a customer, rings 102 on the second line, gives
// up, and sends the customer on by a blind transfer.
func TestGivenUpConsultation(t *testing.T) {
	for _, c := range []struct {
		name    string
		pause   time.Duration // between giving up and the transfer
		to      string        // of the transfer
		by      string        // who makes it
		first   bool          // the transfer is told before the end of the consultation
		records int
	}{
		{"to the same number at once", time.Second, "102", "109", false, 1},
		{"to the same number, told first", time.Second, "102", "109", true, 1},
		{"to the same number later", 4 * time.Second, "102", "109", false, 2},
		{"to the same number, much before", 4 * time.Second, "102", "109", true, 2},
		{"to another number", time.Second, "103", "109", false, 2},
		{"to another number, told first", time.Second, "103", "109", true, 2},
		{"by another operator", time.Second, "102", "110", false, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, a, second, b := ch(1, 1, "trunk-a"), ch(2, 1, "109"), ch(3, 3, "109"), ch(4, 3, "102")
			theirs, other := ch(11, 11, "trunk-a"), ch(12, 11, "110")
			events := tell(func(s *story) {
				talk := func(in, a record.Channel, number, ext string) {
					s.calls(in, number, "74951234567")
					s.dials(in, a, ext, ext)
					s.dialEnds(in, a, "ANSWER")
					s.up(a)
					s.bridge("b"+ext, a, in)
				}
				talk(in, a, "79031000001", "109")
				if c.by == "110" {
					talk(theirs, other, "79031000002", "110")
				}
				s.calls(second, "109", "102")
				s.dials(second, b, "102", "102")
				by, held := a, in
				if c.by == "110" {
					by, held = other, theirs
				}
				sends := func() { s.add(record.Event{Kind: record.BlindTransferred, Channel: by, Peer: held, Exten: c.to}) }
				s.wantsDown(second)
				if c.first {
					sends()
					s.wait(c.pause)
				}
				s.dialEnds(second, b, "CANCEL")
				s.gone(16, b, second)
				if !c.first {
					s.wait(c.pause)
					sends()
				}
				s.leave("b109", a)
				s.wait(2 * time.Second)
				s.gone(16, a, in)
				if c.by == "110" {
					s.gone(16, other, theirs)
				}
			})
			got := run(t, events)
			if len(got) != c.records {
				t.Fatalf("got %d records, want %d: %+v", len(got), c.records, got)
			}
			if absorbed := got[0].Details.Absorbed; (len(absorbed) == 1) != (c.records == 1) {
				t.Errorf("absorbed: %q", absorbed)
			}
			for _, r := range records(record.Replay(officeRules(), slices.Values(journals(events)[got[0].CallID]))) {
				if r.CallID == got[0].CallID && !slices.Equal(r.Details.Absorbed, got[0].Details.Absorbed) {
					t.Errorf("its own facts tell %q absorbed, want %q", r.Details.Absorbed, got[0].Details.Absorbed)
				}
			}
		})
	}
}
