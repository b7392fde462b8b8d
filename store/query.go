package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// columns are those of a Row. The details lie as a BLOB in the table; as TEXT they
// are copied once on their way here, not twice.
const columns = `call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, CAST(details AS TEXT) AS details`

// Row is a record as it lies in the database.
type Row struct {
	PBX                                          string // whose it is; empty where the database is of one PBX
	CallID                                       string
	StartedAt                                    time.Time
	Direction                                    record.Direction
	Disposition                                  record.Disposition
	SrcPhone, SrcPhoneExt, DstPhone, DstPhoneExt string
	Duration                                     int
	Recordings                                   []record.Recording
	Text                                         string // the other details, as detailsJSON wrote them; nobody has looked whether they are JSON
}

// Records lists records, newest first. more tells that there are further ones
// behind the last.
func (db CallRecords) Records(ctx context.Context, q Query) (list []record.Record, more bool, err error) {
	rows, more, err := db.Rows(ctx, q)
	if err != nil {
		return nil, false, err
	}
	for i := range rows {
		whole, err := rows[i].Whole()
		if err != nil {
			return nil, false, fmt.Errorf("list records: %w", err)
		}
		list = append(list, whole)
	}
	return list, more, nil
}

// Rows is Records for who passes the details on.
func (db CallRecords) Rows(ctx context.Context, q Query) (list []Row, more bool, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	if w := q.wanted(); w.restricts() || q.CallID != "" {
		list, err = db.byKeys(ctx, &q)
	} else {
		list, err = db.byTime(ctx, &q)
	}
	if err != nil {
		return nil, false, fmt.Errorf("list records: %w", err)
	}
	if len(list) > q.Limit {
		list, more = list[:q.Limit], true
	}
	return list, more, db.withRecordings(ctx, list)
}

// byKeys is a list of what has keys, with one row too many where there are more.
func (db CallRecords) byKeys(ctx context.Context, q *Query) (list []Row, err error) {
	err = db.reading(ctx, func(tx *sql.Tx) error {
		find := one
		if q.CallID == "" {
			find = first
		}
		ids, err := find(ctx, tx, q)
		if err != nil {
			return err
		}
		list = make([]Row, 0, len(ids))
		err = eachIn(ctx, tx, `SELECT `+columns+` FROM records WHERE call_id`, ids, func(rows *sql.Rows) error {
			list = append(list, Row{})
			return list[len(list)-1].scan(rows)
		})
		slices.SortFunc(list, func(a, b Row) int {
			return q.compare(a.StartedAt.UnixMilli(), b.StartedAt.UnixMilli(), a.CallID, b.CallID)
		})
		return err
	})
	return list, err
}

// byTime is a list of all, the same way.
func (db CallRecords) byTime(ctx context.Context, q *Query) (list []Row, err error) {
	from, to := q.span()
	where, order, args := `started_at BETWEEN ? AND ?`, `DESC`, []any{from, to}
	than := `<`
	if q.Oldest {
		than, order = `>`, `ASC`
	}
	if q.After.CallID != "" {
		where += ` AND (started_at, call_id) ` + than + ` (?, ?)`
		args = append(args, q.After.StartedAt.UnixMilli(), q.After.CallID)
	}
	list = make([]Row, 0, min(q.Limit, 1000)+1)
	err = eachRow(ctx, db.reader, `SELECT `+columns+` FROM records INDEXED BY records_time WHERE `+where+` ORDER BY started_at `+order+`, call_id `+order+` LIMIT ?`,
		append(args, q.Limit+1), func(rows *sql.Rows) error {
			list = append(list, Row{})
			return list[len(list)-1].scan(rows)
		})
	return list, err
}

// withRecordings fills in the recordings of a page, with one query.
func (db CallRecords) withRecordings(ctx context.Context, list []Row) error {
	if len(list) == 0 {
		return nil
	}
	at, ids := make(map[string]int, len(list)), make([]any, len(list))
	for i := range list {
		at[list[i].CallID], ids[i] = i, list[i].CallID
	}
	rows, err := db.reader.QueryContext(ctx, `SELECT call_id, `+recordingColumns+` FROM recordings
		WHERE call_id IN (?`+strings.Repeat(`, ?`, len(ids)-1)+`) ORDER BY call_id, n`, ids...)
	if err != nil {
		return fmt.Errorf("read recordings: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var callID string
		rec, err := scanRecording(rows, &callID)
		if err != nil {
			return fmt.Errorf("read recordings: %w", err)
		}
		r := &list[at[callID]]
		r.Recordings = append(r.Recordings, rec)
	}
	return rows.Err()
}

// Record gives one record, or ErrNotFound.
func (db CallRecords) Record(ctx context.Context, callID string) (record.Record, error) {
	var row Row
	err := row.scan(db.reader.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, callID))
	if errors.Is(err, sql.ErrNoRows) {
		return record.Record{}, fmt.Errorf("read record %s: %w", callID, ErrNotFound)
	}
	if err != nil {
		return record.Record{}, fmt.Errorf("read record %s: %w", callID, err)
	}
	r, err := row.Whole()
	if err != nil {
		return r, fmt.Errorf("read record %s: %w", callID, err)
	}
	r.Details.Recordings, err = recordings(ctx, db.reader, callID)
	return r, err
}

