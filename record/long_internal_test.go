package record

import (
	"fmt"
	"regexp"
	"testing"
	"time"
)

// TestShrink: after a list that ends very many calls at once, what goes on is
// still found, in maps that have no more room than it needs.
func TestShrink(t *testing.T) {
	m := New(Rules{Extensions: []*regexp.Regexp{regexp.MustCompile(`^\d{3}$`)}})
	at := time.Unix(1795375000, 0).UTC()
	of := func(i int) Channel {
		return Channel{ID: fmt.Sprint(i), Linked: fmt.Sprint(i), Name: fmt.Sprintf("PJSIP/101-%08x", i)}
	}
	for i := range roomy + 1 {
		m.Apply(nil, Event{At: at, Kind: Created, Source: SourceAMI, Channel: of(i), State: Ring, Exten: "102"})
	}
	m.Apply(nil, Event{At: at, Kind: SnapshotBegan, Source: SourceAMI})
	m.Apply(nil, Event{At: at, Kind: ChannelPresent, Source: SourceAMI, Channel: of(7), State: Ring})
	ended := m.Apply(nil, Event{At: at, Kind: SnapshotEnded, Source: SourceAMI})
	if m.Open() != 1 || m.most != 1 || len(m.operators) != 1 {
		t.Errorf("%d calls go on, room for %d, %d operators", m.Open(), m.most, len(m.operators))
	}
	ended = m.Apply(ended, Event{At: at, Kind: HungUp, Source: SourceAMI, Channel: of(7), Cause: 16})
	n := 0
	for _, c := range ended {
		if c.Kind == CallEnded {
			n++
		}
	}
	if err := m.Check(); n != roomy+1 || m.Open() != 0 || err != nil {
		t.Errorf("%d calls ended, %d go on (%v)", n, m.Open(), err)
	}
}
