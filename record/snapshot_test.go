package record_test

import (
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestListedNoMore: a channel on its way out is not in the PBX's list, and its
// Hangup comes behind it. Who was heard of since the last gap did not end
// unseen; who was not, did.
func TestListedNoMore(t *testing.T) {
	caller := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/101-00000001"}
	gap := record.Event{Kind: record.Gapped, Value: "the link to the PBX was down"}
	heard := record.Event{Kind: record.Executed, Channel: caller, Key: "Hangup"}
	list := []record.Event{{Kind: record.SnapshotBegan}, {Kind: record.SnapshotEnded}}
	end := record.Event{Kind: record.HungUp, Channel: caller, Cause: 16}
	const unseen = "its end was not seen"
	for _, c := range []struct {
		name   string
		events []record.Event
		unseen bool
	}{
		{"heard of before the gap", append([]record.Event{heard, gap}, list...), true},
		{"heard of since the gap", append(append([]record.Event{gap, heard}, list...), end), false},
		{"the list is asked for again", append(append(append([]record.Event{gap, heard}, list...), list...), end), false},
		{"another gap", append(append(append([]record.Event{gap, heard}, list...), gap), list...), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, got := record.New(officeRules()), []record.Change(nil)
			for i, e := range append([]record.Event{{Kind: record.Created, Channel: caller, State: record.Ring, Context: "from-internal", Exten: "*43"}}, c.events...) {
				e.At, e.Source = time.Unix(1795375000+int64(i), 0).UTC(), record.SourceAMI
				got = m.Apply(got, e)
			}
			all := records(got)
			if len(all) != 1 || slices.Contains(all[0].Details.Approximate, unseen) != c.unseen {
				t.Errorf("got %+v", all)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}
