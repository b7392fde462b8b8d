package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/store"
)

// Answers keeps what requests with an Idempotency-Key were answered: a
// [store.Answers].
type Answers interface {
	BeginAnswer(ctx context.Context, key string, body []byte, now time.Time) (before store.Answer, fresh bool, err error)
	KeepAnswer(ctx context.Context, key string, a store.Answer) error
	DropAnswer(ctx context.Context, key string) error
}

const (
	// idempotencyHeader has the key of a request that is to be done once however
	// often it comes.
	idempotencyHeader = "Idempotency-Key"
	// replayedHeader says that an answer is that of before.
	replayedHeader = "Idempotency-Replayed"
	longestKey     = 255
)

// doing are the keys of requests under way. A second one waits for the first.
type doing struct {
	mu  sync.Mutex
	all map[string]chan struct{}
}

// enter waits until nobody does the request of a key. leave lets the next one in.
func (d *doing) enter(ctx context.Context, key string) (leave func(), err error) {
	for {
		d.mu.Lock()
		busy := d.all[key]
		if busy == nil {
			if d.all == nil {
				d.all = map[string]chan struct{}{}
			}
			done := make(chan struct{})
			d.all[key] = done
			d.mu.Unlock()
			return func() {
				d.mu.Lock()
				delete(d.all, key)
				d.mu.Unlock()
				close(done)
			}, nil
		}
		d.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// givesSecret tells whether the answer to a POST is not kept, because it holds a
// secret. A ticket or a session twice does no harm; a webhook that is there is not
// added twice; a second rotation gives the secret that holds.
func givesSecret(path string) bool {
	return path == sessionPath || path == ticketsPath || path == webhooksPath || underWebhooks(path) && strings.HasSuffix(path, "/rotate-secret")
}

// once does a POST with an Idempotency-Key once: the same request gets the same
// answer for a day, also after a restart, but where that holds a secret.
func (s *server) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(idempotencyHeader)
		if key == "" || r.Method != http.MethodPost || s.opt.Answers == nil || givesSecret(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > longestKey {
			writeProblem(w, problem(http.StatusUnprocessableEntity, "bad-request", "Unprocessable Entity", "Idempotency-Key is longer than 255 bytes."))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			status := http.StatusBadRequest
			if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
				status = http.StatusRequestEntityTooLarge
			}
			writeProblem(w, problem(status, typeOf(status), http.StatusText(status), "The body cannot be read: "+err.Error()+"."))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		whole := tokenOf(r.Context()) + "\x00" + r.URL.Path + "\x00" + key
		leave, err := s.doing.enter(r.Context(), whole)
		if err != nil {
			return // the client is gone
		}
		defer leave()
		s.answerOnce(w, r, next, whole, body)
	})
}

func (s *server) answerOnce(w http.ResponseWriter, r *http.Request, next http.Handler, key string, body []byte) {
	ctx := context.WithoutCancel(r.Context()) // whoever leaves early asks again
	before, fresh, err := s.opt.Answers.BeginAnswer(ctx, key, body, s.opt.Now())
	switch {
	case errors.Is(err, store.ErrOtherRequest):
		writeProblem(w, problem(http.StatusUnprocessableEntity, "idempotency-key-reused", "Key used before",
			"This Idempotency-Key came with another body before. Take a new key for another request."))
		return
	case err != nil:
		writeProblem(w, s.internal(ctx, "note a request", err))
		return
	case !fresh && before.Status == 0:
		writeProblem(w, problem(http.StatusConflict, "outcome-unknown", "Outcome unknown",
			"voipd was stopped while it did this. Look whether it was done (GET /v1/calls, GET /v1/records), and take a new key to do it again."))
		return
	case !fresh:
		w.Header().Set(replayedHeader, "true")
		w.Header().Set("Content-Type", before.Type)
		w.WriteHeader(before.Status)
		_, _ = w.Write(before.Body) // the client may be gone
		return
	}
	kept := &keptAnswer{ResponseWriter: w, code: http.StatusOK}
	next.ServeHTTP(kept, r.WithContext(ctx))
	if again(kept.code) || kept.code == http.StatusBadGateway {
		err = s.opt.Answers.DropAnswer(ctx, key)
	} else {
		err = s.opt.Answers.KeepAnswer(ctx, key, store.Answer{Status: kept.code, Type: w.Header().Get("Content-Type"), Body: kept.body.Bytes()})
	}
	if err != nil {
		s.opt.Log.Error("an answer cannot be kept: the same request is refused as unknown", "request", requestOf(ctx), "error", err)
	}
}

// keptAnswer writes an answer and keeps it.
type keptAnswer struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (k *keptAnswer) WriteHeader(code int) {
	k.code = code
	k.ResponseWriter.WriteHeader(code)
}

func (k *keptAnswer) Write(p []byte) (int, error) {
	k.body.Write(p)
	return k.ResponseWriter.Write(p)
}

// Unwrap lets who has to at the connection.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }
