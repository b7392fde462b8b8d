package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// shortestNumber is how many digits a number has at least that can be
// forgotten: a shorter one is in too many places by chance.
const shortestNumber = 5

// Erased is the kind of the change by which the change log tells that a call was forgotten.
const Erased = "record.erased"

// Person is all that is kept of a number.
type Person struct {
	number string
	ids    []string // the calls, without those that go on
	seqs   []int64  // what was told of them

	Calls int      // calls that the number has a part in
	Open  int      // of these go on and are left
	Files []string // their recordings, as the PBX names them
}

// Digits brings a number to the form in which it is looked for: digits alone.
func Digits(number string) (string, error) {
	var b strings.Builder
	for _, r := range number {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.ContainsRune("+-() .", r):
			return "", fmt.Errorf("%q is no number", number)
		}
	}
	digits := strings.TrimPrefix(b.String(), "00")
	if len(digits) < shortestNumber {
		return "", fmt.Errorf("%q has fewer than %d digits: an extension stands in the calls of others too, so it cannot be forgotten", number, shortestNumber)
	}
	return digits, nil
}

// Person finds every call that a number, as digits, has a part in: in its
// record, its trace, its recordings' names or what was told of it. It reads the
// whole database.
func (db Retention) Person(ctx context.Context, number string) (Person, error) {
	p := Person{number: number}
	calls, err := db.callsOf(ctx, number)
	if err != nil {
		return p, fmt.Errorf("look for a number: %w", err)
	}
	open, err := column[string](ctx, db.reader, `SELECT DISTINCT call_id FROM journal`)
	if err != nil {
		return p, fmt.Errorf("look for open calls: %w", err)
	}
	p.Calls = len(calls)
	for _, id := range open {
		if calls[id] {
			delete(calls, id)
			p.Open++
		}
	}
	p.ids = slices.Sorted(maps.Keys(calls))
	if err := db.toldOf(ctx, &p, calls); err != nil {
		return p, fmt.Errorf("look for what was told: %w", err)
	}
	for _, id := range p.ids {
		files, err := column[string](ctx, db.reader, `SELECT path FROM recordings WHERE call_id = ?`, id)
		if err != nil {
			return p, fmt.Errorf("look for recordings: %w", err)
		}
		p.Files = append(p.Files, files...)
	}
	return p, nil
}

