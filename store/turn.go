package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/voipd/voipd/record"
)

// MissedFor is how long a call that nobody answered is on the list by itself, and how
// far back what is told of it looks.
const MissedFor = 7 * 24 * time.Hour

// Turn is what a record made of how it stands with the person whom the call is with.
type Turn struct {
	Was, Is record.Missed  // one of them is nobody
	Last    record.Record  // the last call that nobody answered: of Is, or of Was where Is is nobody
	Return  *record.Return // the talk since, where Is is nobody; nil: a correction, not a talk, closed it
}

// missedTold are the records of a batch of which it is told what they turned.
func missedTold(b *Batch) map[*record.Record]bool {
	told := map[*record.Record]bool{}
	for i := range b.Changes {
		if c := &b.Changes[i]; c.MissedOf != nil && c.Record != nil {
			told[c.Record] = true
		}
	}
	return told
}

// turned writes a record by put, and tells what that turned; it is false where it
// stands with the person as before. A record that is corrected may be about another
// person than before: then the former's state changes without being told, and the list
// has it.
func turned(ctx context.Context, tx *sql.Tx, r *record.Record, put func() error) (t Turn, turned bool, err error) {
	who, at := personOf(r), r.Details.StartedAt
	if who == "" {
		return t, false, put()
	}
	// All calls of the person count, also those that began later: a correction comes late.
	since, to := at.Add(-MissedFor), at.Add(MissedFor)
	if t.Was, _, err = standing(ctx, tx, who, since, to); err == nil {
		err = put()
	}
	if err != nil || t.Was.Calls == 0 && r.Disposition == record.Answered {
		return t, false, err // a talk with whom nobody has to call back: that is most calls
	}
	if t.Is, _, err = standing(ctx, tx, who, since, to); err != nil {
		return t, false, fmt.Errorf("see who is to be called back: %w", err)
	}
	last := t.Is
	switch {
	case (t.Was.Calls == 0) == (t.Is.Calls == 0):
		return t, false, nil
	case t.Is.Calls == 0:
		last = t.Was
	}
	var row Row
	if err := row.scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, last.LastID)); err != nil {
		return t, false, fmt.Errorf("read the missed call: %w", err)
	}
	if t.Last, err = row.Whole(); err != nil {
		return t, false, fmt.Errorf("read the missed call: %w", err)
	}
	if t.Is.Calls == 0 && r.Disposition == record.Answered {
		t.Return = returnOf(r)
	}
	return t, true, nil
}

// returnOf is a record of a talk as the return of a missed call.
func returnOf(r *record.Record) *record.Return {
	back := &record.Return{CallID: r.CallID, At: r.Details.AnsweredAt, By: r.DstPhone, Direction: r.Direction}
	if back.At.IsZero() {
		back.At = r.Details.StartedAt
	}
	if r.Direction == record.Out {
		back.By = r.SrcPhone
	}
	return back
}
