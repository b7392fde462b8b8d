package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/internal/link"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// TestMorningGivesTheCapturesRecords plays each capture of the morning twice, at the same time as all others, to the
// real client, and wants every record that the capture itself gives, twice. Whatever the rewriting mixes up, the
// records show.
func TestMorningGivesTheCapturesRecords(t *testing.T) {
	all, err := Morning()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	p := run(t, Options{Speed: 50})
	translate, machine := ami.NewTranslator(), record.New(numbers.Default())
	var changes []record.Change
	ended := make(chan struct{})
	states := connect(t, p, func(m *ami.Message, received time.Time) {
		if string(m.Event()) == "End" {
			close(ended)
			return
		}
		if e, ok := translate.Event(m, received); ok {
			changes = machine.Apply(changes, e)
		}
	})
	until(t, states, link.Up, "")
	twice := append(all, all...)
	for _, s := range twice {
		want = append(want, directly(t, s.Capture)...)
	}
	<-p.PlayAll(twice)
	p.Emit("Event: End", "Privilege: call,all")
	<-ended
	got := told(changes)
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-capture +played)\n%s", d)
	}
	if n := machine.Open(); n != 0 || len(want) < len(twice) {
		t.Errorf("%d calls are open, %d records of %d captures", n, len(want), len(twice))
	}
}

// directly is what a capture gives without a PBX.
func directly(t *testing.T, c *Capture) []string {
	translate, machine := ami.NewTranslator(), record.New(numbers.Default())
	var changes []record.Change
	for _, e := range c.events {
		m, err := ami.NewReader(strings.NewReader(e.raw), ami.Bounds{}).Next()
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := translate.Event(m, c.began.Add(e.after)); ok {
			changes = machine.Apply(changes, e)
		}
	}
	return told(changes)
}

// told is the last word on each call, without what names it.
func told(changes []record.Change) []string {
	last := map[string]string{}
	for _, c := range changes {
		if r := c.Record; r != nil {
			last[r.CallID] = fmt.Sprintf("%s %s %s→%s/%s %d s, %d recordings, %d rang, %d talks", r.Direction, r.Disposition, r.SrcPhone,
				r.DstPhone, r.DstPhoneExt, r.Duration, len(r.Details.Recordings), len(r.Details.Rang), len(r.Details.Conversations))
		}
	}
	var all []string
	for _, text := range last {
		all = append(all, text)
	}
	return all
}
