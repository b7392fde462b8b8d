// Package ship sends records to a centre: in batches, from the store's own change log,
// behind the last change of which the centre has said that it is on its disk.
//
// It keeps nothing itself. The centre tells the place; a mark of the change there tells whether this
// database still is the one that was shipped before. Where it is not, as after a
// restore from a backup, or where changes were pruned that the centre has not, the records are
// compared with the centre's by counts and checksums of each hour, and what differs is sent.
// Calls that have no record any more are told with the changes that say so.
package ship

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/voipd/voipd/internal/caught"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// Store is what a Shipper reads: a [store.DB].
type Store interface {
	Instance(context.Context) (string, error)
	Span(context.Context) (store.Span, error)
	Changed() <-chan struct{}
	ChangedRows(ctx context.Context, after int64, limit int) (store.ChangedRows, error)
	MarkOf(ctx context.Context, seq int64) (string, error)
	Rows(context.Context, store.Query) ([]store.Row, bool, error)
	Merged(ctx context.Context, ids []string) ([]store.Gone, error)
	Forgotten(ctx context.Context, after int64, limit int) ([]store.Gone, int64, error)
}

// Options of a Shipper. Store, Address, Token and Log are needed.
type Options struct {
	Store   Store
	Address string                 // of the centre: "https://voip.example.com"
	Token   func() (string, error) // read at each request, so that it can be changed
	Client  *http.Client           // nil: one that waits a minute for an answer
	Version string                 // of this voipd
	Gather  time.Duration          // how long a change waits for others; 0 is a second
	Retry   time.Duration          // the first wait after a failure; 0 is a second. Later ones are longer, up to a minute
	Beat    time.Duration          // how long the centre hears nothing; 0 is half a minute
	Log     *slog.Logger
}

const (
	// longestWait is the longest wait after a failure.
	longestWait = time.Minute
	// compareEvery is how often records are compared with the centre's though
	// nothing is known to differ: some changes of a record are in no change log, such as
	// that its audio was deleted because it was old.
	compareEvery = 24 * time.Hour
)

// Shipper sends records. Make one with [New], then Run it once.
type Shipper struct {
	opt  Options
	http *http.Client

	mu    sync.Mutex
	state state
}

// New makes a Shipper.
func New(opt Options) *Shipper {
	for _, d := range []struct {
		of   *time.Duration
		want time.Duration
	}{{&opt.Gather, time.Second}, {&opt.Retry, time.Second}, {&opt.Beat, 30 * time.Second}} {
		if *d.of == 0 {
			*d.of = d.want
		}
	}
	s := &Shipper{opt: opt, http: opt.Client, state: state{seq: -1}}
	if s.http == nil {
		s.http = &http.Client{Timeout: time.Minute}
	}
	return s
}

