package centre

import (
	"context"

	"github.com/voipd/voipd/store"
)

// WithoutRole makes transactions have the role of the DSN, for which, as it is a
// superuser's in tests, row-level security does not hold.
func (c *Centre) WithoutRole() { c.role = "" }

// Told are the changes of a tenant behind a place.
func (c *Centre) Told(ctx context.Context, tenant string, after int64, limit int) ([]store.Change, error) {
	return c.changes(ctx, tenant, after, limit)
}
