package record

import "testing"

// TestRingingTable walks each row of the table with an end that it, and no row
// before it, fits; and with one that differs in each column that the row asks
// for, which has to fall through to a later row.
func TestRingingTable(t *testing.T) {
	cases := []struct {
		end     ringingEnd
		outcome string
		through []ringingEnd // ends that the row must not take
	}{
		{ringingEnd{status: "ANSWER", cause: 16}, rangAnswered, []ringingEnd{{status: "NOANSWER"}}},
		{ringingEnd{status: notToldRinging}, rangRinging, []ringingEnd{{status: notToldOver}}},
		{ringingEnd{status: "CANCEL", cause: 26, call: talked}, rangElsewhere, []ringingEnd{{status: "NOANSWER", cause: 16}}},
		{ringingEnd{status: "BUSY", cause: 34}, rangBusy, []ringingEnd{{status: "NOANSWER", cause: 34}}},
		{ringingEnd{status: "NOANSWER", cause: 21}, rangBusy, []ringingEnd{{status: "NOANSWER", cause: 20}}},
		{ringingEnd{status: "CHANUNAVAIL", cause: 0}, rangFailed, []ringingEnd{{status: "NOANSWER"}}},
		{ringingEnd{status: "CANCEL", cause: 16, call: talked}, rangElsewhere, []ringingEnd{{status: "NOANSWER", cause: 16, call: talked}, {status: "CANCEL", cause: 16}}},
		{ringingEnd{status: "CANCEL", cause: 19, call: cancelled}, rangCancelled, []ringingEnd{{status: "CANCEL", cause: 19}, {status: "NOANSWER", cause: 19, call: cancelled}}},
		{ringingEnd{status: "CANCEL", cause: 1}, rangNoAnswer, []ringingEnd{{status: "NOANSWER", cause: 1}}},
		{ringingEnd{status: notToldOver, cause: 16, call: talked}, rangElsewhere,
			[]ringingEnd{{status: notToldOver, cause: 16}, {status: notToldOver, cause: 19, call: talked}, {status: "NOANSWER", cause: 16, call: talked}}},
		{ringingEnd{status: "NOANSWER", cause: 19}, rangNoAnswer, []ringingEnd{{status: "NOANSWER", cause: 1}}},
		{ringingEnd{status: "NOANSWER", cause: 1}, rangFailed, nil},
	}
	if len(cases) != len(ringingTable) {
		t.Fatalf("%d cases for %d rows", len(cases), len(ringingTable))
	}
	for i, c := range cases {
		row := ringingTable[i]
		if row.why == "" {
			t.Errorf("row %d has no sentence", i)
		}
		if got := c.end.decide(); got.outcome != c.outcome || got.why != row.why {
			t.Errorf("%+v: %s, %q; want %s, %q", c.end, got.outcome, got.why, c.outcome, row.why)
		}
		for _, e := range c.through {
			if row.fits(e) {
				t.Errorf("%+v must not be %q", e, row.why)
			}
		}
	}
	if got := (ringingEnd{status: notToldUp, cause: 17}).decide(); got.outcome != rangAnswered {
		t.Errorf("a line that is up without a DialEnd: %s", got.outcome)
	}
}