// Run sends records until ctx ends.
func (s *Shipper) Run(ctx context.Context) {
	wait := &backoff.ExponentialBackOff{InitialInterval: s.opt.Retry, MaxInterval: longestWait, Multiplier: 2, RandomizationFactor: 0.5}
	wait.Reset()
	for {
		err := caught.In(func() error { return s.follow(ctx, wait.Reset) })
		if ctx.Err() != nil {
			return
		}
		s.failed(err)
		s.measure(ctx)
		pause := wait.NextBackOff()
		if later := (*answerError)(nil); errors.As(err, &later) {
			pause = max(pause, min(later.after, 10*longestWait))
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// trip is the way from one look at the centre's place to the next failure.
type trip struct {
	*Shipper
	place    contract.Place
	instance string
	limit    int       // changes in the next batch: fewer after one that the centre did not take
	compare  *compare  // what is being compared; nil: nothing is
	compared time.Time // when that ended last
}

// follow sends what is behind the centre's place until something fails. well is called after
// each batch that was taken.
func (s *Shipper) follow(ctx context.Context, well func()) (err error) {
	t := &trip{Shipper: s, limit: contract.MostShipped, compared: time.Now()}
	if t.instance, err = s.opt.Store.Instance(ctx); err != nil {
		return err
	}
	if t.place, err = s.getPlace(ctx); err != nil {
		return err
	}
	if err := t.reconcile(ctx); err != nil {
		return err
	}
	s.arrived(t.place.Seq)
	for {
		changed := s.opt.Store.Changed()
		did, err := t.step(ctx)
		if err != nil {
			return err
		}
		well()
		if !did {
			if err := t.rest(ctx, changed); err != nil {
				return err
			}
		}
	}
}

// reconcile sees whether what comes next in the change log follows on what the centre
// has. Else it begins anew behind the last change, and has all records compared.
func (t *trip) reconcile(ctx context.Context) error {
	span, err := t.opt.Store.Span(ctx)
	if err != nil {
		return err
	}
	mark, err := t.opt.Store.MarkOf(ctx, t.place.Seq)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if t.place.Instance == t.instance && span.Follows(t.place.Seq) && mark == t.place.Mark {
		return nil
	}
	if mark, err = t.opt.Store.MarkOf(ctx, span.Last); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	t.opt.Log.Info("the centre's place is not in this database's change log: all records are compared with the centre's", "place", t.place.Seq, "kept", span)
	return t.post(ctx, contract.ShipHead{Begin: true, After: span.Last, UpTo: span.Last, Mark: mark}, nil)
}

// errPruned says that changes went that the centre has not.
var errPruned = errors.New("changes were pruned before the centre had them; records are compared instead")

// step sends one batch, or compares some records. did is false where nothing is to be done.
func (t *trip) step(ctx context.Context) (did bool, err error) {
	span, err := t.opt.Store.Span(ctx)
	if err != nil {
		return false, err
	}
	if !span.Follows(t.place.Seq) {
		return false, errPruned
	}
	changes, err := t.opt.Store.ChangedRows(ctx, t.place.Seq, t.limit)
	if err != nil {
		return false, err
	}
	if changes.UpTo > t.place.Seq {
		t.lags(span.Last-t.place.Seq, changes.Oldest)
		return true, t.ship(ctx, changes, span.Last)
	}
	t.lags(0, time.Time{})
	if t.compare == nil && (t.place.Sync || time.Since(t.compared) > compareEvery) {
		t.compare = &compare{trip: t}
	}
	if t.compare != nil {
		done, err := t.compare.step(ctx)
		if done {
			t.compare, t.compared = nil, time.Now()
		}
		return true, err
	}
	return false, nil
}

// ship sends changes as one batch. One that the centre does not take is sent again as
// two, and a single change that it does not take is passed, so that it holds up no other.
func (t *trip) ship(ctx context.Context, c store.ChangedRows, last int64) error {
	head := contract.ShipHead{After: t.place.Seq, UpTo: c.UpTo, Mark: c.Mark, Waiting: last - c.UpTo, Gone: gone(c.Gone)}
	if head.Waiting > 0 {
		head.Oldest = c.Oldest
	}
	err := t.post(ctx, head, c.Rows)
	if !errors.Is(err, errUnfit) {
		t.limit = contract.MostShipped
		return err
	}
	if t.limit > 1 {
		t.limit = max(1, min(t.limit, len(c.Rows))/2)
		return nil
	}
	t.limit = contract.MostShipped
	for _, r := range c.Rows {
		t.refused(r.CallID, err.Error())
	}
	for _, g := range c.Gone {
		t.refused(g.CallID, err.Error())
	}
	head.Gone = nil
	return t.post(ctx, head, nil)
}

func gone(list []store.Gone) (out []contract.Gone) {
	for _, g := range list {
		out = append(out, contract.Gone{CallID: g.CallID, Into: g.Into})
	}
	return out
}

// rest waits for a change and gathers what comes with it, or tells the centre after a
// while that nothing did.
func (t *trip) rest(ctx context.Context, changed <-chan struct{}) error {
	beat := time.NewTimer(t.opt.Beat)
	defer beat.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-beat.C:
		return t.post(ctx, contract.ShipHead{After: t.place.Seq, UpTo: t.place.Seq}, nil)
	case <-changed:
	}
	gather := time.NewTimer(t.opt.Gather)
	defer gather.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-gather.C:
		return nil
	}
}

// post sends a batch behind the place, which moves on.
func (t *trip) post(ctx context.Context, head contract.ShipHead, rows []store.Row) error {
	head.Batch, head.ID, head.Instance, head.Version = t.place.Batch+1, rand.Text(), t.instance, t.opt.Version
	place, err := t.postBatch(ctx, &head, rows)
	if err != nil {
		return err
	}
	t.place = place
	t.arrived(place.Seq)
	t.shipped(len(rows), place.Refused)
	return nil
}
