package centre

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// This file is what the admin's commands do. Their DSN is the owner's: rows of
// tenants, PBXs, tokens and codes are all seen, records are not.

// names are what tenants and PBXs may be called: the name of a tenant becomes part of
// the names of files and objects.
var names = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func checkName(what, name string) error {
	if !names.MatchString(name) {
		return fmt.Errorf("%q is no name of a %s: want up to 63 letters a to z, digits and hyphens", name, what)
	}
	return nil
}

// codeFor is how long a code of enrolment waits for its one use.
const codeFor = 24 * time.Hour

// Tenant is one company whose records nobody else sees.
type Tenant struct {
	Name    string
	Created time.Time
	PBXs    int
}

// Token lets an app, or the edge of a PBX, in.
type Token struct {
	Tenant, Name string
	PBX          string // empty: it is no edge's
	Scopes       []string
	Created      time.Time
	Ends         time.Time // zero: never
}

// AddTenant makes a tenant. It is [ErrExists] where there is one of the name.
func (c *Centre) AddTenant(ctx context.Context, name string) error {
	if err := checkName("tenant", name); err != nil {
		return err
	}
	pepper := make([]byte, 32)
	rand.Read(pepper)
	_, err := c.pool.Exec(ctx, `INSERT INTO voipd.tenants (tenant, pepper) VALUES ($1, $2)`, name, pepper)
	return named("add tenant "+name, err)
}

// Tenants lists all.
func (c *Centre) Tenants(ctx context.Context) ([]Tenant, error) {
	rows, _ := c.pool.Query(ctx, `SELECT t.tenant, t.created, (SELECT count(*) FROM voipd.pbxs p WHERE p.tenant = t.tenant) FROM voipd.tenants t ORDER BY t.tenant`)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Tenant])
	return all, named("list tenants", err)
}

// RevokeTenant takes a tenant all tokens and codes. Its records stay.
func (c *Centre) RevokeTenant(ctx context.Context, name string) error {
	return c.atLeastOne(ctx, "revoke tenant "+name, `WITH codes AS (DELETE FROM voipd.codes WHERE tenant = $1 RETURNING 1), tokens AS (DELETE FROM voipd.tokens WHERE tenant = $1 RETURNING 1)
		SELECT 1 FROM codes UNION ALL SELECT 1 FROM tokens`, name)
}

// AddEdge makes a PBX, if there is none of the name, and a code that makes one machine
// its edge, once, within a day.
func (c *Centre) AddEdge(ctx context.Context, tenant, pbx string) (code string, err error) {
	if err := checkName("PBX", pbx); err != nil {
		return "", err
	}
	code = rand.Text()
	sum := sha256.Sum256([]byte(code))
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO voipd.pbxs (tenant, pbx) VALUES ($1, $2) ON CONFLICT DO NOTHING`, tenant, pbx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO voipd.codes (hash, tenant, pbx, ends) VALUES ($1, $2, $3, $4)`, sum[:], tenant, pbx, c.now().Add(codeFor))
		return err
	})
	return code, named("add edge "+pbx+" of tenant "+tenant, err)
}

// RevokeEdge takes the edge of a PBX its tokens and codes. Its records stay.
func (c *Centre) RevokeEdge(ctx context.Context, tenant, pbx string) error {
	return c.atLeastOne(ctx, "revoke edge "+pbx+" of tenant "+tenant, `WITH codes AS (DELETE FROM voipd.codes WHERE tenant = $1 AND pbx = $2 RETURNING 1),
		tokens AS (DELETE FROM voipd.tokens WHERE tenant = $1 AND pbx = $2 RETURNING 1) SELECT 1 FROM codes UNION ALL SELECT 1 FROM tokens`, tenant, pbx)
}

// AddToken makes a token of an app. No scopes: it may do everything.
func (c *Centre) AddToken(ctx context.Context, tenant, name string, scopes []string) (token string, err error) {
	if err := checkName("token", name); err != nil {
		return "", err
	}
	if scopes == nil {
		scopes = []string{}
	}
	token = rand.Text()
	sum := sha256.Sum256([]byte(token))
	_, err = c.pool.Exec(ctx, `INSERT INTO voipd.tokens (hash, tenant, name, scopes) VALUES ($1, $2, $3, $4)`, sum[:], tenant, name, scopes)
	return token, named("add token "+name+" of tenant "+tenant, err)
}

// Tokens lists those of a tenant, edges' too.
func (c *Centre) Tokens(ctx context.Context, tenant string) ([]Token, error) {
	rows, _ := c.pool.Query(ctx, `SELECT tenant, name, coalesce(pbx, ''), scopes, created, coalesce(ends, '0001-01-01Z') FROM voipd.tokens WHERE tenant = $1 ORDER BY name`, tenant)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Token])
	return all, named("list tokens", err)
}

// RevokeToken ends a token at once.
func (c *Centre) RevokeToken(ctx context.Context, tenant, name string) error {
	return c.atLeastOne(ctx, "revoke token "+name+" of tenant "+tenant, `DELETE FROM voipd.tokens WHERE tenant = $1 AND name = $2 RETURNING 1`, tenant, name)
}

// atLeastOne runs a statement that returns a row for each that it changed; none is
// [ErrNotFound].
func (c *Centre) atLeastOne(ctx context.Context, what, statement string, args ...any) error {
	rows, _ := c.pool.Query(ctx, statement, args...)
	changed, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err == nil && len(changed) == 0 {
		err = ErrNotFound
	}
	return named(what, err)
}

// named says what failed. A key that is there already, or one that is missing, has an
// error of its own.
func named(what string, err error) error {
	if err == nil {
		return nil
	}
	if refused := (*pgconn.PgError)(nil); errors.As(err, &refused) {
		switch refused.Code {
		case "23505": // unique_violation
			err = ErrExists
		case "23503": // foreign_key_violation
			err = fmt.Errorf("there is no such tenant: %w", ErrNotFound)
		}
	}
	return fmt.Errorf("%s: %w", what, err)
}
