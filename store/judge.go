package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/voipd/voipd/record"
)

// Verdict is what an account of a call, told by CEL or CDR, is worth beside
// what is kept.
type Verdict uint8

// The verdicts.
const (
	Kept   Verdict = iota // what is kept is as good or better, the call still goes on, or it was forgotten
	New                   // nothing is kept of the call
	Better                // it replaces what is kept
)

// Judge tells what an account of a call is worth. An account that is to be
// written comes back with the recordings that only what is kept knows of; and
// with it, the calls that it says went into this one and that have a worse
// record of their own, which Commit drops.
func (db *DB) Judge(ctx context.Context, r record.Record) (v Verdict, better record.Record, doubles []string, err error) {
	fail := func(err error) (Verdict, record.Record, []string, error) {
		return Kept, r, nil, fmt.Errorf("judge record %s: %w", r.CallID, err)
	}
	if settled, err := db.settled(ctx, &r); err != nil || settled {
		if err != nil {
			return fail(err)
		}
		return Kept, r, nil, nil
	}
	for _, id := range r.Details.Absorbed {
		double, err := db.some(ctx, doubled, id, rank(&r))
		if err != nil {
			return fail(err)
		}
		if double {
			doubles = append(doubles, id)
		}
	}
	var had int
	err = db.reader.QueryRowContext(ctx, `SELECT rank FROM records WHERE call_id = ?`, r.CallID).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) {
		return New, r, doubles, nil
	}
	if err != nil {
		return fail(err)
	}
	if had < min(rank(&r), approximate) && len(doubles) == 0 {
		return Kept, r, nil, nil
	}
	old, err := db.Record(ctx, r.CallID)
	if err != nil {
		return fail(err)
	}
	if had < rank(&r) { // it knows only what else went into the call, and what is on the disk
		if len(doubles) == 0 && !discovers(old, r) {
			return Kept, r, nil, nil
		}
		if had >= approximate {
			old.Details.Recordings = withFound(old, r)
		}
		old.Details.Absorbed = append(old.Details.Absorbed, doubles...)
		slices.Sort(old.Details.Absorbed)
		old.Details.Absorbed = slices.Compact(old.Details.Absorbed)
		return Better, old, doubles, nil
	}
	r.Details.Recordings = recordingsOf(old, r)
	switch {
	case had > rank(&r) || improves(old, r):
		return Better, r, doubles, nil
	case discovers(old, r): // it tells no more, but somebody has looked on the disk again
		old.Details.Recordings = r.Details.Recordings
		return Better, old, doubles, nil
	}
	return Kept, r, nil, nil
}

// Outranked tells whether what is kept of a call was told by a better teller
// than r, and whether it is whole; else what r found on the disk is wanted all
// the same.
func (db *DB) Outranked(ctx context.Context, r *record.Record) (outranked, whole bool, err error) {
	var had int
	err = db.reader.QueryRowContext(ctx, `SELECT rank FROM records WHERE call_id = ?`, r.CallID).Scan(&had)
	if errors.Is(err, sql.ErrNoRows) {
		return false, false, nil
	}
	return had < rank(r), had < approximate, wrap("judge record "+r.CallID, err)
}

// settled tells whether no account of the call is wanted: it was forgotten, who
// watches it will tell it, or it went into another one.
func (db *DB) settled(ctx context.Context, r *record.Record) (bool, error) {
	details, err := json.Marshal(r.Details)
	if err != nil {
		return false, err
	}
	if gone, err := db.forgets(ctx, r, details); err != nil || gone {
		return gone, err
	}
	if open, err := db.some(ctx, `SELECT 1 FROM journal WHERE call_id = ? LIMIT 1`, r.CallID); err != nil || open {
		return open, err
	}
	if r.Details.MergedInto != "" {
		return false, nil
	}
	return db.some(ctx, `SELECT 1 FROM absorbed WHERE call_id = ?`, r.CallID)
}

// doubled finds the record of a call that went into another, told by an account
// of the given rank, and has no reason to have one: who told it was worse, or
// missed something.
const doubled = `SELECT call_id FROM records WHERE call_id = ? AND (rank > ? OR rank >= ` + approximateText + `)
	AND json_extract(details, '$.mergedInto') IS NULL`

func (db *DB) some(ctx context.Context, query string, args ...any) (bool, error) {
	err := db.reader.QueryRowContext(ctx, query, args...).Scan(new(any))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// improves tells whether an account of the same teller says something else,
// and not only because it was read from a later moment on.
func improves(old, r record.Record) bool {
	if r.Details.StartedAt.After(old.Details.StartedAt) {
		return false
	}
	old.Details.Recordings, r.Details.Recordings = nil, nil
	a, errA := json.Marshal(old)
	b, errB := json.Marshal(r)
	return errA != nil || errB != nil || string(a) != string(b)
}

// discovers tells whether r has a recording that was found on the disk and that
// old does not know, or knows to be gone from where it was said to be.
func discovers(old, r record.Record) bool {
	return !slices.EqualFunc(old.Details.Recordings, withFound(old, r), func(a, b record.Recording) bool { return a.ID == b.ID })
}

// withFound are the recordings of old, and those that only r found.
func withFound(old, r record.Record) []record.Recording {
	all := slices.Clone(old.Details.Recordings)
	for _, rec := range r.Details.Recordings {
		i := slices.IndexFunc(all, func(o record.Recording) bool { return o.Stem() == rec.Stem() })
		switch {
		case !rec.Found:
		case i < 0:
			all = append(all, rec)
		case all[i].State == record.Gone && !all[i].Found:
			all[i] = rec
		}
	}
	return inOrder(all)
}

// recordingsOf are the recordings of r, and of old those that r need not know
// of: neither CEL nor CDR has every recording that a live teller told, and one
// that was found on the disk may have gone since. Files of one stem are one
// recording: CDR names a file without its folder, and scripts convert them.
func recordingsOf(old, r record.Record) []record.Recording {
	live := old.Details.Source == record.SourceAMI.String() || old.Details.Source == record.SourceARI.String()
	all := slices.Clone(r.Details.Recordings)
	for _, o := range old.Details.Recordings {
		i := slices.IndexFunc(all, func(rec record.Recording) bool { return rec.Stem() == o.Stem() })
		switch {
		case i < 0 && (live || o.Found):
			all = append(all, o)
		case i >= 0 && o.Found: // it is settled; when it began and what it holds, a better teller may know better
			o.At, o.Talk = all[i].At, all[i].Talk
			all[i] = o
		case i >= 0 && live && !(all[i].Found && o.State == record.Gone):
			all[i] = o
		}
	}
	return inOrder(all)
}

func inOrder(all []record.Recording) []record.Recording {
	slices.SortStableFunc(all, func(a, b record.Recording) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return all
}

// putAbsorbed notes which calls went into r, and drops worse records of them.
func putAbsorbed(ctx context.Context, tx *sql.Tx, r *record.Record) error {
	for _, id := range r.Details.Absorbed {
		if _, err := tx.ExecContext(ctx, `DELETE FROM records WHERE call_id IN (`+doubled+`)`, id, rank(r)); err != nil {
			return fmt.Errorf("drop the record of %s: %w", id, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO absorbed (call_id, into_id) SELECT ?, ? WHERE NOT EXISTS
			(SELECT 1 FROM records WHERE call_id = ?) ON CONFLICT DO NOTHING`, id, r.CallID, id); err != nil {
			return fmt.Errorf("note that %s went into %s: %w", id, r.CallID, err)
		}
	}
	return nil
}
