package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// Webhook is what the database keeps of a webhook. One without a URL stands in the
// configuration, as do its Kinds to its OldUntil: then only Paused to Told are here.
type Webhook struct {
	Name      string
	URL       string
	Kinds     []string // of events; none: every one
	Template  string
	Timeout   time.Duration // 0: as usual
	MaxAge    time.Duration // 0: as usual
	Secret    string
	OldSecret string    // signs beside Secret until OldUntil; empty: none does
	OldUntil  time.Time // zero where there is no OldSecret
	Paused    time.Time // since when nothing is sent; zero: it is not paused
	Failing   time.Time // since when nothing is taken; zero: all is well
	Told      bool      // others were told that it fails
}

// Webhooks gives all that is kept, by name.
func (db ChangeLog) Webhooks(ctx context.Context) (list []Webhook, err error) {
	err = eachRow(ctx, db.reader, `SELECT name, url, kinds, template, timeout, max_age, secret, old_secret, old_until, paused, failing, told FROM webhooks ORDER BY name`, nil, func(rows *sql.Rows) error {
		var w Webhook
		var kinds string
		var timeout, maxAge, until, paused, failing int64
		if err := rows.Scan(&w.Name, &w.URL, &kinds, &w.Template, &timeout, &maxAge, &w.Secret, &w.OldSecret, &until, &paused, &failing, &w.Told); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(kinds), &w.Kinds); err != nil {
			return fmt.Errorf("webhook %s: read its kinds: %w", w.Name, err)
		}
		w.Timeout, w.MaxAge = time.Duration(timeout)*time.Millisecond, time.Duration(maxAge)*time.Millisecond
		w.OldUntil, w.Paused, w.Failing = fromMilli(until), fromMilli(paused), fromMilli(failing)
		list = append(list, w)
		return nil
	})
	return list, wrap("list webhooks", err)
}

// fromMilli is a moment as a row has it; 0 is none.
func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func toMilli(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMilli()
}

// PutWebhook keeps a webhook in the place of what is kept under its name.
func (db ChangeLog) PutWebhook(ctx context.Context, w Webhook) error {
	if w.Kinds == nil {
		w.Kinds = []string{}
	}
	kinds, err := json.Marshal(w.Kinds)
	if err == nil {
		_, err = db.writer.ExecContext(ctx, `INSERT OR REPLACE INTO webhooks (name, url, kinds, template, timeout, max_age, secret, old_secret, old_until, paused, failing, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			w.Name, w.URL, string(kinds), w.Template, w.Timeout.Milliseconds(), w.MaxAge.Milliseconds(), w.Secret, w.OldSecret, toMilli(w.OldUntil), toMilli(w.Paused), toMilli(w.Failing), w.Told)
	}
	return wrap("keep a webhook", err)
}

// DropWebhook forgets a webhook that was removed. What it has not taken is given up
// for good, and counted.
func (db ChangeLog) DropWebhook(ctx context.Context, name string) (givenUp int64, err error) {
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM webhooks WHERE name = ?`, name); err != nil {
			return err
		}
		for _, state := range []DeliveryState{DeliveryWaiting, Parked} {
			res, err := tx.ExecContext(ctx, `UPDATE deliveries SET state = 'expired', answer = 'the webhook was removed' WHERE endpoint = ? AND state = ?`, name, state)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			givenUp += n
		}
		return nil
	})
	return givenUp, wrap("remove a webhook", err)
}

// Tell writes a change for these recipients alone.
func (db ChangeLog) Tell(ctx context.Context, c Change, to []Recipient) error {
	now := time.Now()
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO changes (at, written, kind, call_id, body) VALUES (?, ?, ?, ?, ?)`, c.At.UnixMilli(), now.UnixMilli(), c.Kind, c.CallID, string(c.Body))
		if err != nil {
			return err
		}
		seq, err := res.LastInsertId()
		if err != nil {
			return err
		}
		return address(ctx, tx, to, seq, c.CallID, now)
	})
	if err != nil {
		return fmt.Errorf("tell %s: %w", c.Kind, err)
	}
	db.wake()
	return nil
}

// OutboxOf is how much is not done for each webhook that has any of it.
func (db ChangeLog) OutboxOf(ctx context.Context) (map[string]Outbox, error) {
	all := map[string]Outbox{}
	err := eachRow(ctx, db.reader, `SELECT o.endpoint, o.n, d.written
		FROM (SELECT endpoint, count(*) AS n, min(seq) AS seq FROM deliveries INDEXED BY deliveries_waiting WHERE state = 'waiting' GROUP BY endpoint) o JOIN deliveries d USING (endpoint, seq)`, nil, func(rows *sql.Rows) error {
		var name string
		var o Outbox
		var oldest int64
		err := rows.Scan(&name, &o.Waiting, &oldest)
		o.Oldest = fromMilli(oldest)
		all[name] = o
		return err
	})
	if err == nil {
		err = eachRow(ctx, db.reader, `SELECT endpoint, count(*) FROM deliveries INDEXED BY deliveries_parked WHERE state = 'parked' GROUP BY endpoint`, nil, func(rows *sql.Rows) error {
			var name string
			var n int64
			err := rows.Scan(&name, &n)
			o := all[name]
			o.Parked = n
			all[name] = o
			return err
		})
	}
	return all, wrap("count deliveries", err)
}

// DeliveriesOf is which deliveries of a webhook are meant.
type DeliveriesOf struct {
	Endpoint string
	State    DeliveryState // empty: every one
	Seq      int64         // of one change; 0: of every one
	Before   int64         // changes before this one; 0: all
	Since    time.Time     // that came into the outbox then or later; zero: all
}

func (q *DeliveriesOf) where() (string, []any) {
	return `endpoint = ? AND (? = '' OR state = ?) AND (? = 0 OR seq = ?) AND (? = 0 OR seq < ?) AND written >= ?`,
		[]any{q.Endpoint, q.State, q.State, q.Seq, q.Seq, q.Before, q.Before, toMilli(q.Since)}
}

// DeliveriesTo lists deliveries of one webhook, the latest first, at most limit.
func (db ChangeLog) DeliveriesTo(ctx context.Context, q DeliveriesOf, limit int) ([]Delivery, error) {
	where, args := q.where()
	return db.deliveries(ctx, db.reader, `SELECT `+deliveryColumns+` FROM (SELECT * FROM deliveries WHERE `+where+` ORDER BY seq DESC LIMIT ?) d JOIN changes c USING (seq) ORDER BY d.seq DESC`, append(args, limit)...)
}

// RetryTo is Retry for those of one webhook; its State has no effect.
func (db ChangeLog) RetryTo(ctx context.Context, q DeliveriesOf, now time.Time) (int64, error) {
	q.State = Parked
	where, args := q.where()
	res, err := db.writer.ExecContext(ctx, `UPDATE deliveries SET state = 'waiting', attempts = 0, written = ?, next_at = ? WHERE state = 'parked' AND `+where,
		append([]any{now.UnixMilli(), now.UnixMilli()}, args...)...)
	if err != nil {
		return 0, fmt.Errorf("retry deliveries: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n > 0 {
		db.wake()
	}
	return n, err
}
