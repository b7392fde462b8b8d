package centre

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
)

// checkGone refuses what the tables cannot hold. The rest is left in the order of its ids.
func (b *batch) checkGone() {
	b.head.Gone = slices.DeleteFunc(b.head.Gone, func(g contract.Gone) bool {
		err := errors.Join(checkID(g.CallID), checkID(cmp.Or(g.Into, g.CallID)))
		if err != nil {
			b.refused = append(b.refused, contract.Refused{CallID: g.CallID, Why: err.Error()})
		}
		return err != nil
	})
	slices.SortFunc(b.head.Gone, func(x, y contract.Gone) int { return cmp.Compare(x.CallID, y.CallID) })
}

func checkID(callID string) error {
	switch {
	case callID == "" || len(callID) > 256:
		return errors.New("it has no call id, or one of more than 256 bytes")
	case strings.ContainsRune(callID, 0):
		return errors.New("one of its texts has a zero byte")
	}
	return nil
}

// eraseGone erases the calls of the PBX that its edge has no more. A forgotten one never comes
// back. One that went into another may: the edge's later batches say what it is. A record
// that says itself that its call went into another stays.
func (c *Centre) eraseGone(ctx context.Context, tx pgx.Tx, of edge, b *batch) error {
	n := len(b.head.Gone)
	if n == 0 {
		return nil
	}
	var pepper []byte
	if err := tx.QueryRow(ctx, `SELECT pepper FROM voipd.tenants WHERE tenant = $1 FOR UPDATE`, of.tenant).Scan(&pepper); err != nil {
		return fmt.Errorf("erase calls that are gone: %w", err)
	}
	ids, intos, buckets := make([]string, n), make([]string, n), make([]time.Time, n)
	var forgotten [][]byte
	for i, g := range b.head.Gone {
		ids[i], intos[i], buckets[i] = g.CallID, g.Into, bucketOf(g.CallID)
		if g.Into == "" {
			forgotten = append(forgotten, hashCall(pepper, of.pbx, g.CallID))
		}
	}
	if err := putForgotten(ctx, tx, of.tenant, forgotten); err != nil {
		return err
	}
	rows, _ := tx.Query(ctx, `DELETE FROM voipd.records r USING unnest($3::text[], $4::date[], $5::text[]) AS g (call_id, bucket, into_id)
		WHERE r.tenant = $1 AND r.pbx = $2 AND r.call_id = g.call_id AND r.bucket = g.bucket
		AND (g.into_id = '' OR strpos(r.details, '"mergedInto":') = 0 AND r.revision < $6) RETURNING r.call_id, g.into_id`,
		of.tenant, of.pbx, ids, buckets, intos, b.head.Batch)
	erased, err := pgx.CollectRows(rows, func(from pgx.CollectableRow) (g gone, err error) {
		g.pbx = of.pbx
		return g, from.Scan(&g.callID, &g.into)
	})
	if err != nil {
		return fmt.Errorf("erase calls that are gone: %w", err)
	}
	return c.tellGone(ctx, tx, of.tenant, erased)
}

// gone is a record that went, at its place among the changes.
type gone struct {
	pbx, callID, into string
	change            int64
	at                time.Time
}

// tellGone gives records that went their places among the changes.
func (c *Centre) tellGone(ctx context.Context, tx pgx.Tx, tenant string, list []gone) error {
	if len(list) == 0 {
		return nil
	}
	var first int64
	if err := tx.QueryRow(ctx, `UPDATE voipd.tenants SET changes = changes + $2 WHERE tenant = $1 RETURNING changes - $2 + 1`, tenant, len(list)).Scan(&first); err != nil {
		return fmt.Errorf("number the changes: %w", err)
	}
	var ids, pbxs, intos []string
	for _, g := range list {
		ids, pbxs, intos = append(ids, g.callID), append(pbxs, g.pbx), append(intos, g.into)
	}
	_, err := tx.Exec(ctx, `INSERT INTO voipd.gone (tenant, change, pbx, call_id, into_id, at)
		SELECT $1, $2 + u.n - 1, u.pbx, u.call_id, u.into_id, $6 FROM unnest($3::text[], $4::text[], $5::text[]) WITH ORDINALITY AS u (pbx, call_id, into_id, n)`,
		tenant, first, pbxs, ids, intos, c.now())
	if err != nil {
		return fmt.Errorf("tell which calls are gone: %w", err)
	}
	return nil
}

// putForgotten keeps the hashes of calls that never come back.
func putForgotten(ctx context.Context, tx pgx.Tx, tenant string, calls [][]byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO voipd.forgotten (tenant, call) SELECT $1, h FROM unnest($2::bytea[]) AS h ON CONFLICT DO NOTHING`, tenant, calls)
	if err != nil {
		return fmt.Errorf("note what is forgotten: %w", err)
	}
	return nil
}

// goneBehind lists what went behind a place.
func goneBehind(ctx context.Context, tx pgx.Tx, tenant string, after int64, limit int) ([]gone, error) {
	rows, _ := tx.Query(ctx, `SELECT pbx, call_id, into_id, change, at FROM voipd.gone WHERE tenant = $1 AND change > $2 ORDER BY change LIMIT $3`, tenant, after, limit)
	return pgx.CollectRows(rows, func(from pgx.CollectableRow) (g gone, err error) {
		return g, from.Scan(&g.pbx, &g.callID, &g.into, &g.change, &g.at)
	})
}
