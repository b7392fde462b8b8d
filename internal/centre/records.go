package centre

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// shownColumns are those of a [Row].
const shownColumns = `pbx, call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, details, recordings`

// list reads rows of shownColumns.
func list(from pgx.CollectableRow) (store.Row, error) { return scan(from) }

// scan reads a row of shownColumns and those behind.
func scan(from pgx.CollectableRow, behind ...any) (r store.Row, err error) {
	var recordings string
	err = from.Scan(append([]any{&r.PBX, &r.CallID, &r.StartedAt, (*string)(&r.Direction), (*string)(&r.Disposition), &r.SrcPhone, &r.SrcPhoneExt, &r.DstPhone, &r.DstPhoneExt,
		&r.Duration, &r.Text, &recordings}, behind...)...)
	if err != nil {
		return r, err
	}
	r.StartedAt = r.StartedAt.UTC()
	r.Recordings, err = readRecordings(recordings)
	return r, err
}

// readRecordings reads what readRow wrote.
func readRecordings(text string) (out []record.Recording, err error) {
	if text == "" {
		return nil, nil
	}
	var all []contract.Recording
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		return nil, fmt.Errorf("read recordings: %w", err)
	}
	for _, rec := range all {
		out = append(out, record.Recording{ID: rec.ID, Path: rec.Path, At: rec.At.UTC(), State: record.RecordingState(rec.State), Bytes: rec.Bytes, MS: rec.MS, Talk: rec.Talk, Found: rec.Found})
	}
	return out, nil
}

// Rows lists records of a tenant, as [store.CallRecords.Rows] does those of one PBX.
func (c *Centre) Rows(ctx context.Context, tenant string, q store.Query) (all []store.Row, more bool, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	where, args := conditions(tenant, &q, true)
	order := "DESC"
	if q.Oldest {
		order = "ASC"
	}
	args = append(args, q.Limit+1)
	query := fmt.Sprintf(`SELECT %s FROM voipd.records WHERE %s ORDER BY started_at %s, call_id %[3]s, pbx %[3]s LIMIT $%[4]d`, shownColumns, where, order, len(args))
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, query, args...)
		all, err = pgx.CollectRows(rows, list)
		return err
	})
	if err != nil {
		return nil, false, fmt.Errorf("list records of %s: %w", tenant, err)
	}
	if len(all) > q.Limit {
		all, more = all[:q.Limit], true
	}
	return all, more, nil
}

// Count counts what fits a query, up to most.
func (c *Centre) Count(ctx context.Context, tenant string, q store.Query, most int) (n int, more bool, err error) {
	where, args := conditions(tenant, &q, false)
	args = append(args, most+1)
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, fmt.Sprintf(`SELECT count(*) FROM (SELECT 1 FROM voipd.records WHERE %s LIMIT $%d) AS found`, where, len(args)), args...).Scan(&n)
	})
	if err != nil {
		return 0, false, fmt.Errorf("count records of %s: %w", tenant, err)
	}
	return min(n, most), n > most, nil
}

// clauses collect conditions and their arguments.
type clauses struct {
	where []string
	args  []any
}

// and adds a condition; $ in it stands for the value. No text of the table has a zero
// byte, which PostgreSQL does not take.
func (s *clauses) and(condition string, value any) {
	switch v := value.(type) {
	case string:
		value = strings.ReplaceAll(v, "\x00", "\uFFFD")
	case []string:
		value = strings.Split(strings.ReplaceAll(strings.Join(v, keySeparator), "\x00", "\uFFFD"), keySeparator)
	}
	s.args = append(s.args, value)
	s.where = append(s.where, strings.ReplaceAll(condition, "$", fmt.Sprintf("$%d", len(s.args))))
}

// conditions are those of a query. The tenant is among them though row-level
// security holds: it is the first column of each index.
func conditions(tenant string, q *store.Query, page bool) (where string, args []any) {
	s := &clauses{}
	s.and(`tenant = $`, tenant)
	if !q.From.IsZero() {
		s.and(`started_at >= $`, q.From)
	}
	if !q.To.IsZero() {
		s.and(`started_at < $`, q.To)
	}
	if len(q.PBXs) > 0 {
		s.and(`pbx = ANY ($)`, q.PBXs)
	}
	if q.CallID != "" {
		s.and(`call_id = $`, q.CallID)
		s.and(`bucket = $`, bucketOf(q.CallID))
	}
	if q.MinDuration > 0 {
		s.and(`duration >= $`, q.MinDuration)
	}
	s.find(q)
	if page && q.After.CallID != "" {
		s.behind(q)
	}
	return strings.Join(s.where, " AND "), s.args
}

func (s *clauses) find(q *store.Query) {
	c := q.Criteria()
	if len(c.All) > 0 {
		s.and(`keys @> $`, textKeys(c.All))
	}
	for _, keys := range c.Any {
		s.and(`keys && $`, textKeys(keys))
	}
	if len(c.None) > 0 {
		s.and(`NOT keys && $`, textKeys(c.None))
	}
	if c.Number != "" {
		s.and(`strpos(numbers, $) > 0`, c.Number)
	}
	if c.Name != "" {
		s.and(`strpos(name, $) > 0`, c.Name)
	}
}

func textKeys(keys []string) []string {
	out := slices.Clone(keys)
	for i := range out {
		out[i] = textKey(out[i])
	}
	return out
}

// behind leaves what comes after a cursor, in the order of the list.
func (s *clauses) behind(q *store.Query) {
	than := "<"
	if q.Oldest {
		than = ">"
	}
	at := q.After.StartedAt.Truncate(time.Millisecond)
	s.args = append(s.args, at, q.After.CallID, q.After.PBX)
	n := len(s.args)
	s.where = append(s.where, fmt.Sprintf(`(started_at, call_id, pbx) %s ($%d, $%d, $%d)`, than, n-2, n-1, n))
}
