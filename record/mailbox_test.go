package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestMailboxIsNoTalk: whose mailbox answers for him was not reached; one that is
// dialled for itself is a service. Do not disturb is busy, without a channel.
func TestMailboxIsNoTalk(t *testing.T) {
	caller := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/101-00000001"}
	run := func(app, data string) []record.Event {
		return []record.Event{{Kind: record.Executed, Channel: caller, Key: app, Value: data}}
	}
	up := record.Event{Kind: record.StateChanged, Channel: caller, State: record.Up}
	for _, row := range []struct {
		name, asked string
		then        []record.Event
		cause       int
		want        record.Disposition
	}{
		{"a colleague who is not registered", "102", append(run("Dial", "PJSIP/102,15"), append(run("VoiceMail", "102@default,u"), up)...), 16, record.Failed},
		{"a colleague whom nothing rings", "102", append(run("VoiceMail", "102@default,b"), up), 16, record.NoAnswer},
		{"his own mailbox", "*97", append(run("VoiceMailMain", "101@default"), up), 16, record.Answered},
		{"a mailbox dialled directly", "*102", append(run("VoiceMail", "102@default"), up), 16, record.Answered},
		{"do not disturb", "102", run("Busy", "20"), 17, record.BusyLine},
	} {
		m, got := record.New(officeRules()), []record.Change(nil)
		events := append([]record.Event{{Kind: record.Created, Channel: caller, State: record.Ring, Context: "from-internal", Exten: row.asked}}, row.then...)
		for i, e := range append(events, record.Event{Kind: record.HungUp, Channel: caller, Cause: row.cause}) {
			e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
			if e.Context == "" {
				e.Context, e.Exten = "from-internal", row.asked
			}
			got = m.Apply(got, e)
		}
		if all := records(got); len(all) != 1 || all[0].Disposition != row.want {
			t.Errorf("%s: %+v", row.name, all)
		}
	}
}
