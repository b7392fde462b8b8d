//go:build lab

package lab

import (
	"context"
	"testing"
)

// celFile is where the PBX writes its CEL, by its own words.
const celFile = "/var/log/asterisk-pbx/cel-custom/Master.csv"

// compareCEL compares what "voipd replay" tells from the PBX's CEL with what
// voipd says over AMI, but for recordings: whatever is not in the list of
// Differences is a problem.
func (r *run) compareCEL(ctx context.Context, t *testing.T, truth []Record) {
	t.Helper()
	told, err := r.daemon.Replay(ctx, r.office.PBX.Path(celFile))
	if err != nil {
		t.Error(err)
		return
	}
	byID := map[string]Record{}
	for _, rec := range told {
		byID[rec.CallID] = rec
	}
	for _, rec := range truth {
		p, i := r.callOf(rec.CallID)
		if p == nil {
			continue // it is reported as invented
		}
		got, has := byID[rec.CallID]
		if !has {
			r.problem(p.Name, "call %d (%s) by CEL has no record", i+1, rec.CallID)
			continue
		}
		r.compareByCEL(p, i, rec, got)
	}
}

// compareByCEL compares one call. Where the rules leave a choice, CEL may
// choose otherwise.
func (r *run) compareByCEL(p *playing, i int, rec, got Record) {
	for _, d := range rec.told().differences(got.told()) {
		switch {
		case d.field == "recorded", p.Calls[i].Want != nil && !p.Calls[i].Want.rules(d.field, got.told()):
		case untellable("cel", p.Name, i+1, d.field, r.version.Name) != "":
			r.unwritten++
		default:
			r.problem(p.Name, "call %d (%s) by CEL: %s is %q, over AMI %q", i+1, rec.CallID, d.field, d.got, d.want)
		}
	}
}

// rules tells whether the rules forbid what was told of a field.
func (w Want) rules(field string, got told) bool {
	for _, d := range w.deviations(got) {
		if d.field == field {
			return true
		}
	}
	return false
}

// callOf is the scenario, and its call, that has an id.
func (r *run) callOf(id string) (*playing, int) {
	for _, p := range r.played {
		for i := range p.Calls {
			if p.ids[i] == id {
				return p, i
			}
		}
	}
	return nil, 0
}
