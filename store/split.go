package store

import "cmp"

// Split gives the batch in pieces of at most most records each, for one
// transaction after the other: what belongs to one call stays together, and all of
// the journal and of its merging comes first. A call whose piece is not written yet
// still has its journal, and ends again after a restart.
func (b *Batch) Split(most int) []*Batch {
	if len(b.Records) <= most {
		return []*Batch{b}
	}
	pieces := []*Batch{{Journal: b.Journal, Merged: b.Merged, Compacted: b.Compacted}}
	of := make(map[string]*Batch, len(b.Records)) // by call
	piece := func(callID string) *Batch {
		if p := of[callID]; p != nil {
			return p
		}
		return pieces[0]
	}
	for _, r := range b.Records {
		p := of[r.CallID]
		if p == nil {
			if p = pieces[len(pieces)-1]; len(p.Records) >= most {
				p = &Batch{}
				pieces = append(pieces, p)
			}
			of[r.CallID] = p
		}
		p.Records = append(p.Records, r)
	}
	for _, c := range b.Closed {
		p := piece(cmp.Or(c.As, c.CallID))
		p.Closed = append(p.Closed, c)
	}
	for _, c := range b.Changes {
		p := piece(c.CallID)
		p.Changes = append(p.Changes, c)
	}
	pieces[len(pieces)-1].Retracted = b.Retracted // behind the records that it takes back
	return pieces
}
