package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/voipd/voipd/record"
)

// Entry is one fact in the journal of an open call.
type Entry struct {
	CallID string
	Event  record.Event
}

func (db Journals) writeJournal(ctx context.Context, tx *sql.Tx, b *Batch) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO journal (call_id, event) VALUES (?, ?)`)
	if err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	defer insert.Close()
	for i := range b.Journal {
		e := &b.Journal[i]
		text, err := eventJSON(&e.Event)
		if err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
		if _, err := insert.ExecContext(ctx, e.CallID, text); err != nil {
			return fmt.Errorf("write journal: %w", err)
		}
	}
	for _, m := range b.Merged {
		if _, err := tx.ExecContext(ctx, `UPDATE journal SET call_id = ? WHERE call_id = ?`, m[1], m[0]); err != nil {
			return fmt.Errorf("merge journals: %w", err)
		}
	}
	if err := compactJournals(ctx, tx, b); err != nil {
		return err
	}
	return db.closeJournals(ctx, tx, b.Closed)
}

// Compacted is what need not be kept of an open call's journal: the facts about
// channels, and all but the last [record.RingingsDropped].
type Compacted struct {
	CallID   string
	Channels []string
}

func compactJournals(ctx context.Context, tx *sql.Tx, b *Batch) error {
	for _, c := range b.Compacted {
		id := c.CallID
		for _, m := range b.Merged { // the journals have their new ids already
			if m[0] == id {
				id = m[1]
			}
		}
		channels, err := json.Marshal(c.Channels)
		if err != nil {
			return fmt.Errorf("compact the journal of %s: %w", id, err)
		}
		_, err = tx.ExecContext(ctx, `WITH facts AS (SELECT seq, CAST(event AS TEXT) AS e FROM journal WHERE call_id = ?1), gone AS (SELECT value FROM json_each(?2))
			DELETE FROM journal WHERE seq IN (
				SELECT seq FROM facts WHERE e ->> '$.channel.id' IN gone OR e ->> '$.peer.id' IN gone
				UNION ALL SELECT seq FROM facts WHERE e ->> '$.kind' = ?3 AND seq < (SELECT max(seq) FROM facts WHERE e ->> '$.kind' = ?3))`,
			id, string(channels), record.RingingsDropped.String())
		if err != nil {
			return fmt.Errorf("compact the journal of %s: %w", id, err)
		}
	}
	return nil
}

// JournalRow is one fact of the journal.
type JournalRow struct {
	CallID string
	Event  record.Event
	Err    error // the row cannot be read, such as one of a newer version; Event is empty then
}

// Journal gives the facts of the calls that were open when the daemon last
// stopped, in the order in which they were taken in, one by one: a long call's do
// not have to fit into memory. each must not write to the database. Its error
// ends the reading.
func (db Journals) Journal(ctx context.Context, each func(JournalRow) error) error {
	rows, err := db.writer.QueryContext(ctx, `SELECT call_id, event FROM journal ORDER BY seq`)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var row JournalRow
		var text []byte
		if err := rows.Scan(&row.CallID, &text); err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		var fact eventRow
		if err := json.Unmarshal(text, &fact); err != nil {
			row.Err = fmt.Errorf("read a fact of the journal: %w", err)
		} else {
			row.Event = fact.event()
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	return nil
}

// JournalSize is how many facts the journal holds.
func (db Journals) JournalSize(ctx context.Context) (n int64, err error) {
	err = db.writer.QueryRowContext(ctx, `SELECT count(*) FROM journal`).Scan(&n)
	return n, wrap("count the journal", err)
}
