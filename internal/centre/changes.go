package centre

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// The change log of a tenant is its records in the order of their latest change: each
// stands there once, as it is now. Calls that are gone stand between them.

// changed is a record at its place.
type changed struct {
	row    store.Row
	change int64
	first  int64
}

func changedRows(ctx context.Context, tx pgx.Tx, tenant string, after int64, limit int) ([]changed, error) {
	rows, _ := tx.Query(ctx, `SELECT `+shownColumns+`, change, first FROM voipd.records WHERE tenant = $1 AND change > $2 ORDER BY change LIMIT $3`, tenant, after, limit)
	return pgx.CollectRows(rows, func(from pgx.CollectableRow) (r changed, err error) {
		r.row, err = scan(from, &r.change, &r.first)
		return r, err
	})
}

// changes are the events that told what is behind a place.
func (c *Centre) changes(ctx context.Context, tenant string, after int64, limit int) (out []store.Change, err error) {
	var rows []changed
	var went []gone
	err = c.atOnce(ctx, tenant, func(tx pgx.Tx) error { // else one would be passed that comes between
		if rows, err = changedRows(ctx, tx, tenant, after, limit); err == nil {
			went, err = goneBehind(ctx, tx, tenant, after, limit)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list changes of %s: %w", tenant, err)
	}
	for len(out) < limit && len(rows)+len(went) > 0 {
		var event store.Change
		if len(went) == 0 || len(rows) > 0 && rows[0].change < went[0].change {
			event, err = tellsRecord(&rows[0])
			rows = rows[1:]
		} else {
			event, err = tellsGone(&went[0])
			went = went[1:]
		}
		if err != nil {
			return nil, fmt.Errorf("list changes of %s: %w", tenant, err)
		}
		out = append(out, event)
	}
	return out, nil
}

func tellsRecord(c *changed) (store.Change, error) {
	r, err := c.row.Whole()
	if err != nil {
		return store.Change{}, err
	}
	kind := contract.RecordCorrected
	if c.first == c.change {
		kind = contract.RecordCreated
	}
	body, err := contract.RecordBody(&r)
	if err != nil {
		return store.Change{}, fmt.Errorf("write %s: %w", r.CallID, err)
	}
	at := r.Details.EndedAt
	if at.IsZero() {
		at = r.Details.StartedAt
	}
	return store.Change{Seq: c.change, At: at, Kind: kind, CallID: r.CallID, Body: body}, nil
}

func tellsGone(g *gone) (store.Change, error) {
	kind := contract.CallMerged
	if g.into == "" {
		kind = contract.RecordErased
	}
	body, err := contract.Encode(contract.Body{Call: contract.EventCall{CallID: g.callID, PBX: g.pbx, Into: g.into}})
	if err != nil {
		return store.Change{}, fmt.Errorf("write %s: %w", g.callID, err)
	}
	return store.Change{Seq: g.change, At: g.at.UTC(), Kind: kind, CallID: g.callID, Body: body}, nil
}

// changedRecords are the records behind a place; next is the place behind them.
func (c *Centre) changedRecords(ctx context.Context, tenant string, after int64, limit int) (list []record.Record, next int64, err error) {
	var rows []changed
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		rows, err = changedRows(ctx, tx, tenant, after, limit)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("list changes of %s: %w", tenant, err)
	}
	next = after
	for i := range rows {
		r, err := rows[i].row.Whole()
		if err != nil {
			return nil, 0, fmt.Errorf("list changes of %s: %w", tenant, err)
		}
		list, next = append(list, r), rows[i].change
	}
	return list, next, nil
}

// span is the tenant's part of the change log: nothing of it is pruned.
func (c *Centre) span(ctx context.Context, tenant string) (s store.Span, err error) {
	s.First = 1
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `SELECT changes FROM voipd.tenants WHERE tenant = $1`, tenant).Scan(&s.Last)
	})
	if err != nil {
		return s, fmt.Errorf("read the span of changes of %s: %w", tenant, err)
	}
	return s, nil
}

// instance names the change log of a tenant, in the ids of its events.
func (c *Centre) instance(ctx context.Context, tenant string) (name string, err error) {
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		var pepper []byte
		if err := tx.QueryRow(ctx, `SELECT pepper FROM voipd.tenants WHERE tenant = $1`, tenant).Scan(&pepper); err != nil {
			return err
		}
		mac := hmac.New(sha256.New, pepper)
		mac.Write([]byte("instance"))
		name = hex.EncodeToString(mac.Sum(nil)[:6])
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("read the name of %s's changes: %w", tenant, err)
	}
	return name, nil
}

// silentAfter is how long an edge may say nothing: it says something each half minute.
const silentAfter = 2 * time.Minute

// PBXs lists those of a tenant.
func (c *Centre) PBXs(ctx context.Context, tenant string) (list []contract.PBX, err error) {
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT pbx, waiting, coalesce(oldest, '0001-01-01Z'), coalesce(seen, '0001-01-01Z'), sync, version FROM voipd.pbxs WHERE tenant = $1 ORDER BY pbx`, tenant)
		list, err = pgx.CollectRows(rows, func(from pgx.CollectableRow) (p contract.PBX, err error) {
			err = from.Scan(&p.Name, &p.Waiting, &p.Oldest, &p.LastSeen, &p.Comparing, &p.Version)
			p.Oldest, p.LastSeen = p.Oldest.UTC(), p.LastSeen.UTC()
			p.State = c.stateOf(&p)
			return p, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list PBXs of %s: %w", tenant, err)
	}
	return list, nil
}

func (c *Centre) stateOf(p *contract.PBX) string {
	switch {
	case p.LastSeen.IsZero():
		return contract.PBXNew
	case c.now().Sub(p.LastSeen) > silentAfter:
		return contract.PBXSilent
	case p.Waiting > 0 || p.Comparing:
		return contract.PBXBehind
	}
	return contract.PBXCurrent
}