// RecordingFile is a recording of a call, and its file.
type RecordingFile struct {
	CallID string
	ID     string
	Path   string // as the PBX names it
	At     time.Time
	State  record.RecordingState
}

// UnfinishedRecordings lists recordings whose files are not known to be whole
// yet, oldest first, at most limit, behind the one that the list before ended
// with; behind the zero one: from the first.
func (db CallRecords) UnfinishedRecordings(ctx context.Context, after RecordingFile, limit int) ([]RecordingFile, error) {
	since := int64(math.MinInt64)
	if !after.At.IsZero() {
		since = after.At.UnixMilli()
	}
	rows, err := db.reader.QueryContext(ctx, `SELECT call_id, id, path, at, state FROM recordings WHERE state IN ('announced', 'growing')
		AND (at, call_id, id) > (?, ?, ?) ORDER BY at, call_id, id LIMIT ?`, since, after.CallID, after.ID, limit)
	if err != nil {
		return nil, fmt.Errorf("list unfinished recordings: %w", err)
	}
	out, err := scanFiles(rows)
	if err != nil {
		return nil, fmt.Errorf("list unfinished recordings: %w", err)
	}
	return out, nil
}

// scanFiles reads rows of call_id, id, path, at, state to their end.
func scanFiles(rows *sql.Rows) (out []RecordingFile, err error) {
	defer rows.Close()
	for rows.Next() {
		var u RecordingFile
		var at int64
		if err := rows.Scan(&u.CallID, &u.ID, &u.Path, &at, &u.State); err != nil {
			return nil, err
		}
		u.At = time.UnixMilli(at).UTC()
		out = append(out, u)
	}
	return out, rows.Err()
}

// Ping asks the database for something small.
func (db *file) Ping(ctx context.Context) error {
	var n int
	if err := db.reader.QueryRowContext(ctx, `SELECT 1`).Scan(&n); err != nil {
		return fmt.Errorf("read store %s: %w", db.path, err)
	}
	return nil
}

// scan reads a row of columns. Pointers to plain strings are what database/sql
// fills without reflection.
func (r *Row) scan(row interface{ Scan(...any) error }) error {
	var at int64
	err := row.Scan(&r.CallID, &at, (*string)(&r.Direction), (*string)(&r.Disposition), &r.SrcPhone, &r.SrcPhoneExt, &r.DstPhone, &r.DstPhoneExt, &r.Duration, &r.Text)
	r.StartedAt = time.UnixMilli(at).UTC()
	return err
}

// Known is the record without what is in Text: of its details, the start and the
// recordings.
func (r *Row) Known() record.Record {
	return record.Record{CallID: r.CallID, Direction: r.Direction, Disposition: r.Disposition, SrcPhone: r.SrcPhone, SrcPhoneExt: r.SrcPhoneExt,
		DstPhone: r.DstPhone, DstPhoneExt: r.DstPhoneExt, Duration: r.Duration, Details: record.Details{StartedAt: r.StartedAt, Recordings: r.Recordings}}
}

// Whole reads the details.
func (r *Row) Whole() (record.Record, error) {
	whole := r.Known()
	if err := readDetails([]byte(r.Text), &whole.Details); err != nil {
		return whole, fmt.Errorf("read details of %s: %w", r.CallID, err)
	}
	whole.Details.Recordings = r.Recordings
	return whole, nil
}

// recordings reads a call's recordings in order of start.
func recordings(ctx context.Context, from interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, callID string) ([]record.Recording, error) {
	rows, err := from.QueryContext(ctx, `SELECT `+recordingColumns+` FROM recordings WHERE call_id = ? ORDER BY n`, callID)
	if err != nil {
		return nil, fmt.Errorf("read recordings of %s: %w", callID, err)
	}
	defer rows.Close()
	var out []record.Recording
	for rows.Next() {
		rec, err := scanRecording(rows)
		if err != nil {
			return nil, fmt.Errorf("read recordings of %s: %w", callID, err)
		}
		out = append(out, rec)
	}
	return out, rows.Err()
}

const recordingColumns = `id, path, at, state, bytes, ms, talk, found`

// scanRecording reads a row of before and recordingColumns.
func scanRecording(rows *sql.Rows, before ...any) (record.Recording, error) {
	var rec record.Recording
	var at int64
	err := rows.Scan(append(before, &rec.ID, &rec.Path, &at, (*string)(&rec.State), &rec.Bytes, &rec.MS, &rec.Talk, &rec.Found)...)
	rec.At = time.UnixMilli(at).UTC()
	return rec, err
}
