package daemon_test

import (
	"testing"

	"github.com/voipd/voipd/record"
)

// TestGarbageSwallowsAnEvent: garbage on the wire takes the next event with it,
// here the end of a call. voipd asks the PBX for its channels again, so that the
// call does not stay open, and says that it did not see its end.
func TestGarbageSwallowsAnEvent(t *testing.T) {
	for name, garbage := range map[string]string{
		"before it":        "\x00\xff rubbish",
		"half an event":    "Event: Newstate\r\nPrivilege: call,all\r\nUniqueid: ",
		"a line too long":  string(make([]byte, 100_000)),
		"a broken message": "rubbish\r\nmore: ",
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.start()
			channel := []string{"Privilege: call,all", "Channel: PJSIP/101-00000001", "ChannelState: 4", "ChannelStateDesc: Ring", "CallerIDNum: 101",
				"Context: from-internal", "Exten: 102", "Uniqueid: 1795384451.1", "Linkedid: 1795384451.1"}
			o.pbx.Emit(append([]string{"Event: Newchannel"}, channel...)...)
			o.until(record.CallBegan)
			o.pbx.Garble(garbage)
			o.pbx.Emit(append([]string{"Event: Hangup", "Cause: 16"}, channel...)...)
			r := o.until(record.CallEnded).Record
			if r == nil || r.CallID != "1795384451.1" || len(r.Details.Approximate) == 0 {
				t.Errorf("got %+v", r)
			}
			if err := o.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}
