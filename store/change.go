package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/voipd/voipd/record"
)

// Change is one thing told to the outside.
type Change struct {
	Seq    int64     // its number in the change log, from 1; given when it is written
	At     time.Time // when it happened on the PBX
	Kind   string
	CallID string
	Body   []byte // a JSON object
	// Record is the record of the batch that this tells; nil: none. KindOf then
	// gives the Kind by what became of the record, in the transaction that writes
	// both; an empty one is not told.
	Record *record.Record
	KindOf func(record.Verdict) string
	// MissedOf, where there is one, gives the kind and the body by what Record made of
	// how it stands with the caller; an empty kind is not told.
	MissedOf func(Turn) (kind string, body []byte)
}

// Recipient is a webhook that takes changes of some kind.
type Recipient struct {
	Endpoint     string        // name of the webhook in the configuration
	ExpiresAfter time.Duration // a change that waits for so long after it was written is not sent any more; 0: never
}

// Recipients says which webhooks take changes of a kind.
type Recipients func(kind string) []Recipient

// Deliver sets which webhooks every change from now on goes to. Any goroutine may
// call it.
func (db ChangeLog) Deliver(to Recipients) { db.recipients.Store(&to) }

// Changed gives a channel that is closed when the next change is on the disk,
// or may be: read again, then wait again.
func (db ChangeLog) Changed() <-chan struct{} {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.changed == nil {
		db.changed = make(chan struct{})
	}
	return db.changed
}

func (db *file) wake() {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.changed != nil {
		close(db.changed)
		db.changed = nil
	}
}

// writeChanges writes changes in their order, and a delivery of each for every
// webhook that takes it.
func (db ChangeLog) writeChanges(ctx context.Context, tx *sql.Tx, b *Batch, verdicts map[*record.Record]record.Verdict, turns map[*record.Record]Turn) error {
	now := time.Now()
	for i := range b.Changes {
		c := &b.Changes[i]
		kind := c.Kind
		if c.Record != nil && c.KindOf != nil {
			kind = c.KindOf(verdicts[c.Record])
		}
		body := c.Body
		if c.MissedOf != nil {
			turn, turned := turns[c.Record]
			if !turned {
				continue
			}
			kind, body = c.MissedOf(turn)
			c.CallID = turn.Last.CallID
		}
		if kind == "" {
			continue
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO changes (at, written, kind, call_id, body) VALUES (?, ?, ?, ?, ?)`,
			c.At.UnixMilli(), now.UnixMilli(), kind, c.CallID, string(body))
		if err != nil {
			return fmt.Errorf("write change of %s: %w", c.CallID, err)
		}
		seq, err := res.LastInsertId()
		if err != nil {
			return fmt.Errorf("write change of %s: %w", c.CallID, err)
		}
		b.Last = seq
		if err := db.address(ctx, tx, kind, seq, c.CallID, now); err != nil {
			return err
		}
	}
	return nil
}

// address writes a delivery of a change for each webhook that takes its kind.
func (db ChangeLog) address(ctx context.Context, tx *sql.Tx, kind string, seq int64, callID string, now time.Time) error {
	recipients := db.recipients.Load()
	if recipients == nil {
		return nil
	}
	return address(ctx, tx, (*recipients)(kind), seq, callID, now)
}

func address(ctx context.Context, tx *sql.Tx, recipients []Recipient, seq int64, callID string, now time.Time) error {
	for _, to := range recipients {
		expires := int64(0)
		if to.ExpiresAfter > 0 {
			expires = now.Add(to.ExpiresAfter).UnixMilli()
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (endpoint, seq, call_id, written, state, attempts, next_at, expires_at, status, answer)
			VALUES (?, ?, ?, ?, 'waiting', 0, ?, ?, 0, '')`, to.Endpoint, seq, callID, now.UnixMilli(), now.UnixMilli(), expires)
		if err != nil {
			return fmt.Errorf("write delivery of %s to %s: %w", callID, to.Endpoint, err)
		}
	}
	return nil
}

// Instance is this database's name, made at its first use.
func (db ChangeLog) Instance(ctx context.Context) (string, error) {
	secret, err := db.Secret(ctx, "instance")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", secret[:6]), nil
}
