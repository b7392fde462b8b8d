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
// the place of the one that it replaces, and one whose call turned out to be part of
// another goes.
func Records(dst []Record, changes []Change) []Record {
	for _, c := range changes {
		if c.Kind == RecordRevised || c.Retracts {
			dst = slices.DeleteFunc(dst, func(r Record) bool { return r.CallID == c.CallID })
		}
		if c.Record != nil {
			dst = append(dst, *c.Record)
		}
	}
	return dst
}
