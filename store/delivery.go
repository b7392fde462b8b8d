package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// DeliveryState says how far a delivery is.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryWaiting DeliveryState = "waiting"   // to be sent at Next
	Delivered       DeliveryState = "delivered" // taken by the endpoint
	Expired         DeliveryState = "expired"   // pointless before it could be sent
	Parked          DeliveryState = "parked"    // given up until somebody sends it again
)

// Delivery is one change on its way to one webhook.
type Delivery struct {
	Endpoint string
	Change   Change
	State    DeliveryState
	Attempts int
	Written  time.Time // when it came into the outbox
	Next     time.Time // when to try next
	Expires  time.Time // pointless from then on; zero: never
	Status   int       // HTTP status of the latest answer; 0: none came
	Answer   string    // beginning of the latest answer, or what went wrong
}

// The queries below name their indexes: SQLite counts neither how many rows a
// call has nor how few of all wait, and would walk through what is done.

const deliveryColumns = `d.endpoint, d.seq, d.call_id, d.written, d.state, d.attempts, d.next_at, d.expires_at, d.status, d.answer, c.at, c.kind, c.body`

// Due lists what is to be sent to an endpoint now: for each call the first
// that waits, at most limit; and when the next one is due that is not yet, zero
// where none is.
func (db ChangeLog) Due(ctx context.Context, endpoint string, now time.Time, limit int) ([]Delivery, time.Time, error) {
	const first = `NOT EXISTS (SELECT 1 FROM deliveries e INDEXED BY deliveries_of_call WHERE e.endpoint = d.endpoint AND e.call_id = d.call_id AND e.state = 'waiting' AND e.seq < d.seq)`
	list, err := db.deliveries(ctx, db.reader, `SELECT `+deliveryColumns+` FROM deliveries d INDEXED BY deliveries_due JOIN changes c USING (seq)
		WHERE d.endpoint = ? AND d.state = 'waiting' AND d.next_at <= ? AND `+first+` ORDER BY d.next_at, d.seq LIMIT ?`, endpoint, now.UnixMilli(), limit)
	if err != nil {
		return nil, time.Time{}, err
	}
	var next sql.NullInt64
	err = db.reader.QueryRowContext(ctx, `SELECT min(next_at) FROM deliveries WHERE endpoint = ? AND state = 'waiting' AND next_at > ?`,
		endpoint, now.UnixMilli()).Scan(&next)
	if err != nil || !next.Valid {
		return list, time.Time{}, wrap("list deliveries", err)
	}
	return list, time.UnixMilli(next.Int64).UTC(), nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// eachRow hands over the rows of a query one by one.
func eachRow(ctx context.Context, from querier, query string, args []any, take func(*sql.Rows) error) error {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := take(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (db ChangeLog) deliveries(ctx context.Context, from querier, query string, args ...any) ([]Delivery, error) {
	rows, err := from.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		var written, next, expires, at int64
		err := rows.Scan(&d.Endpoint, &d.Change.Seq, &d.Change.CallID, &written, &d.State, &d.Attempts, &next, &expires, &d.Status, &d.Answer,
			&at, &d.Change.Kind, &d.Change.Body)
		if err != nil {
			return nil, fmt.Errorf("list deliveries: %w", err)
		}
		d.Written, d.Next, d.Change.At = time.UnixMilli(written).UTC(), time.UnixMilli(next).UTC(), time.UnixMilli(at).UTC()
		if expires > 0 {
			d.Expires = time.UnixMilli(expires).UTC()
		}
		out = append(out, d)
	}
	return out, wrap("list deliveries", rows.Err())
}

// Settle writes what became of deliveries, in one transaction: state, attempts,
// next try and the answer. What waits of a call behind one that has to be tried
// again waits with it.
func (db ChangeLog) Settle(ctx context.Context, list []Delivery) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("settle deliveries: %w", err)
	}
	for _, d := range list {
		_, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, status = ?, answer = ? WHERE endpoint = ? AND seq = ?`,
			d.State, d.Attempts, d.Next.UnixMilli(), d.Status, d.Answer, d.Endpoint, d.Change.Seq)
		if err == nil && d.State == DeliveryWaiting {
			_, err = tx.ExecContext(ctx, `UPDATE deliveries INDEXED BY deliveries_of_call SET next_at = ? WHERE endpoint = ? AND call_id = ? AND state = 'waiting' AND seq > ? AND next_at < ?`,
				d.Next.UnixMilli(), d.Endpoint, d.Change.CallID, d.Change.Seq, d.Next.UnixMilli())
		}
		if err != nil {
			return errors.Join(fmt.Errorf("settle deliveries: %w", err), ignoreDone(tx.Rollback()))
		}
	}
	return wrap("settle deliveries", tx.Commit())
}

// outboxStep is how many deliveries are changed in one transaction, so that facts
// never wait long for the writer.
const outboxStep = 1000

// Hasten makes everything that waits for an endpoint due now, because the
// endpoint is there again.
func (db ChangeLog) Hasten(ctx context.Context, endpoint string, now time.Time) error {
	for {
		res, err := db.writer.ExecContext(ctx, `UPDATE deliveries SET next_at = ? WHERE endpoint = ? AND state = 'waiting' AND seq IN
			(SELECT seq FROM deliveries INDEXED BY deliveries_due WHERE endpoint = ? AND state = 'waiting' AND next_at > ? LIMIT ?)`,
			now.UnixMilli(), endpoint, endpoint, now.UnixMilli(), outboxStep)
		if err != nil {
			return fmt.Errorf("hasten deliveries: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n < outboxStep {
			return wrap("hasten deliveries", err)
		}
	}
}

// ParkOld parks what waits for an endpoint since before a time: up to the first
// thousand that wait, of which none is so old.
func (db ChangeLog) ParkOld(ctx context.Context, endpoint string, before time.Time) error {
	for {
		seqs, err := column[int64](ctx, db.reader, `SELECT seq FROM (SELECT seq, written FROM deliveries WHERE endpoint = ? AND state = 'waiting' ORDER BY seq LIMIT ?) WHERE written < ?`,
			endpoint, outboxStep, before.UnixMilli())
		if err != nil || len(seqs) == 0 {
			return wrap("park deliveries", err)
		}
		err = db.inTx(ctx, func(tx *sql.Tx) error {
			for _, seq := range seqs {
				if _, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'parked' WHERE endpoint = ? AND seq = ? AND state = 'waiting'`, endpoint, seq); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("park deliveries: %w", err)
		}
	}
}

