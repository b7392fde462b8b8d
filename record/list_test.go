package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// TestGapInAList: a line of the list of channels was lost, so that who is not in
// it need not be gone: the call goes on until the next list, which is whole,
// says that it is over.
func TestGapInAList(t *testing.T) {
	m := record.New(numbers.Default())
	at := time.Unix(1_795_400_000, 0).UTC()
	tell := func(kind record.Kind) []record.Change {
		at = at.Add(time.Second)
		e := record.Event{At: at, Kind: kind, Source: record.SourceAMI}
		if kind == record.Created {
			e.Channel, e.State = record.Channel{ID: "1795400000.1", Linked: "1795400000.1", Name: "PJSIP/101-00000001"}, record.Ring
		}
		return m.Apply(nil, e)
	}
	tell(record.Created)
	for _, kind := range []record.Kind{record.SnapshotBegan, record.Gapped, record.SnapshotEnded} {
		if changes := tell(kind); len(changes) > 0 || m.Open() != 1 {
			t.Fatalf("after %v: %d calls open, %+v", kind, m.Open(), changes)
		}
	}
	tell(record.SnapshotBegan)
	changes := tell(record.SnapshotEnded)
	if m.Open() != 0 || len(changes) != 1 || changes[0].Kind != record.CallEnded || len(changes[0].Record.Details.Approximate) == 0 {
		t.Errorf("after a whole list: %d calls open, %+v", m.Open(), changes)
	}
}
