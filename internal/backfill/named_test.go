package backfill_test

import (
	"testing"

	"github.com/voipd/voipd/internal/backfill"
)

// TestNumbersThatAreNamedElsewhere: a number that stands where none usually does.
func TestNumbersThatAreNamedElsewhere(t *testing.T) {
	const phone, trunk = "PJSIP/105-00000001", "PJSIP/trunk-a-00000002"
	for _, c := range []struct {
		what, want string
		rows       []string
	}{
		{"the caller ID of the trunk's channel is all that has the number called", "out 105 89160000031 answered 6", celRows(
			[8]string{"CHAN_START", "00.1", "105", "s", phone, "", "a.1 a.1"},
			[8]string{"ANSWER", "02.1", "105", "", phone, "AppDial2", "a.1 a.1"},
			[8]string{"CHAN_START", "02.2", "", "s", trunk, "", "a.2 a.1"},
			[8]string{"ANSWER", "05.1", "89160000031", "dial", trunk, "", "a.2 a.1"},
			[8]string{"BRIDGE_ENTER", "05.2", "89160000031", "", trunk, "", "a.2 a.1", `{"bridge_id":"b"}`},
			[8]string{"BRIDGE_ENTER", "05.3", "105", "dial", phone, "", "a.1 a.1", `{"bridge_id":"b"}`},
			[8]string{"BRIDGE_EXIT", "11.5", "89160000031", "", trunk, "", "a.2 a.1", `{"bridge_id":"b"}`},
			[8]string{"CHAN_END", "11.6", "89160000031", "", trunk, "", "a.2 a.1"},
			[8]string{"CHAN_END", "11.7", "105", "dial", phone, "", "a.1 a.1"})},
		{"a conference's room has a name, and its plan no number", "internal 105 4005 answered 7", celRows(
			[8]string{"CHAN_START", "00.1", "105", "4005", phone, "", "a.1 a.1"},
			[8]string{"ANSWER", "01.1", "105", "s", phone, "Answer", "a.1 a.1"},
			[8]string{"BRIDGE_ENTER", "03.1", "105", "s", phone, "ConfBridge:board-room,,", "a.1 a.1", `{"bridge_id":"b"}`},
			[8]string{"BRIDGE_EXIT", "08.1", "105", "s", phone, "ConfBridge:board-room,,", "a.1 a.1", `{"bridge_id":"b"}`},
			[8]string{"CHAN_END", "08.2", "105", "s", phone, "", "a.1 a.1"})},
	} {
		if got, _ := tell(t, backfill.ReadCEL, c.rows); brief(got) != c.want {
			t.Errorf("%s: got %s, want %s", c.what, brief(got), c.want)
		}
	}
}
