package record_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestLosses writes docs/losses.md: which field of a record the loss of one
// fact can change, over all captures told by AMI, the laboratory's among them.
// The page is compared, so that a change of the Machine that makes it more
// fragile shows.
func TestLosses(t *testing.T) {
	told, harmed := map[record.Kind]int{}, map[record.Kind]map[string]int{}
	for _, file := range captureFiles(t, "ami.txt.gz") {
		events := captureEvents(t, file)
		want := byCall(run(t, events))
		end := events[len(events)-1].At.Add(time.Second)
		for i, e := range events {
			told[e.Kind]++
			lost := append(slices.Delete(slices.Clone(events), i, i+1), record.Event{At: end, Kind: record.SnapshotBegan}, record.Event{At: end, Kind: record.SnapshotEnded})
			for id, r := range byCall(run(t, lost)) {
				for _, field := range changed(want[id], r) {
					if harmed[e.Kind] == nil {
						harmed[e.Kind] = map[string]int{}
					}
					harmed[e.Kind][field]++
				}
			}
		}
	}
	checkPage(t, "../docs/losses.md", []byte(lossPage(told, harmed)))
}

func byCall(list []record.Record) map[string]record.Record {
	out := map[string]record.Record{}
	for _, r := range list {
		out[r.CallID] = r
	}
	return out
}

// changed names the fields of the app's record that differ and are not marked
// approximate; a second of duration is no difference.
func changed(a, b record.Record) (fields []string) {
	if len(b.Details.Approximate) > 0 {
		return nil
	}
	for field, same := range map[string]bool{
		"direction": a.Direction == b.Direction, "srcPhone": a.SrcPhone == b.SrcPhone, "dstPhone": a.DstPhone == b.DstPhone,
		"disposition": a.Disposition == b.Disposition, "duration": max(a.Duration-b.Duration, b.Duration-a.Duration) <= 1, "recording": a.Recorded() == b.Recorded(),
	} {
		if !same {
			fields = append(fields, field)
		}
	}
	return fields
}

func lossPage(told map[record.Kind]int, harmed map[record.Kind]map[string]int) string {
	var b strings.Builder
	b.WriteString(`# What one lost fact changes

AMI loses nothing by itself, and voipd marks a gap where it knows of one. Should a single fact be missing all the same,
no call is lost, doubled or left open, and a record that cannot be exact says ` + "`approximate`" + `, and why. These losses can
change a field without that mark, because nothing that comes later tells of them. Of all captures, told by AMI, with each fact left out in turn:

| fact | told | its loss changed |
| --- | --- | --- |
`)
	harmless := []string{}
	for _, kind := range slices.Sorted(maps.Keys(told)) {
		if harmed[kind] == nil {
			harmless = append(harmless, "`"+kind.String()+"`")
			continue
		}
		var what []string
		for _, field := range slices.Sorted(maps.Keys(harmed[kind])) {
			what = append(what, fmt.Sprintf("%s %d×", field, harmed[kind][field]))
		}
		fmt.Fprintf(&b, "| `%s` | %d× | %s |\n", kind, told[kind], strings.Join(what, ", "))
	}
	fmt.Fprintf(&b, "\nThe loss of one of these changed nothing: %s.\n\nThis page is written by `go test ./record -run TestLosses -update`.\n", strings.Join(harmless, ", "))
	return b.String()
}
