package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// The kinds of changes that the store itself knows. A change with a Record of
// its batch gets the one or the other by what the table holds.
const (
	RecordCreated   = "record.created"
	RecordCorrected = "record.corrected"
)

// Change is one thing told to the outside.
type Change struct {
	Seq    int64     // its place in the order of all changes; given when it is written
	At     time.Time // when it happened on the PBX
	Kind   string
	CallID string
	Body   []byte // a JSON object
	// Record is the number, from 1, of the record of the batch that this tells;
	// 0: none. RecordCreated of a call that has a record already is written as
	// RecordCorrected, the other way round likewise, and either not at all where
	// a better account of the call is there.
	Record int
}

// To says that a change goes to a webhook.
type To struct {
	Endpoint string
	Lives    time.Duration // pointless so long after it was written; 0: never
}

// Route says which webhooks take changes of a kind.
type Route func(kind string) []To

// Deliver makes every change from now on go to the webhooks that route says.
// It is called once, before the first Commit.
func (db ChangeLog) Deliver(route Route) { db.route = route }

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

// outcome is what became of a record that was written.
type outcome uint8

const (
	created outcome = iota + 1
	replaced
	refused // a better account is there
)

// kind is what a change is called after its record was written; empty: it is
// not told.
func (c *Change) kind(records []outcome) string {
	if c.Record == 0 || c.Kind != RecordCreated && c.Kind != RecordCorrected {
		return c.Kind
	}
	switch records[c.Record-1] {
	case created:
		return RecordCreated
	case replaced:
		return RecordCorrected
	}
	return ""
}

// writeChanges writes changes in their order, and into the outbox who gets
// them.
func (db ChangeLog) writeChanges(ctx context.Context, tx *sql.Tx, b *Batch, records []outcome) error {
	now := time.Now()
	for i := range b.Changes {
		c := &b.Changes[i]
		kind := c.kind(records)
		if kind == "" {
			continue
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO changes (at, written, kind, call_id, body) VALUES (?, ?, ?, ?, ?)`,
			c.At.UnixMilli(), now.UnixMilli(), kind, c.CallID, string(c.Body))
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

// address writes a change into the outbox of each webhook that takes its kind.
func (db ChangeLog) address(ctx context.Context, tx *sql.Tx, kind string, seq int64, callID string, now time.Time) error {
	if db.route == nil {
		return nil
	}
	for _, to := range db.route(kind) {
		expires := int64(0)
		if to.Lives > 0 {
			expires = now.Add(to.Lives).UnixMilli()
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
