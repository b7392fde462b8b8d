package record

import (
	"iter"
	"slices"
)

// Replay runs events through a fresh Machine and gives everything it decides.
// Boot, backfill, the command line and tests all use the same code.
func Replay(r Rules, events iter.Seq[Event]) []Change {
	m := New(r)
	var out []Change
	for e := range events {
		out = m.Apply(out, e)
	}
	return out
}

// Records appends the records that changes leave to dst: a revised one takes
// the place of the one that it replaces.
func Records(dst []Record, changes []Change) []Record {
	for _, c := range changes {
		if c.Record == nil {
			continue
		}
		if c.Kind == RecordRevised {
			dst = slices.DeleteFunc(dst, func(r Record) bool { return r.CallID == c.CallID })
		}
		dst = append(dst, *c.Record)
	}
	return dst
}
