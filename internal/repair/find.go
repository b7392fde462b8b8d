package repair

import (
	"context"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// Call is a call that CEL or CDR told.
type Call struct {
	Record   *record.Record
	Channels []string // ids
}

// Find adds to the records of calls the recordings that are on the disk and that
// CEL and CDR do not know. Its error says what could not be looked at; what was
// found elsewhere is added all the same.
type Find func(context.Context, []Call) error

// in looks for the recordings of what was told. Calls of which a better teller's
// whole record is kept are left out: those keep what they have. Where that
// record is not whole, what is found is all that is wanted of what was told.
// failed is the error of the search, err that of the store.
func (f Find) in(ctx context.Context, db *store.DB, p backfill.Part) (failed, err error) {
	if f == nil {
		return nil, nil
	}
	var calls []Call
	for i := range p.Records {
		r := &p.Records[i]
		outranked, whole, err := db.Outranked(ctx, r)
		if err != nil {
			return nil, err
		}
		if outranked && whole {
			continue
		}
		if outranked {
			r.Details.Recordings = nil
		}
		calls = append(calls, Call{r, p.Channels[r.CallID]})
	}
	if len(calls) == 0 {
		return nil, nil
	}
	return f(ctx, calls), nil
}
