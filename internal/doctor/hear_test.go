package doctor

import (
	"strings"
	"testing"

	"github.com/voipd/voipd/ami"
)

// TestHidden: a filter of the PBX is found by what is missing, and only where a
// call was followed from its beginning.
func TestHidden(t *testing.T) {
	const began, dials, step, variable = "Event: Newchannel\r\nChannel: PJSIP/1\r\n\r\n", "Event: DialBegin\r\nChannel: PJSIP/1\r\n\r\n",
		"Event: Newexten\r\nChannel: PJSIP/1\r\n\r\n", "Event: VarSet\r\nChannel: PJSIP/1\r\n\r\n"
	for _, c := range []struct {
		stream string
		found  int
	}{
		{began + variable + dials, 1},
		{began + variable + step + dials, 0},
		{variable + dials, 0}, // it began before we listened
		{began + dials, 0},    // the class is missing, which is told otherwise
	} {
		var w way
		reader := ami.NewReader(strings.NewReader(c.stream), ami.Bounds{})
		for m, err := reader.Next(); err == nil; m, err = reader.Next() {
			w.hear(m)
		}
		var r Report
		if r.hidden(&w); len(r.Findings) != c.found {
			t.Errorf("%q: %d findings, want %d", c.stream, len(r.Findings), c.found)
		}
	}
}
