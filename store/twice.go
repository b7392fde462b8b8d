package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/voipd/voipd/record"
)

// Identify gives the id under which a record is kept: its own, or, where another
// call has that already, with "~2" behind it, "~3" and so on. The same call gets
// the same one each time.
func (db CallRecords) Identify(ctx context.Context, r *record.Record) (id string, err error) {
	id, _, err = db.identify(ctx, r)
	return id, err
}

// identify is Identify, with the record that is kept under the id; the zero one
// where there is none.
func (db CallRecords) identify(ctx context.Context, r *record.Record) (id string, kept record.Record, err error) {
	id = r.CallID
	for n := 2; ; n++ {
		kept, err := db.Record(ctx, id)
		if errors.Is(err, ErrNotFound) || err == nil && !record.Another(&kept, r) {
			return id, kept, nil
		}
		if err != nil {
			return r.CallID, kept, fmt.Errorf("identify record %s: %w", r.CallID, err)
		}
		id = fmt.Sprintf("%s~%d", r.CallID, n)
	}
}
