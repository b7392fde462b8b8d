// Package centre keeps the records of many PBXs in PostgreSQL. Edges, each a voipd
// beside its PBX, ship them in batches; the same API as theirs shows them.
//
// Its processes keep no state: any number of them may serve one database. DESIGN.md
// says how nothing is lost on the way, and how tenants are kept apart.
package centre

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options of a Centre.
type Options struct {
	// DSN reaches the database; several hosts may be in it, and then
	// target_session_attrs=read-write finds the one that takes writes. Its user is
	// the owner of the tables or a member of the role voipd_centre.
	DSN string
	Log *slog.Logger     // nil: nothing is logged
	Now func() time.Time // nil: time.Now
}

// Centre is an open database of records. All methods may be called from several
// goroutines.
type Centre struct {
	pool *pgxpool.Pool
	log  *slog.Logger
	now  func() time.Time
	role string // that of transactions of a tenant; empty, in tests: that of the DSN

	mu     sync.Mutex
	months map[time.Time]bool // whose partitions are there
}

// Role is the PostgreSQL role that transactions of a tenant have, for which row-level
// security holds whatever the user of the DSN is.
const Role = "voipd_centre"

// Errors of the centre.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("it is there already")
)

// Open connects to a database that [Migrate] has made. It fails where the database
// cannot be reached or has not the tables of this program.
func Open(ctx context.Context, opt Options) (*Centre, error) {
	config, err := pgxpool.ParseConfig(opt.DSN)
	if err != nil {
		return nil, fmt.Errorf("read database.dsn: %w", withoutDSN(err))
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the centre's database: %w", err)
	}
	c := &Centre{pool: pool, log: opt.Log, now: opt.Now, role: Role, months: map[time.Time]bool{}}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.now == nil {
		c.now = time.Now
	}
	if err := current(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the centre's database: %w", err)
	}
	return c, nil
}

// withoutDSN keeps the password of a DSN that cannot be read out of the message.
func withoutDSN(err error) error {
	if parse := (*pgxpoolParseError)(nil); errors.As(err, &parse) {
		return errors.New("it is no DSN of PostgreSQL, such as postgres://user:password@host/database")
	}
	return err
}

// Close waits for what goes on and closes the database.
func (c *Centre) Close() { c.pool.Close() }

// inTenant runs f in a transaction that sees the rows of one tenant. Role and tenant
// are set for the transaction alone, so that a pool of connections between here and
// the database may be one of transactions.
func (c *Centre) inTenant(ctx context.Context, tenant string, f func(pgx.Tx) error) error {
	return c.inTenantAs(ctx, tenant, pgx.TxOptions{}, f)
}

// atOnce is inTenant for statements that all see the rows of one moment.
func (c *Centre) atOnce(ctx context.Context, tenant string, f func(pgx.Tx) error) error {
	return c.inTenantAs(ctx, tenant, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
}

func (c *Centre) inTenantAs(ctx context.Context, tenant string, how pgx.TxOptions, f func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, c.pool, how, func(tx pgx.Tx) error {
		const set = `SELECT set_config('voipd.tenant', $1, true), set_config('role', coalesce(nullif($2, ''), current_user), true)`
		if _, err := tx.Exec(ctx, set, tenant, c.role); err != nil {
			return fmt.Errorf("begin for tenant %s: %w", tenant, err)
		}
		return f(tx)
	})
}
