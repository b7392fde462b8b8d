package ship

import (
	"context"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/store"
)

// compare tells the centre which calls were forgotten, goes through all records, a day at a
// time, and sends those of hours of which the centre has another count or checksum. Between its steps, what changes is sent as
// always: a record that is read later is never older than one that is there.
type compare struct {
	*trip
	told   int64     // change up to which it is told what was forgotten
	all    bool      // that was told
	from   time.Time // where the next day begins; zero: with the first record
	differ []time.Time
	wait   int          // records in these hours
	cursor store.Cursor // in the first of them
	sent   int
}

// step compares a day, or sends one batch of hours that differ, once they fill one.
func (c *compare) step(ctx context.Context) (done bool, err error) {
	if !c.all {
		return false, c.forget(ctx)
	}
	if c.wait >= c.limit {
		return false, c.send(ctx)
	}
	first, _, err := c.opt.Store.Rows(ctx, store.Query{From: c.from, Oldest: true, Limit: 1})
	if err != nil {
		return false, err
	}
	if len(first) == 0 && len(c.differ) > 0 {
		return false, c.send(ctx)
	}
	if len(first) == 0 {
		c.opt.Log.Info("all records were compared with the centre's", "sent", c.sent)
		return true, c.post(ctx, contract.ShipHead{After: c.place.Seq, UpTo: c.place.Seq, Synced: true}, nil)
	}
	day := first[0].StartedAt.Truncate(time.Hour)
	c.from = day.Add(24 * time.Hour)
	there, err := c.getHours(ctx, day, c.from)
	if err != nil {
		return false, err
	}
	here, err := c.hours(ctx, day, c.from)
	if err != nil {
		return false, err
	}
	has := map[time.Time]contract.ShipHour{}
	for _, h := range there.Hours {
		has[h.At.UTC()] = h
	}
	for _, h := range here {
		if has[h.At] != h {
			c.differ, c.wait = append(c.differ, h.At), c.wait+int(h.Count)
		}
	}
	return false, nil
}

// forget tells the next calls that were forgotten: where the centre's place is void, their
// changes may lie before the one behind which shipping goes on.
func (c *compare) forget(ctx context.Context) error {
	list, upTo, err := c.opt.Store.Forgotten(ctx, c.told, contract.MostShipped)
	if err != nil {
		return err
	}
	if c.told = upTo; len(list) == 0 {
		c.all = true
		return nil
	}
	return c.post(ctx, contract.ShipHead{After: c.place.Seq, UpTo: c.place.Seq, Gone: gone(list)}, nil)
}

// hours are what is here of each hour that has records.
func (c *compare) hours(ctx context.Context, from, to time.Time) (all []contract.ShipHour, err error) {
	q := store.Query{From: from, To: to, Oldest: true, Limit: 1000}
	for more := true; more; {
		var rows []store.Row
		if rows, more, err = c.opt.Store.Rows(ctx, q); err != nil {
			return nil, err
		}
		for i := range rows {
			text, err := line(&rows[i])
			if err != nil {
				continue // sending it tells
			}
			at := rows[i].StartedAt.Truncate(time.Hour)
			if len(all) == 0 || !all[len(all)-1].At.Equal(at) {
				all = append(all, contract.ShipHour{At: at})
			}
			all[len(all)-1].Count++
			all[len(all)-1].Sum += contract.ShipSum(text)
			q.After = store.Cursor{StartedAt: rows[i].StartedAt, CallID: rows[i].CallID}
		}
	}
	return all, nil
}

// send sends the next records of the hours that differ, as one batch.
func (c *compare) send(ctx context.Context) error {
	var rows []store.Row
	for len(c.differ) > 0 && len(rows) < c.limit {
		some, more, err := c.opt.Store.Rows(ctx, store.Query{From: c.differ[0], To: c.differ[0].Add(time.Hour), Oldest: true, Limit: c.limit - len(rows), After: c.cursor})
		if err != nil {
			return err
		}
		rows = append(rows, some...)
		if more {
			last := some[len(some)-1]
			c.cursor = store.Cursor{StartedAt: last.StartedAt, CallID: last.CallID}
		} else {
			c.differ, c.cursor = c.differ[1:], store.Cursor{}
		}
	}
	if c.wait -= len(rows); len(c.differ) == 0 {
		c.wait = 0 // some were corrected meanwhile, or erased
	}
	if len(rows) == 0 {
		return nil
	}
	c.sent += len(rows)
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = rows[i].CallID
	}
	merged, err := c.opt.Store.Merged(ctx, ids)
	if err != nil {
		return err
	}
	return c.post(ctx, contract.ShipHead{After: c.place.Seq, UpTo: c.place.Seq, Gone: gone(merged)}, rows)
}
