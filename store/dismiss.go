package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/voipd/voipd/record"
)

// ErrNotMissed is that there is no call of a person to return.
var ErrNotMissed = errors.New("nobody waits to be called back under this number")

// Dismissal says that a person need not be called back.
type Dismissal struct {
	Who  string // a number in any spelling, or the id of one of the person's calls
	By   string // name of the token that says it
	Note string
	At   time.Time
}

// Dismiss takes a person off the list: the calls that nobody answered and that began
// up to now, or up to the call that is named. It is a line in the audit, without the
// number, and tell makes what the outside is told of it; both are written in the same
// transaction. It is ErrNotMissed where there is nothing to return since a time.
func (db *DB) Dismiss(ctx context.Context, d Dismissal, since, to time.Time, tell func(record.Missed, record.Record) Change) error {
	err := db.inTx(ctx, func(tx *sql.Tx) error {
		who, upto := PersonOf(d.Who), to
		var row Row
		switch err := row.scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, d.Who)); {
		case err == nil:
			r := row.Known()
			who, upto = personOf(&r), row.StartedAt.Add(time.Millisecond)
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		m, _, err := standing(ctx, tx, who, since, upto)
		if err != nil {
			return err
		}
		if who == "" || m.Calls == 0 {
			return ErrNotMissed
		}
		if err := row.scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, m.LastID)); err != nil {
			return err
		}
		last, err := row.Whole()
		if err != nil {
			return err
		}
		return db.putDismissal(ctx, tx, who, d, m, tell(m, last))
	})
	if err == nil {
		db.wake()
	}
	return wrap("dismiss a missed call", err)
}

func (db *DB) putDismissal(ctx context.Context, tx *sql.Tx, who string, d Dismissal, m record.Missed, c Change) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO dismissed (person, upto, at, by, note) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (person) DO UPDATE SET upto = max(upto, excluded.upto), at = excluded.at, by = excluded.by, note = excluded.note`,
		who, m.LastAt.UnixMilli(), d.At.UnixMilli(), d.By, d.Note)
	if err != nil {
		return err
	}
	if err := putAudit(ctx, tx, Audit{What: "dismiss", About: d.By, Counts: map[string]int{"calls": m.Calls}}); err != nil {
		return err
	}
	return db.writeChanges(ctx, tx, &Batch{Changes: []Change{c}}, nil, nil)
}
