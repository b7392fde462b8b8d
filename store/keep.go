package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// eraseStep is how many calls are erased in one transaction, so that the facts
// of calls going on never wait for long.
const eraseStep = 200

// inTx runs f in one transaction of the writer.
func (db *file) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	return nil
}

// erased is how many rows went.
type erased struct{ records, recordings, traces int }

// erase drops what is kept of calls, without what was told of them.
func erase(ctx context.Context, tx *sql.Tx, ids []string) (n erased, err error) {
	var others int
	for _, t := range []struct {
		table, column string
		count         *int
	}{
		{"recordings", "call_id", &n.recordings}, {"traces", "call_id", &n.traces}, {"records", "call_id", &n.records},
		{"quarantine", "call_id", &others}, {"absorbed", "into_id", &others},
	} {
		if *t.count, err = deleteIn(ctx, tx, t.table, t.column, ids); err != nil {
			return n, err
		}
	}
	// At once, so that nothing of them is left to be found.
	if err = place(ctx, tx, ids); err == nil {
		_, err = deleteIn(ctx, tx, "unplaced", "call_id", ids)
	}
	return n, err
}

// deleteIn deletes the rows whose column is among values.
func deleteIn[T any](ctx context.Context, tx *sql.Tx, table, column string, values []T) (int, error) {
	if len(values) == 0 {
		return 0, nil
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = v
	}
	res, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE `+column+` IN (?`+strings.Repeat(`, ?`, len(values)-1)+`)`, args...)
	if err != nil {
		return 0, fmt.Errorf("erase %s: %w", table, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// CountOld counts the calls that began before a time and were written before it.
func (db Retention) CountOld(ctx context.Context, before time.Time) (n int64, err error) {
	err = db.reader.QueryRowContext(ctx, `SELECT count(*) FROM records WHERE started_at < ?1 AND written < ?1`, before.UnixMilli()).Scan(&n)
	return n, wrap("count old records", err)
}

// CountAll counts all calls. Of ten million it reads an index for a second.
func (db Retention) CountAll(ctx context.Context) (n int64, err error) {
	err = db.reader.QueryRowContext(ctx, `SELECT count(*) FROM records`).Scan(&n)
	return n, wrap("count records", err)
}

// PruneRecords erases the calls that began before a time and were written before
// it, with their traces, what is known of their recordings, and dismissals, and tells
// how many.
// Each step leaves a line in the audit.
func (db Retention) PruneRecords(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		ids, err := column[string](ctx, db.reader, `SELECT call_id FROM records WHERE started_at < ?1 AND written < ?1 ORDER BY started_at LIMIT ?2`, before.UnixMilli(), eraseStep)
		if err == nil && len(ids) == 0 {
			_, err = db.writer.ExecContext(ctx, `DELETE FROM dismissed WHERE upto < ?1 AND at < ?1`, before.UnixMilli())
		}
		if err != nil || len(ids) == 0 {
			return total, wrap("prune records", err)
		}
		err = db.inTx(ctx, func(tx *sql.Tx) error {
			n, err := erase(ctx, tx, ids)
			if err != nil {
				return err
			}
			return putAudit(ctx, tx, Audit{What: "keep_records", Counts: map[string]int{"records": n.records, "recordings": n.recordings, "traces": n.traces}})
		})
		if err != nil {
			return total, fmt.Errorf("prune records: %w", err)
		}
		total += len(ids)
	}
}

// column reads rows of one value.
func column[T any](ctx context.Context, from querier, query string, args ...any) (out []T, err error) {
	err = eachRow(ctx, from, query, args, func(rows *sql.Rows) error {
		var v T
		err := rows.Scan(&v)
		out = append(out, v)
		return err
	})
	return out, err
}

// OldRecordings lists recordings that began before a time and are not erased,
// behind a position in the order of time, at most limit. Those whose files were
// not there when they were looked for are among them.
func (db Retention) OldRecordings(ctx context.Context, before time.Time, after RecordingFile, limit int) ([]RecordingFile, error) {
	rows, err := db.reader.QueryContext(ctx, `SELECT call_id, id, path, at, state FROM recordings INDEXED BY recordings_kept
		WHERE erased = 0 AND at < ?1 AND (at, call_id, id) > (?2, ?3, ?4) AND EXISTS (SELECT 1 FROM records r WHERE r.call_id = recordings.call_id AND r.written < ?1)
		ORDER BY at, call_id, id LIMIT ?5`,
		before.UnixMilli(), after.At.UnixMilli(), after.CallID, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("list old recordings: %w", err)
	}
	out, err := scanFiles(rows)
	if err != nil {
		return nil, fmt.Errorf("list old recordings: %w", err)
	}
	return out, nil
}

// RecordingsErased notes that the files of recordings were deleted, or are not
// waited for any more. Where files were deleted, that is a line in the audit.
func (db Retention) RecordingsErased(ctx context.Context, list []RecordingFile, files int) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		for _, u := range list {
			if _, err := tx.ExecContext(ctx, `UPDATE recordings SET state = 'gone', erased = 1 WHERE call_id = ? AND id = ?`, u.CallID, u.ID); err != nil {
				return err
			}
		}
		if err := placeMany(ctx, tx); err != nil || files == 0 {
			return err
		}
		return putAudit(ctx, tx, Audit{What: "keep_recordings", Counts: map[string]int{"recordings": len(list), "files": files}})
	})
	return wrap("note deleted recordings", err)
}

// pruneStep is how many changes are dropped in one transaction, so that the
// facts of calls going on never wait for long.
const pruneStep = 5000

// PruneChanges drops changes that were written before a time, with what is known
// of their deliveries, and tells how many. A change that a webhook has not taken,
// or that is parked for one, stays in the outbox; parked ones that were written
// before parkedBefore go as well.
func (db Retention) PruneChanges(ctx context.Context, before, parkedBefore time.Time) (int64, error) {
	var first, last int64
	err := db.reader.QueryRowContext(ctx, `SELECT coalesce(min(seq), 0), coalesce(max(seq), 0) FROM changes WHERE written < ?`, before.UnixMilli()).Scan(&first, &last)
	if err != nil {
		return 0, fmt.Errorf("prune changes: %w", err)
	}
	var pruned int64
	for upTo := first - 1; upTo < last; {
		upTo = min(upTo+pruneStep, last)
		n, err := db.pruneTo(ctx, upTo, parkedBefore)
		if err != nil {
			return pruned, fmt.Errorf("prune changes: %w", err)
		}
		pruned += n
	}
	return pruned, nil
}

func (db Retention) pruneTo(ctx context.Context, seq int64, parkedBefore time.Time) (pruned int64, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM deliveries WHERE seq <= ? AND state <> 'waiting' AND (state <> 'parked' OR written < ?)`, seq, parkedBefore.UnixMilli()); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM changes WHERE seq <= ? AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = changes.seq)`, seq)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE pruned SET seq = max(seq, ?)`, seq); err != nil {
			return err
		}
		pruned, err = res.RowsAffected()
		return err
	})
	return pruned, err
}

// PruneTraces drops the traces of calls that ended before a time, and tells
// how many.
func (db Retention) PruneTraces(ctx context.Context, before time.Time) (int64, error) {
	res, err := db.writer.ExecContext(ctx, `DELETE FROM traces WHERE at < ?`, before.UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("prune traces: %w", err)
	}
	return res.RowsAffected()
}
