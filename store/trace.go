package store

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/voipd/voipd/record"
)

// Closed is a call that ended: its journal becomes its trace.
type Closed struct {
	CallID string
	As     string // id of its record, and so of its trace; empty: CallID
	At     time.Time
}

// closeJournals turns the journals of ended calls into traces.
func (db Journals) closeJournals(ctx context.Context, tx *sql.Tx, closed []Closed) error {
	for _, c := range closed {
		events, err := db.packJournal(ctx, tx, c.CallID)
		if err != nil {
			return fmt.Errorf("pack the journal of %s: %w", c.CallID, err)
		}
		if events == nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO traces (call_id, at, events) VALUES (?, ?, ?)
			ON CONFLICT (call_id) DO UPDATE SET at = excluded.at, events = excluded.events`, cmp.Or(c.As, c.CallID), c.At.UnixMilli(), events); err != nil {
			return fmt.Errorf("write the trace of %s: %w", c.CallID, err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM journal WHERE call_id = ?`, c.CallID); err != nil {
			return fmt.Errorf("close the journal of %s: %w", c.CallID, err)
		}
	}
	return nil
}

// packJournal is a call's journal as gzipped lines; nil where there is none.
func (db Journals) packJournal(ctx context.Context, tx *sql.Tx, callID string) ([]byte, error) {
	rows, err := tx.QueryContext(ctx, `SELECT event FROM journal WHERE call_id = ? ORDER BY seq`, callID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var packed bytes.Buffer
	z, had := db.packers.Get().(*gzip.Writer) // making one costs more than packing a call
	if !had {
		if z, err = gzip.NewWriterLevel(nil, gzip.BestSpeed); err != nil {
			return nil, err
		}
	}
	defer db.packers.Put(z)
	z.Reset(&packed)
	any := false
	for rows.Next() {
		var line []byte
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		any = true
		if _, err := z.Write(append(line, '\n')); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(rows.Err(), z.Close()); err != nil || !any {
		return nil, err
	}
	return packed.Bytes(), nil
}

// Trace gives the facts from which a call's record was made, in order, or
// ErrNotFound: a call whose trace was not kept, or is too old.
func (db Journals) Trace(ctx context.Context, callID string) ([]record.Event, error) {
	var packed []byte
	err := db.reader.QueryRowContext(ctx, `SELECT events FROM traces WHERE call_id = ?`, callID).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read the trace of %s: %w", callID, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read the trace of %s: %w", callID, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("read the trace of %s: %w", callID, err)
	}
	var out []record.Event
	for dec := json.NewDecoder(z); ; {
		var row eventRow
		if err := dec.Decode(&row); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read the trace of %s: %w", callID, err)
		}
		out = append(out, row.event())
	}
}

// OpenReadOnly opens a database for looking at it, beside a voipd that writes
// it. It changes nothing, not even the version of the tables: where that is not
// this program's, as after an upgrade until voipd is restarted, it is an error
// that says so.
func OpenReadOnly(ctx context.Context, path string) (*DB, error) {
	db := newDB(path)
	db.reader = sql.OpenDB(&dialer{dsn(path, "ro", "_query_only=1"), nil, db.state})
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.reader.Close())
	}
	if err := db.current(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", path, err), db.reader.Close())
	}
	db.writer = db.reader
	return db, nil
}
