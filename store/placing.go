package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// Records that were there before version 13 get their places in bounded
// transactions, in order of time, before Open returns. Each notes how far it came,
// so that a start that is killed is gone on with by the next. What the places make
// needless is dropped when all have one.

// needless are the indexes of earlier versions, one for each filter.
func needless() []string {
	return []string{"records_src", "records_dst", "records_disposition", "records_direction"}
}

// placeOlder gives the records of before their places, and settles what a voipd
// that was killed left.
func (db *DB) placeOlder(ctx context.Context) error {
	for more := true; more; {
		err := db.inTx(ctx, func(tx *sql.Tx) (err error) {
			more, err = db.placeNext(ctx, tx)
			return err
		})
		if err != nil {
			return fmt.Errorf("make records easy to find: %w", err)
		}
	}
	for _, index := range needless() {
		there, err := number(ctx, db.writer, `SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?`, index)
		if err != nil {
			return err
		}
		if there == 0 {
			continue
		}
		if _, err := db.writer.ExecContext(ctx, `DROP INDEX IF EXISTS `+index); err != nil {
			return err
		}
	}
	waiting, err := number(ctx, db.writer, `SELECT count(*) FROM unplaced`)
	if err != nil || waiting < mostUnplaced {
		return err
	}
	return db.placeAll(ctx)
}

// placeNext gives the next of them their places; false: all have one.
func (db *DB) placeNext(ctx context.Context, tx *sql.Tx) (more bool, err error) {
	var at int64
	var id string
	switch err := tx.QueryRowContext(ctx, `SELECT upto_at, upto_id FROM placing`).Scan(&at, &id); {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	}
	var ids []string
	err = eachRow(ctx, tx, `SELECT call_id, started_at FROM records WHERE (started_at, call_id) > (?, ?) ORDER BY started_at, call_id LIMIT ?`,
		[]any{at, id, db.moving.rows}, func(rows *sql.Rows) error {
			err := rows.Scan(&id, &at)
			ids = append(ids, id)
			return err
		})
	if err != nil {
		return false, err
	}
	if len(ids) == 0 {
		_, err := tx.ExecContext(ctx, `DELETE FROM placing`)
		return false, err
	}
	if err := place(ctx, tx, ids); err != nil {
		return false, err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE placing SET upto_at = ?, upto_id = ?`, at, id); err != nil {
		return false, err
	}
	return true, db.tellPlacing(ctx, tx, len(ids), at)
}

// tellPlacing tells how far it came: n further ones, up to a time.
func (db *DB) tellPlacing(ctx context.Context, tx *sql.Tx, n int, upto int64) error {
	if db.moving.tell == nil {
		return nil
	}
	total, err := db.moving.count(ctx, tx)
	if err != nil {
		return err
	}
	if db.moving.placed += int64(n); db.moving.placed == int64(n) { // the first of this start
		if db.moving.placed, err = number(ctx, tx, `SELECT count(*) FROM records WHERE started_at <= ?`, upto); err != nil {
			return err
		}
	}
	db.moving.tell(Moved{Table: "records to be found by their numbers", Done: min(db.moving.placed, total), Total: total})
	return nil
}

// count is how many records there are; it is counted once.
func (m *moving) count(ctx context.Context, from querier) (_ int64, err error) {
	if m.total == 0 {
		m.total, err = number(ctx, from, `SELECT count(*) FROM records`)
	}
	return m.total, err
}

// placingRows is 1 while records of before have no places.
func placingRows(ctx context.Context, from querier) int64 {
	n, err := number(ctx, from, `SELECT count(*) FROM placing`)
	if err != nil {
		return 0 // another read will fail as well, and say so
	}
	return n
}
