package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/voipd/voipd/record"
)

// Judge tells what an account of a call, told by CEL or CDR, is worth beside
// the kept record, and gives the record that is then to be written. It gives
// record.Keep also for a call that is still open, that was forgotten, or that
// went into another one. An account of another call under the same id gets an id
// of its own, as [CallRecords.Identify] says. doubles are the calls that the account says went into
// this one and whose own records Commit drops with it.
func (db CallRecords) Judge(ctx context.Context, told record.Record) (v record.Verdict, merged record.Record, doubles []string, err error) {
	fail := func(err error) (record.Verdict, record.Record, []string, error) {
		return record.Keep, told, nil, fmt.Errorf("judge record %s: %w", told.CallID, err)
	}
	id, kept, err := db.identify(ctx, &told)
	if err != nil {
		return fail(err)
	}
	told.CallID = id
	if unwanted, err := db.unwanted(ctx, &told); err != nil || unwanted {
		if err != nil {
			return fail(err)
		}
		return record.Keep, told, nil, nil
	}
	for _, id := range told.Details.Absorbed {
		double, err := db.some(ctx, doubled, id, told.Rank(), record.ApproximateRank)
		if err != nil {
			return fail(err)
		}
		if double {
			doubles = append(doubles, id)
		}
	}
	if v, merged = record.Merge(kept, told, doubles); v == record.Keep {
		doubles = nil
	}
	return v, merged, doubles, nil
}

// Outranked tells whether what is kept of a call was told by a better teller
// than r, and whether it is whole; else what r found on the disk is wanted all
// the same.
func (db CallRecords) Outranked(ctx context.Context, r *record.Record) (outranked, whole bool, err error) {
	var had record.Rank
	err = db.reader.QueryRowContext(ctx, `SELECT rank FROM records WHERE call_id = ?`, r.CallID).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return had < r.Rank(), !had.Approximate(), wrap("judge record "+r.CallID, err)
}

// unwanted tells whether no account of the call is wanted: it was forgotten, who
// watches it will tell it, or it went into another one.
func (db *file) unwanted(ctx context.Context, r *record.Record) (bool, error) {
	details, err := detailsJSON(&r.Details)
	if err != nil {
		return false, err
	}
	if gone, err := db.forgets(ctx, r, details); err != nil || gone {
		return gone, err
	}
	if open, err := db.some(ctx, `SELECT 1 FROM journal WHERE call_id = ? LIMIT 1`, r.CallID); err != nil || open {
		return open, err
	}
	if r.Details.MergedInto != "" {
		return false, nil
	}
	return db.some(ctx, `SELECT 1 FROM absorbed WHERE call_id = ?`, r.CallID)
}

// doubled finds the record of a call that went into another, told by an account
// of the given rank, and has no reason to have one: who told it was worse, or
// missed something.
const doubled = `SELECT call_id FROM records WHERE call_id = ? AND (rank > ? OR rank >= ?)
	AND json_extract(details, '$.mergedInto') IS NULL`

func (db *file) some(ctx context.Context, query string, args ...any) (bool, error) {
	err := db.reader.QueryRowContext(ctx, query, args...).Scan(new(any))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// retract drops the records of calls that turned out to be part of others.
func retract(ctx context.Context, tx *sql.Tx, calls [][2]string) error {
	for _, c := range calls {
		if _, err := tx.ExecContext(ctx, `DELETE FROM records WHERE call_id = ? AND json_extract(details, '$.mergedInto') IS NULL`, c[0]); err != nil {
			return fmt.Errorf("retract the record of %s: %w", c[0], err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO absorbed (call_id, into_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, c[0], c[1]); err != nil {
			return fmt.Errorf("note that %s went into %s: %w", c[0], c[1], err)
		}
	}
	return nil
}

// putAbsorbed notes which calls went into r, and drops worse records of them.
func putAbsorbed(ctx context.Context, tx *sql.Tx, r *record.Record) error {
	for _, id := range r.Details.Absorbed {
		if _, err := tx.ExecContext(ctx, `DELETE FROM records WHERE call_id IN (`+doubled+`)`, id, r.Rank(), record.ApproximateRank); err != nil {
			return fmt.Errorf("drop the record of %s: %w", id, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO absorbed (call_id, into_id) SELECT ?, ? WHERE NOT EXISTS
			(SELECT 1 FROM records WHERE call_id = ?) ON CONFLICT DO NOTHING`, id, r.CallID, id); err != nil {
			return fmt.Errorf("note that %s went into %s: %w", id, r.CallID, err)
		}
	}
	return nil
}
