package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/voipd/voipd/record"
)

// Batch is what one transaction writes: the facts that were taken in and what
// they decided.
type Batch struct {
	Journal   []Entry          // facts, each with the call that it is about after the batch
	Merged    [][2]string      // the journal of the first call id goes on under the second
	Compacted []Compacted      // facts that need not be kept
	Closed    []Closed         // calls that ended: their journals become traces
	Retracted [][2]string      // the record of the first call id goes: that call was part of the second
	Records   []*record.Record // new and revised records
	Changes   []Change         // what is told to the outside of it, in order
	Last      int64            // set by Commit: number of the last change in the change log; 0: none was written
}

// Put adds records.
func (b *Batch) Put(all ...record.Record) {
	for i := range all {
		b.Records = append(b.Records, &all[i])
	}
}

// Empty tells whether there is nothing to write.
func (b *Batch) Empty() bool {
	return len(b.Journal)+len(b.Merged)+len(b.Retracted)+len(b.Closed)+len(b.Records)+len(b.Changes) == 0
}

// Commit writes a batch in one transaction. When it returns nil, everything is
// on the disk; when it fails, nothing of the batch is.
func (db *DB) Commit(ctx context.Context, b *Batch) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("commit batch: %w", err)
	}
	if err := db.write(ctx, tx, b); err != nil {
		return errors.Join(fmt.Errorf("commit batch: %w", err), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(fmt.Errorf("commit batch: %w", err), ignoreDone(tx.Rollback()))
	}
	if len(b.Changes) > 0 {
		db.wake()
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

func (db *DB) write(ctx context.Context, tx *sql.Tx, b *Batch) error {
	if err := db.writeJournal(ctx, tx, b); err != nil {
		return err
	}
	verdicts, turns, told := make(map[*record.Record]record.Verdict, len(b.Records)), map[*record.Record]Turn{}, missedTold(b)
	for _, r := range b.Records {
		put := func() (err error) {
			verdicts[r], err = db.putRecord(ctx, tx, r)
			return err
		}
		if !told[r] {
			if err := put(); err != nil {
				return err
			}
			continue
		}
		t, turned, err := turned(ctx, tx, r, put)
		if err != nil {
			return err
		}
		if turned {
			turns[r] = t
		}
	}
	if err := retract(ctx, tx, b.Retracted); err != nil {
		return err
	}
	if len(b.Records) > 0 {
		if err := placeMany(ctx, tx); err != nil {
			return err
		}
	}
	return db.writeChanges(ctx, tx, b, verdicts, turns)
}

// putRecord writes a record over the one of the same call, unless that one is of
// a better source, or the call was forgotten.
func (db *DB) putRecord(ctx context.Context, tx *sql.Tx, r *record.Record) (record.Verdict, error) {
	if gone, err := db.isForgotten(ctx, tx, r.CallID); err != nil || gone {
		return record.Keep, wrap("write record "+r.CallID, err)
	}
	text, err := detailsJSON(&r.Details)
	if err != nil {
		return 0, fmt.Errorf("write record %s: %w", r.CallID, err)
	}
	done := record.Add
	switch err := tx.QueryRowContext(ctx, `SELECT 1 FROM records WHERE call_id = ?`, r.CallID).Scan(new(int)); {
	case err == nil:
		done = record.Replace
	case !errors.Is(err, sql.ErrNoRows):
		return 0, fmt.Errorf("write record %s: %w", r.CallID, err)
	}
	res, err := tx.ExecContext(ctx, `
		INSERT INTO records (call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, rank, details, written)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (call_id) DO UPDATE SET
			started_at = excluded.started_at, direction = excluded.direction, disposition = excluded.disposition,
			src_phone = excluded.src_phone, src_phone_ext = excluded.src_phone_ext,
			dst_phone = excluded.dst_phone, dst_phone_ext = excluded.dst_phone_ext,
			duration = excluded.duration, rank = excluded.rank, details = excluded.details
		WHERE excluded.rank <= records.rank`,
		r.CallID, r.Details.StartedAt.UnixMilli(), r.Direction, r.Disposition, r.SrcPhone, r.SrcPhoneExt,
		r.DstPhone, r.DstPhoneExt, r.Duration, r.Rank(), text, time.Now().UnixMilli())
	if err != nil {
		return 0, fmt.Errorf("write record %s: %w", r.CallID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return record.Keep, err // a better account of this call is there already
	}
	if err := putAbsorbed(ctx, tx, r); err != nil {
		return 0, err
	}
	return done, putRecordings(ctx, tx, r)
}

// putRecordings makes the call's recordings those of r. What the disk said of
// one that was there already stays, unless r knows more.
func putRecordings(ctx context.Context, tx *sql.Tx, r *record.Record) error {
	had, err := recordings(ctx, tx, r.CallID)
	if err != nil {
		return err
	}
	if slices.Equal(had, r.Details.Recordings) {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM recordings WHERE call_id = ?`, r.CallID); err != nil {
		return fmt.Errorf("write recordings of %s: %w", r.CallID, err)
	}
	for n, rec := range r.Details.Recordings {
		for _, old := range had {
			if old.ID == rec.ID && rec.State == record.Announced {
				rec.State, rec.Bytes, rec.MS = old.State, old.Bytes, old.MS
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO recordings (call_id, n, id, path, at, state, bytes, ms, talk, found) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`,
			r.CallID, n, rec.ID, rec.Path, rec.At.UnixMilli(), rec.State, rec.Bytes, rec.MS, rec.Talk, rec.Found)
		if err != nil {
			return fmt.Errorf("write recordings of %s: %w", r.CallID, err)
		}
	}
	return nil
}
