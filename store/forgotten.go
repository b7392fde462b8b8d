package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// forgottenKey is the name of the secret that keys the hashes of what is
// forgotten.
const forgottenKey = "forgotten"

// key gives that secret; nil where nothing was ever forgotten.
func (db *file) key(ctx context.Context, from rowQuerier) ([]byte, error) {
	db.mu.Lock()
	have := db.pepper
	db.mu.Unlock()
	if have != nil {
		return have, nil
	}
	err := from.QueryRowContext(ctx, `SELECT value FROM secrets WHERE name = ?`, forgottenKey).Scan(&have)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read secret %s: %w", forgottenKey, err)
	}
	db.mu.Lock()
	db.pepper = have
	db.mu.Unlock()
	return have, nil
}

func keyed(key []byte, kind, value string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind + ":" + value))
	return mac.Sum(nil)
}

func hashCall(key []byte, id string) []byte       { return keyed(key, "call", id) }
func hashNumber(key []byte, number string) []byte { return keyed(key, "number", number) }

// pseudonym stands for a number in the audit: the same number has the same one
// in one database.
func pseudonym(key []byte, number string) string {
	return hex.EncodeToString(keyed(key, "audit", number)[:8])
}

// isForgotten tells whether a call was forgotten under its id.
func (db *file) isForgotten(ctx context.Context, from rowQuerier, callID string) (bool, error) {
	key, err := db.key(ctx, from)
	if err != nil || key == nil {
		return false, err
	}
	return found(from.QueryRowContext(ctx, `SELECT 1 FROM forgotten WHERE hash = ?`, hashCall(key, callID)))
}

func found(row *sql.Row) (bool, error) {
	err := row.Scan(new(int))
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// numberLike finds what may be a number in a text.
var numberLike = regexp.MustCompile(`[0-9]{5,}`)

// forgets tells whether an account of a call, told by CEL or CDR, is of a call
// or a person that was forgotten after it began.
func (db *file) forgets(ctx context.Context, r *record.Record, details []byte) (bool, error) {
	key, err := db.key(ctx, db.reader)
	if err != nil || key == nil {
		return false, err
	}
	hashes := []any{hashCall(key, r.CallID)}
	for _, id := range r.Details.Absorbed {
		hashes = append(hashes, hashCall(key, id))
	}
	query := `SELECT 1 FROM forgotten WHERE hash IN (?` + strings.Repeat(`, ?`, len(hashes)-1) + `) LIMIT 1`
	if gone, err := found(db.reader.QueryRowContext(ctx, query, hashes...)); err != nil || gone {
		return gone, err
	}
	seen := map[string]bool{}
	for _, number := range numberLike.FindAllString(r.SrcPhone+" "+r.DstPhone+" "+string(details), -1) {
		number = strings.TrimPrefix(number, "00")
		if seen[number] {
			continue
		}
		seen[number] = true
		gone, err := found(db.reader.QueryRowContext(ctx, `SELECT 1 FROM forgotten WHERE hash = ? AND at > ?`,
			hashNumber(key, number), r.Details.StartedAt.UnixMilli()))
		if err != nil || gone {
			return gone, err
		}
	}
	return false, nil
}

// putForgotten keeps that a number and calls are forgotten.
func putForgotten(ctx context.Context, tx *sql.Tx, key []byte, number string, ids []string) error {
	now := time.Now().UnixMilli()
	put := func(hash []byte) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO forgotten (hash, at) VALUES (?, ?) ON CONFLICT (hash) DO UPDATE SET at = excluded.at`, hash, now)
		return err
	}
	for _, id := range ids {
		if err := put(hashCall(key, id)); err != nil {
			return fmt.Errorf("note what is forgotten: %w", err)
		}
	}
	return wrap("note what is forgotten", put(hashNumber(key, number)))
}