// callsOf finds the ids of a number's calls.
func (db Retention) callsOf(ctx context.Context, number string) (map[string]bool, error) {
	in := regexp.MustCompile(`(?:^|[^0-9])(?:00)?` + number + `(?:[^0-9]|$)`) // number is digits
	calls := map[string]bool{}
	for _, table := range []string{
		`SELECT call_id, src_phone || ' ' || dst_phone || ' ' || src_phone_ext || ' ' || dst_phone_ext || ' ' || details AS text FROM records`,
		`SELECT call_id, path AS text FROM recordings`,
		`SELECT call_id, body AS text FROM changes`,
		`SELECT call_id, event AS text FROM journal`,
		`SELECT call_id, event || reason AS text FROM quarantine`,
	} {
		if err := db.each(ctx, `SELECT call_id, text FROM (`+table+`) WHERE instr(text, ?) > 0`, []any{number}, func(id string, text []byte) error {
			if in.Match(text) {
				calls[id] = true
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return calls, db.each(ctx, `SELECT call_id, events FROM traces`, nil, func(id string, packed []byte) error {
		if calls[id] {
			return nil
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return err
		}
		text, err := io.ReadAll(z)
		if in.Match(text) {
			calls[id] = true
		}
		return err
	})
}

// each reads rows of a call id and a text.
func (db *file) each(ctx context.Context, query string, args []any, f func(id string, text []byte) error) error {
	return eachRow(ctx, db.reader, query, args, func(rows *sql.Rows) error {
		var id string
		var text sql.RawBytes
		if err := rows.Scan(&id, &text); err != nil {
			return err
		}
		return f(id, text)
	})
}

func (db Retention) toldOf(ctx context.Context, p *Person, calls map[string]bool) error {
	return eachRow(ctx, db.reader, `SELECT seq, call_id FROM changes`, nil, func(rows *sql.Rows) error {
		var seq int64
		var id string
		err := rows.Scan(&seq, &id)
		if calls[id] {
			p.seqs = append(p.seqs, seq)
		}
		return err
	})
}

// Forget erases what Person found, a few calls at a time, and keeps the keyed
// hashes of the number and the calls, so that CEL and CDR do not bring them
// back. The change log tells the ids of the calls. Then it has the whole database written anew, so that nothing of it is
// left between the rows; others wait to write meanwhile. files is how many
// audio files were deleted before. It may be cut anywhere and done again.
func (db Retention) Forget(ctx context.Context, p Person, files int) (Audit, error) {
	a := Audit{What: "forget", Counts: map[string]int{"calls": len(p.ids), "changes": len(p.seqs), "files": files}}
	key, err := db.Secret(ctx, forgottenKey)
	if err != nil {
		return a, fmt.Errorf("forget: %w", err)
	}
	a.About = pseudonym(key, p.number)
	if _, err := db.writer.ExecContext(ctx, `PRAGMA secure_delete = ON`); err != nil {
		return a, fmt.Errorf("forget: %w", err)
	}
	err = db.inTx(ctx, func(tx *sql.Tx) error { return putForgotten(ctx, tx, key, p.number, p.ids) })
	for seqs := range slices.Chunk(p.seqs, eraseStep) {
		err = errors.Join(err, db.inTx(ctx, func(tx *sql.Tx) error {
			n, err := deleteIn(ctx, tx, "deliveries", "seq", seqs)
			if err == nil {
				_, err = deleteIn(ctx, tx, "changes", "seq", seqs)
			}
			a.Counts["deliveries"] += n
			return err
		}))
	}
	for ids := range slices.Chunk(p.ids, eraseStep) {
		err = errors.Join(err, db.inTx(ctx, func(tx *sql.Tx) error {
			n, err := erase(ctx, tx, ids)
			a.Counts["records"] += n.records
			a.Counts["recordings"] += n.recordings
			a.Counts["traces"] += n.traces
			if err != nil {
				return err
			}
			return tellErased(ctx, tx, ids)
		}))
	}
	if err == nil { // a refusal may name a number; they are of a day
		_, err = db.writer.ExecContext(ctx, `DELETE FROM answers`)
	}
	if err == nil {
		_, err = db.writer.ExecContext(ctx, `DELETE FROM dismissed WHERE person = ? OR instr(note, ?) > 0`, PersonOf(p.number), p.number)
	}
	if err != nil {
		return a, fmt.Errorf("forget: %w", err)
	}
	db.wake()
	if err := db.AddAudit(ctx, a); err != nil {
		return a, err
	}
	return a, db.scrub(ctx)
}

// tellErased writes into the change log that calls were forgotten, for those who were
// told of their records. It says no more of them than their ids.
func tellErased(ctx context.Context, tx *sql.Tx, ids []string) error {
	now := time.Now().UnixMilli()
	for _, id := range ids {
		body, err := json.Marshal(map[string]any{"call": map[string]string{"callId": id, "srcPhone": "", "dstPhone": ""}})
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO changes (at, written, kind, call_id, body) VALUES (?, ?, ?, ?, ?)`, now, now, Erased, id, string(body))
		}
		if err != nil {
			return fmt.Errorf("write change of %s: %w", id, err)
		}
	}
	return nil
}

// scrub writes the database anew and empties its log, so that deleted rows are
// on the disk no more.
func (db Retention) scrub(ctx context.Context) error {
	if _, err := db.writer.ExecContext(ctx, `VACUUM`); err != nil {
		return fmt.Errorf("write the database anew, which needs as much space again (rows are erased, but may be left in the file; do it again): %w", err)
	}
	var busy, log, done int
	for range 10 { // each waits for readers as long as a lock is waited for
		if err := db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &done); err != nil {
			return fmt.Errorf("empty the database's log: %w", err)
		}
		if busy == 0 {
			return nil
		}
	}
	return errors.New("the database's log cannot be emptied while others read for so long: what was erased may be left in it; do it again")
}
