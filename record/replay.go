package record

import "iter"

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
