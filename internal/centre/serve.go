package centre

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/web"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// HandlerOptions are what does not come from the database.
type HandlerOptions struct {
	Version string
	Hosts   []string       // names under which the API answers beside addresses and localhost
	Origins []string       // of pages that may call the API
	Zone    *time.Location // of times that a client writes without an offset; nil: UTC
	Halt    <-chan struct{}
	Log     *slog.Logger
}

// Handler is all that a centre serves: the API, the page, and what edges ask for.
func (c *Centre) Handler(ctx context.Context, opt HandlerOptions) (http.Handler, error) {
	page, err := web.New()
	if err != nil {
		return nil, err
	}
	key, err := c.secret(ctx, "sessions")
	if err != nil {
		return nil, err
	}
	v, began := &view{Centre: c}, c.now().UTC()
	people := api.New(api.Options{Records: v, Changes: v, Page: page, Now: c.now, Zone: opt.Zone, Hosts: opt.Hosts, Origins: opt.Origins, Log: opt.Log, Version: opt.Version, Halt: opt.Halt,
		Centre: &api.Centre{SessionKey: key, Token: v.token, PBXs: func(ctx context.Context) ([]contract.PBX, error) { return c.PBXs(ctx, api.TenantOf(ctx)) }},
		Health: func(ctx context.Context) contract.Health { return c.health(ctx, opt.Version, began) }})
	edges := c.Edges()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if IsEdges(r.URL.Path) {
			edges.ServeHTTP(w, r)
			return
		}
		people.ServeHTTP(w, r)
	}), nil
}

func (c *Centre) secret(ctx context.Context, name string) (value []byte, err error) {
	err = c.inTenant(ctx, "", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `SELECT voipd.secret($1)`, name).Scan(&value)
	})
	if err == nil && len(value) == 0 {
		err = ErrNotFound
	}
	return value, named("read secret "+name, err)
}

// pingWithin is how long the database may take to answer health.
const pingWithin = 3 * time.Second

func (c *Centre) health(ctx context.Context, version string, began time.Time) contract.Health {
	h := contract.Health{Status: contract.OK, Version: version, StartedAt: began, Store: contract.StoreHealth{OK: true}}
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	if err := c.pool.Ping(ctx); err != nil {
		c.log.Error("the database does not answer", "error", err)
		h.Store = contract.StoreHealth{Error: "it does not answer; the centre's log says why"} // tenants are not to see where it is
		h.Fail("the database does not answer: see that PostgreSQL runs and that database.dsn leads to it")
	}
	return h
}

// view is the centre as the API reads it: that of the tenant whose token a request has.
type view struct {
	*Centre

	mu      sync.Mutex
	changed chan struct{}
}

func (v *view) token(ctx context.Context, hash [sha256.Size]byte) (*api.Token, error) {
	t, err := v.Centre.token(ctx, hash)
	if errors.Is(err, ErrNotFound) || t.PBX != "" { // an edge reads nothing
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &api.Token{Name: t.Name, Hash: hash, Scopes: t.Scopes, Tenant: t.Tenant}, nil
}

func (v *view) Rows(ctx context.Context, q store.Query) ([]store.Row, bool, error) {
	return v.Centre.Rows(ctx, api.TenantOf(ctx), q)
}

func (v *view) Count(ctx context.Context, q store.Query, most int) (int, bool, error) {
	return v.Centre.Count(ctx, api.TenantOf(ctx), q, most)
}

// Record is not asked for at a centre: a call id alone may be that of several calls.
func (v *view) Record(ctx context.Context, callID string) (record.Record, error) {
	list, _, err := v.Rows(ctx, store.Query{CallID: callID, Limit: 1})
	if err != nil {
		return record.Record{}, err
	}
	if len(list) == 0 {
		return record.Record{}, store.ErrNotFound
	}
	return list[0].Whole()
}

func (v *view) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	return v.changes(ctx, api.TenantOf(ctx), after, limit)
}

func (v *view) ChangedRecords(ctx context.Context, after int64, limit int) ([]record.Record, int64, error) {
	return v.changedRecords(ctx, api.TenantOf(ctx), after, limit)
}

func (v *view) Span(ctx context.Context) (store.Span, error) { return v.span(ctx, api.TenantOf(ctx)) }

func (v *view) Instance(ctx context.Context) (string, error) {
	return v.instance(ctx, api.TenantOf(ctx))
}

// pollEvery is how often streams look for changes: other processes write them, too.
const pollEvery = time.Second

// Changed gives a channel that is closed within a second: all streams of the process
// wait for the same one.
func (v *view) Changed() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.changed == nil {
		now := make(chan struct{})
		v.changed = now
		time.AfterFunc(pollEvery, func() {
			v.mu.Lock()
			v.changed = nil
			v.mu.Unlock()
			close(now)
		})
	}
	return v.changed
}
