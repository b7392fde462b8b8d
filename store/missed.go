package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// longestTalk is how long before a missed call a talk may have begun that was not
// over then.
const longestTalk = 24 * time.Hour

// mostContacts of one person are looked at: beyond, the first missed call and how
// many there are in a row are not told right.
const mostContacts = 1000

// marks are the characters between the digits of a number.
const marks = " -()./+"

// person is the SQL of whom a call is with, of the table of that alias: what the
// index records_person is made of.
func person(alias string) string {
	phone := `CASE @direction WHEN 'in' THEN @src_phone WHEN 'out' THEN @dst_phone END`
	for _, mark := range marks {
		phone = `replace(` + phone + `, '` + string(mark) + `', '')`
	}
	return strings.ReplaceAll(`CASE WHEN @disposition <> 'answered' AND instr(CAST(@details AS TEXT), '"mergedInto":"') > 0 THEN NULL WHEN `+phone+
		` GLOB '*[^0-9]*' THEN nullif(lower(`+phone+`), 'anonymous') ELSE nullif(substr(`+phone+`, -10), '') END`, `@`, alias+`.`)
}

// PersonOf is whom a number belongs to, in any spelling; empty: it is none.
func PersonOf(number string) string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(marks, r) {
			return -1
		}
		return r
	}, number)
	if strings.Trim(plain, "0123456789") != "" {
		if plain = lower(plain); plain == "anonymous" {
			return ""
		}
		return plain
	}
	return plain[max(0, len(plain)-10):]
}

// lower is SQLite's: of ASCII alone.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// personOf is whom a record's call is with; empty: nobody who could be called back.
func personOf(r *record.Record) string {
	switch {
	case r.Disposition != record.Answered && r.Details.MergedInto != "":
		return ""
	case r.Direction == record.In:
		return PersonOf(r.SrcPhone)
	case r.Direction == record.Out:
		return PersonOf(r.DstPhone)
	}
	return ""
}

// MissedQuery picks persons to call back: calls that began from From, inclusive, to
// To, exclusive, count, and no others. Both are needed.
type MissedQuery struct {
	From, To time.Time
	After    Cursor // of the last call of the last person of the page before
	Limit    int    // at most so many; 0 is 100
}

// MissedPerson is a person to call back, and the last call that nobody answered.
type MissedPerson struct {
	record.Missed
	Last Row
}

