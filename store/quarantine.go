package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/voipd/voipd/record"
)

// Quarantine is why a call's facts are set aside.
type Quarantine struct {
	CallID string
	Fact   *record.Event // one that is not in the journal; nil: none
	Reason string
	Stack  string // where it panicked; empty: it did not
}

// SetCallAside moves the journal of a call into the quarantine, in one transaction.
func (db Journals) SetCallAside(ctx context.Context, q Quarantine, now time.Time) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO quarantine (call_id, at, reason, stack, event) SELECT call_id, ?, ?, ?, event FROM journal WHERE call_id = ? ORDER BY seq`,
			now.UnixMilli(), q.Reason, q.Stack, q.CallID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM journal WHERE call_id = ?`, q.CallID); err != nil {
			return err
		}
		if q.Fact == nil {
			return nil
		}
		return putQuarantine(ctx, tx, q, now)
	})
	return wrap("set the facts of "+q.CallID+" aside", err)
}

// SetFactAside puts a fact into the quarantine, once. The journal stays as it is.
func (db Journals) SetFactAside(ctx context.Context, q Quarantine, now time.Time) error {
	return wrap("set a fact of "+q.CallID+" aside", db.inTx(ctx, func(tx *sql.Tx) error { return putQuarantine(ctx, tx, q, now) }))
}

func putQuarantine(ctx context.Context, tx *sql.Tx, q Quarantine, now time.Time) error {
	text, err := eventJSON(q.Fact)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO quarantine (call_id, at, reason, stack, event) SELECT ?, ?, ?, ?, ?
		WHERE NOT EXISTS (SELECT 1 FROM quarantine WHERE call_id = ? AND event = ?)`, q.CallID, now.UnixMilli(), q.Reason, q.Stack, string(text), q.CallID, string(text))
	return err
}

// InQuarantine counts the facts that are set aside, and their calls. latest is a
// call of them.
func (db Journals) InQuarantine(ctx context.Context) (facts, calls int, latest string, err error) {
	err = db.reader.QueryRowContext(ctx, `SELECT count(*), count(DISTINCT call_id), coalesce((SELECT call_id FROM quarantine ORDER BY seq DESC LIMIT 1), '') FROM quarantine`).Scan(&facts, &calls, &latest)
	return facts, calls, latest, wrap("count the quarantine", err)
}

// Quarantined gives the facts of a call that are set aside, in order, as far as
// they can be read, and why: the reason of the first, and the stack.
func (db Journals) Quarantined(ctx context.Context, callID string) (facts []record.Event, unreadable []string, q Quarantine, err error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT reason, stack, event FROM quarantine WHERE call_id = ? ORDER BY seq`, callID)
	if err != nil {
		return nil, nil, q, fmt.Errorf("read the quarantine: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		if err := rows.Scan(&q.Reason, &q.Stack, &text); err != nil {
			return nil, nil, q, fmt.Errorf("read the quarantine: %w", err)
		}
		q.CallID = callID
		var fact eventRow
		if json.Unmarshal(text, &fact) != nil {
			unreadable = append(unreadable, string(text))
			continue
		}
		facts = append(facts, fact.event())
	}
	if err := rows.Err(); err != nil {
		return nil, nil, q, fmt.Errorf("read the quarantine: %w", err)
	}
	return facts, unreadable, q, nil
}

// PruneQuarantine drops what was set aside before a time, and tells how many
// facts.
func (db Retention) PruneQuarantine(ctx context.Context, before time.Time) (int64, error) {
	res, err := db.writer.ExecContext(ctx, `DELETE FROM quarantine WHERE at < ?`, before.UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("prune the quarantine: %w", err)
	}
	return res.RowsAffected()
}
