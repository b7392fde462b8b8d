package centre

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
)

// bearer is a token as a request has it; empty: none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// token looks up what a token may do, by its hash. It is [ErrNotFound] where there is none
// of it, or where it has ended.
func (c *Centre) token(ctx context.Context, hash [sha256.Size]byte) (t Token, err error) {
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('role', coalesce(nullif($1, ''), current_user), true)`, c.role); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT tenant, name, coalesce(pbx, ''), scopes FROM voipd.token($1)`, hash[:]).Scan(&t.Tenant, &t.Name, &t.PBX, &t.Scopes)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return t, fmt.Errorf("look a token up: %w", err)
	}
	return t, nil
}

// join uses a code up and makes its machine an edge. It is [ErrNotFound] where there is no such
// code, or where it was used or has expired.
func (c *Centre) join(ctx context.Context, code string) (j contract.Joined, err error) {
	j.Token = rand.Text()
	used, fresh := sha256.Sum256([]byte(code)), sha256.Sum256([]byte(j.Token))
	err = pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('role', coalesce(nullif($1, ''), current_user), true)`, c.role); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT tenant, pbx FROM voipd.enrol($1, $2)`, used[:], fresh[:]).Scan(&j.Tenant, &j.PBX)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return contract.Joined{}, fmt.Errorf("join by a code: %w", err)
	}
	return j, nil
}