// Missed lists persons to call back, who called last first. more tells that there
// are further ones.
func (db CallRecords) Missed(ctx context.Context, q MissedQuery) (list []MissedPerson, more bool, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	err = db.reading(ctx, func(tx *sql.Tx) error {
		all, err := missedLast(ctx, tx, &q)
		if err != nil {
			return err
		}
		if more = len(all) > q.Limit; more {
			all = all[:q.Limit]
		}
		for _, who := range all {
			m, _, err := standing(ctx, tx, who, q.From, q.To)
			if err != nil {
				return err
			}
			p := MissedPerson{Missed: m}
			if err := p.Last.scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM records WHERE call_id = ?`, m.LastID)); err != nil {
				return err
			}
			list = append(list, p)
		}
		return nil
	})
	return list, more, wrap("list missed calls", err)
}

// CountMissed counts persons to call back.
func (db CallRecords) CountMissed(ctx context.Context, q MissedQuery) (n int, err error) {
	text, args := missedSQL(`count(*)`, &MissedQuery{From: q.From, To: q.To})
	err = db.reader.QueryRowContext(ctx, text, args...).Scan(&n)
	return n, wrap("count missed calls", err)
}

// missedLast are the persons of a page, with one too many where there are more.
func missedLast(ctx context.Context, tx *sql.Tx, q *MissedQuery) ([]string, error) {
	text, args := missedSQL(person("m"), q)
	return column[string](ctx, tx, text+` ORDER BY m.started_at DESC, m.call_id DESC LIMIT ?`, append(args, q.Limit+1)...)
}

// missedSQL asks for the last call of each person to call back: one that nobody
// answered, behind which the person has no other such, no talk, and that is not
// dismissed. It is [record.MissedOf] for all persons at once.
func missedSQL(what string, q *MissedQuery) (string, []any) {
	text := `SELECT ` + what + ` FROM records AS m INDEXED BY records_missed WHERE m.direction = 'in' AND m.disposition <> 'answered'
		AND m.started_at >= ?1 AND m.started_at < ?2 AND ` + person("m") + ` IS NOT NULL
		AND NOT EXISTS (SELECT 1 FROM records AS n INDEXED BY records_person WHERE ` + person("n") + ` = ` + person("m") + ` AND n.started_at >= m.started_at AND n.started_at < ?2
			AND n.direction = 'in' AND n.disposition <> 'answered' AND (n.started_at > m.started_at OR n.call_id > m.call_id))
		AND NOT EXISTS (SELECT 1 FROM records AS t INDEXED BY records_person WHERE ` + person("t") + ` = ` + person("m") + ` AND t.started_at > m.started_at - ?3 AND t.started_at < ?2
			AND t.disposition = 'answered' AND t.started_at + 1000 * t.duration >= m.started_at)
		AND NOT EXISTS (SELECT 1 FROM dismissed AS d WHERE d.person = ` + person("m") + ` AND d.upto >= m.started_at)`
	args := []any{ceilMS(q.From), ceilMS(q.To), longestTalk.Milliseconds()}
	if q.After.CallID != "" {
		text += ` AND (m.started_at, m.call_id) < (?4, ?5)`
		args = append(args, q.After.StartedAt.UnixMilli(), q.After.CallID)
	}
	return text, args
}

// ceilMS is a time in milliseconds, rounded up.
func ceilMS(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// standing is how it stands with a person by the calls that began from a time to
// another, and up to when calls of his are dismissed.
func standing(ctx context.Context, from *sql.Tx, who string, since, to time.Time) (record.Missed, time.Time, error) {
	var dismissed time.Time
	var upto int64
	switch err := from.QueryRowContext(ctx, `SELECT upto FROM dismissed WHERE person = ?`, who).Scan(&upto); {
	case err == nil:
		dismissed = time.UnixMilli(upto).UTC()
	case !errors.Is(err, sql.ErrNoRows):
		return record.Missed{}, dismissed, err
	}
	calls, err := contacts(ctx, from, who, since, to)
	return record.MissedOf(calls, dismissed), dismissed, err
}

// contacts are a person's calls, the newest first: those that began from a time to
// another, and talks of the day before, which may have gone on then.
func contacts(ctx context.Context, from querier, who string, since, to time.Time) (out []record.Contact, err error) {
	err = eachRow(ctx, from, `SELECT call_id, started_at, direction, disposition, duration FROM records AS r INDEXED BY records_person
		WHERE `+person("r")+` = ? AND started_at > ? AND started_at < ? AND (started_at >= ? OR disposition = 'answered') ORDER BY started_at DESC LIMIT ?`,
		[]any{who, since.Add(-longestTalk).UnixMilli(), ceilMS(to), ceilMS(since), mostContacts}, func(rows *sql.Rows) error {
			var c record.Contact
			var at, duration int64
			err := rows.Scan(&c.CallID, &at, (*string)(&c.Direction), (*string)(&c.Disposition), &duration)
			c.At = time.UnixMilli(at).UTC()
			c.Until = c.At.Add(time.Duration(duration) * time.Second)
			out = append(out, c)
			return err
		})
	slices.SortStableFunc(out, func(a, b record.Contact) int { // as the list has those that began at once
		return compareAt(b.At.UnixMilli(), a.At.UnixMilli(), b.CallID, a.CallID)
	})
	return out, err
}

// Returned is, for each of the calls that nobody answered, the first talk with the
// caller since; a call without any is not in it.
func (db CallRecords) Returned(ctx context.Context, callIDs []string) (map[string]record.Return, error) {
	out := map[string]record.Return{}
	query := `SELECT m.call_id, t.call_id, coalesce(json_extract(CAST(t.details AS TEXT), '$.answeredAt'), ''), t.started_at, t.direction, t.src_phone, t.dst_phone
		FROM records AS m JOIN records AS t ON t.rowid = (SELECT n.rowid FROM records AS n INDEXED BY records_person WHERE ` + person("n") + ` = ` + person("m") + `
			AND n.started_at > m.started_at - ` + fmt.Sprint(longestTalk.Milliseconds()) + ` AND n.disposition = 'answered' AND n.started_at + 1000 * n.duration >= m.started_at
			ORDER BY n.started_at LIMIT 1)
		WHERE m.direction = 'in' AND m.disposition <> 'answered' AND m.call_id`
	err := eachIn(ctx, db.reader, query, callIDs, func(rows *sql.Rows) error {
		var missed, answered, src, dst string
		var at int64
		var r record.Return
		if err := rows.Scan(&missed, &r.CallID, &answered, &at, (*string)(&r.Direction), &src, &dst); err != nil {
			return err
		}
		r.At = time.UnixMilli(at).UTC()
		if t, err := time.Parse(time.RFC3339Nano, answered); err == nil {
			r.At = t.UTC()
		}
		if r.By = dst; r.Direction == record.Out {
			r.By = src
		}
		out[missed] = r
		return nil
	})
	return out, wrap("look for talks after missed calls", err)
}
