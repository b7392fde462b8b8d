package repair

import (
	"context"
	"fmt"
	"strings"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/record"
)

// Call is a call as CEL or CDR has it.
type Call struct {
	Record   *record.Record
	Channels []string // ids
}

// Find adds to the records of calls the recordings that are on the disk and that
// CEL and CDR do not know. Its error says what could not be read; what was
// found elsewhere is added all the same.
type Find func(context.Context, []Call) error

// search says how looking for recordings went.
type search struct {
	searched bool
	failed   string // what could not be read, in one line
}

// in looks for the recordings of the calls that were read. Calls of which a better source's
// whole record is kept are left out: those keep what they have. Where that
// record is not whole, what is found is all that is wanted of what was told. The
// error is of the store.
func (f Find) in(ctx context.Context, db Ranks, p backfill.Part, s *search) error {
	if f == nil {
		return nil
	}
	var calls []Call
	for i := range p.Records {
		r := &p.Records[i]
		outranked, whole, err := db.Outranked(ctx, r)
		if err != nil {
			return fmt.Errorf("look for recordings: %w", err)
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
		return nil
	}
	s.searched = true
	err := f(ctx, calls)
	if ctx.Err() != nil {
		return ctx.Err() // it stopped in the middle: nothing is wrong with the disk
	}
	if err != nil {
		s.failed = strings.ReplaceAll(err.Error(), "\n", "; ")
	}
	return nil
}