// ParkOthers parks what waits for endpoints that are none of these, and tells
// how many.
func (db ChangeLog) ParkOthers(ctx context.Context, endpoints []string) (int64, error) {
	query, args := `UPDATE deliveries SET state = 'parked', answer = 'there is no such webhook any more' WHERE state = 'waiting'`, []any{}
	if len(endpoints) > 0 {
		query += ` AND endpoint NOT IN (?` + strings.Repeat(`, ?`, len(endpoints)-1) + `)`
		for _, e := range endpoints {
			args = append(args, e)
		}
	}
	res, err := db.writer.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("park deliveries: %w", err)
	}
	return res.RowsAffected()
}

// Outbox says how much of it is not done.
type Outbox struct {
	Waiting, Parked int64
	Oldest          time.Time // when the oldest that waits was written; zero: none waits
}

// Outbox counts what waits and what is parked.
func (db ChangeLog) Outbox(ctx context.Context) (Outbox, error) {
	var o Outbox
	var oldest sql.NullInt64
	err := db.reader.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM deliveries INDEXED BY deliveries_waiting WHERE state = 'waiting'),
		(SELECT count(*) FROM deliveries INDEXED BY deliveries_parked WHERE state = 'parked'),
		(SELECT written FROM deliveries INDEXED BY deliveries_waiting WHERE state = 'waiting' ORDER BY seq LIMIT 1)`).Scan(&o.Waiting, &o.Parked, &oldest)
	if oldest.Valid {
		o.Oldest = time.UnixMilli(oldest.Int64).UTC()
	}
	return o, wrap("count deliveries", err)
}

// Deliveries lists the deliveries in a state (empty: every state), the latest
// first, at most limit; seq, where it is not 0, picks those of one change.
func (db ChangeLog) Deliveries(ctx context.Context, state DeliveryState, seq int64, limit int) ([]Delivery, error) {
	return db.deliveries(ctx, db.reader, `SELECT `+deliveryColumns+` FROM deliveries d JOIN changes c USING (seq)
		WHERE (? = '' OR d.state = ?) AND (? = 0 OR d.seq = ?) ORDER BY d.seq DESC, d.endpoint LIMIT ?`, state, state, seq, seq, limit)
}

// Retry makes parked deliveries wait again, due now, as if they had never been
// tried: those of one change, or of every one where seq is 0. It tells how
// many.
func (db ChangeLog) Retry(ctx context.Context, seq int64, now time.Time) (int64, error) {
	res, err := db.writer.ExecContext(ctx, `UPDATE deliveries SET state = 'waiting', attempts = 0, written = ?, next_at = ?
		WHERE state = 'parked' AND (? = 0 OR seq = ?)`, now.UnixMilli(), now.UnixMilli(), seq, seq)
	if err != nil {
		return 0, fmt.Errorf("retry deliveries: %w", err)
	}
	return res.RowsAffected()
}
