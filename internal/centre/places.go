package centre

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
)

// place is how far the records of an edge are here.
func (c *Centre) place(ctx context.Context, of edge) (p contract.Place, err error) {
	err = c.inTenant(ctx, of.tenant, func(tx pgx.Tx) error {
		p, err = readPlace(ctx, tx, of, "")
		return err
	})
	return p, err
}

// hours are what is here of an edge, by hours.
func (c *Centre) hours(ctx context.Context, of edge, from, to time.Time) (out contract.ShipHours, err error) {
	out.Hours = []contract.ShipHour{}
	err = c.inTenant(ctx, of.tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT date_trunc('hour', started_at, 'UTC') AS hour, count(*), sum(sum)::bigint FROM voipd.records
			WHERE tenant = $1 AND pbx = $2 AND started_at >= $3 AND started_at < $4 GROUP BY hour ORDER BY hour`, of.tenant, of.pbx, from, to)
		all, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (h contract.ShipHour, err error) {
			err = r.Scan(&h.At, &h.Count, &h.Sum)
			h.At = h.At.UTC()
			return h, err
		})
		out.Hours = append(out.Hours, all...)
		return err
	})
	if err != nil {
		return out, fmt.Errorf("count the records of %s/%s: %w", of.tenant, of.pbx, err)
	}
	return out, nil
}
