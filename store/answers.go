package store

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Answers are those to requests that may be sent twice and shall be done once.
type Answers struct{ *file }

// Answer is what a request was answered. Status 0: it was begun, and its answer is
// not known, as after a crash.
type Answer struct {
	Status int
	Type   string // content type
	Body   []byte
}

// ErrOtherRequest says that a key was used with another body.
var ErrOtherRequest = errors.New("the key was used with another body")

// answersFor is how long answers are kept.
const answersFor = 24 * time.Hour

// BeginAnswer takes note of a request with a key that belongs to it alone, and of
// its body. fresh: it is to be done now, and its answer to be kept by KeepAnswer or
// the note to be dropped by DropAnswer. Else the answer is that of before, or the
// error is ErrOtherRequest.
func (db Answers) BeginAnswer(ctx context.Context, key string, body []byte, now time.Time) (before Answer, fresh bool, err error) {
	secret, err := db.Secret(ctx, "answers")
	if err != nil {
		return before, false, err
	}
	mac := hmac.New(sha256.New, secret) // of a body with a number in it, a plain hash could be guessed
	mac.Write(body)
	sum := mac.Sum(nil)
	err = db.inTx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM answers WHERE at < ?`, now.Add(-answersFor).UnixMilli()); err != nil {
			return err
		}
		var had []byte
		err := tx.QueryRowContext(ctx, `SELECT body, status, type, answer FROM answers WHERE key = ?`, answerKey(key)).Scan(&had, &before.Status, &before.Type, &before.Body)
		switch {
		case err == nil && !hmac.Equal(had, sum):
			return ErrOtherRequest
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		fresh = true
		_, err = tx.ExecContext(ctx, `INSERT INTO answers (key, at, body, status, type, answer) VALUES (?, ?, ?, 0, '', x'')`, answerKey(key), now.UnixMilli(), sum)
		return err
	})
	if errors.Is(err, ErrOtherRequest) {
		return before, false, ErrOtherRequest
	}
	return before, fresh, wrap("note a request", err)
}

// KeepAnswer keeps the answer to a request that was begun.
func (db Answers) KeepAnswer(ctx context.Context, key string, a Answer) error {
	_, err := db.writer.ExecContext(ctx, `UPDATE answers SET status = ?, type = ?, answer = ? WHERE key = ?`, a.Status, a.Type, a.Body, answerKey(key))
	return wrap("keep an answer", err)
}

// DropAnswer forgets a request that came to nothing and may be sent again.
func (db Answers) DropAnswer(ctx context.Context, key string) error {
	_, err := db.writer.ExecContext(ctx, `DELETE FROM answers WHERE key = ?`, answerKey(key))
	return wrap("drop an answer", err)
}

func answerKey(key string) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "voipd answer %s", key))
	return sum[:]
}
