package ingest

import (
	"context"
	"fmt"

	"github.com/voipd/voipd/record"
)

// Improved counts what became of records from CEL or CDR.
type Improved struct {
	New    int // calls of which nothing was kept
	Better int // records that replaced worse ones
	Kept   int // what was kept is as good, or the call still goes on
}

type improvement struct {
	records []record.Record
	done    chan<- improvedOr
}

type improvedOr struct {
	Improved
	err error
}

// Improve gives the loop records that CEL or CDR told. Those that are better
// than what is kept are written and published as RecordRevised, like any other
// change. It returns when they are on the disk; any goroutine may call it while
// Run runs.
func (l *Loop) Improve(ctx context.Context, records []record.Record) (Improved, error) {
	done := make(chan improvedOr, 1)
	select {
	case l.improvements <- improvement{records, done}:
	case <-ctx.Done():
		return Improved{}, fmt.Errorf("improve records: %w", ctx.Err())
	}
	select {
	case r := <-done:
		return r.Improved, r.err
	case <-ctx.Done():
		return Improved{}, fmt.Errorf("improve records: %w", ctx.Err())
	}
}

// improve brings records through a step of their own.
func (l *Loop) improve(ctx context.Context, records []record.Record) (Improved, error) {
	l.setBusy(true)
	defer l.setBusy(false)
	var s step
	n, err := l.collectBetter(ctx, &s, records)
	if err == nil && len(s.changes) > 0 {
		if err = l.commit(ctx, &s); err == nil {
			l.tell(&s)
		}
	}
	if err != nil {
		return Improved{}, err
	}
	return n, nil
}

// collectBetter gathers what records that are better than the kept ones mean
// for the disk.
func (l *Loop) collectBetter(ctx context.Context, s *step, records []record.Record) (n Improved, err error) {
	var changes []record.Change
	for i := range records {
		if l.inAnother(&records[i]) {
			n.Kept++
			continue
		}
		verdict, r, doubles, err := l.opt.Store.Judge(ctx, records[i])
		if err != nil {
			return n, fmt.Errorf("improve records: %w", err)
		}
		switch verdict {
		case record.Add:
			n.New++
		case record.Replace:
			n.Better++
		default:
			n.Kept++
			continue
		}
		at := r.Details.EndedAt
		for _, id := range doubles {
			changes = append(changes, record.Change{Kind: record.CallMerged, At: at, CallID: id, Other: r.CallID})
		}
		changes = append(changes, record.Change{Kind: record.RecordRevised, At: at, CallID: r.CallID, Record: &r})
	}
	for _, c := range changes {
		l.decided(s, c, nil)
	}
	return n, nil
}

// inAnother tells whether the call has become part of one that goes on.
func (l *Loop) inAnother(r *record.Record) bool {
	if r.Details.MergedInto != "" {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parts[r.CallID] > 0
}
