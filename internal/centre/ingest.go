package centre

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/contract"
)

// edge is whose batches a token lets in.
type edge struct{ tenant, pbx string }

// errPlace says that a batch does not follow on what is there: its edge has to look at
// its place, and go on from there.
var errPlace = errors.New("the batch does not follow on the one before")

func (b *batch) sort() {
	slices.SortFunc(b.rows, func(x, y row) int { return cmp.Compare(x.CallID, y.CallID) })
}

// ingest writes a batch and the place of its edge in one transaction. When it returns
// nil, both are on the disk. A batch that is there already changes nothing, and one
// that would leave a hole is errPlace; place is what is there after all.
func (c *Centre) ingest(ctx context.Context, of edge, b *batch) (place contract.Place, err error) {
	if err := c.ensureMonths(ctx, b.buckets()); err != nil {
		return place, err
	}
	err = c.inTenant(ctx, of.tenant, func(tx pgx.Tx) error {
		if place, err = readPlace(ctx, tx, of, " FOR UPDATE"); err != nil {
			return err
		}
		if b.head.Batch <= place.Batch {
			return nil // it is there; the answer to it was lost
		}
		follows := b.head.Begin || b.head.Instance == place.Instance && b.head.After == place.Seq
		if b.head.Batch != place.Batch+1 || !follows || b.head.UpTo < b.head.After {
			return errPlace
		}
		if err := putRows(ctx, tx, of, b); err != nil {
			return err
		}
		if err := c.eraseGone(ctx, tx, of, b); err != nil {
			return err
		}
		place = placeAfter(place, &b.head)
		return putPlace(ctx, tx, of, place, &b.head, c.now())
	})
	if err != nil && !errors.Is(err, errPlace) {
		return place, fmt.Errorf("write batch %d of %s/%s: %w", b.head.Batch, of.tenant, of.pbx, err)
	}
	place.Refused = b.refused
	return place, err
}

// placeAfter is the place behind a batch. One that begins makes the edge compare all
// records with what is here, until it says that it has.
func placeAfter(p contract.Place, head *contract.ShipHead) contract.Place {
	p.Batch, p.ID, p.Instance = head.Batch, head.ID, head.Instance
	if head.Begin || head.UpTo > head.After {
		p.Seq, p.Mark = head.UpTo, head.Mark
	}
	p.Sync = (p.Sync || head.Begin) && !head.Synced
	return p
}

func readPlace(ctx context.Context, tx pgx.Tx, of edge, lock string) (p contract.Place, err error) {
	p.PBX = of.pbx
	err = tx.QueryRow(ctx, `SELECT batch, id, instance, seq, mark, sync FROM voipd.pbxs WHERE tenant = $1 AND pbx = $2`+lock, of.tenant, of.pbx).
		Scan(&p.Batch, &p.ID, &p.Instance, &p.Seq, &p.Mark, &p.Sync)
	if err != nil {
		return p, fmt.Errorf("read the place of %s: %w", of.pbx, err)
	}
	return p, nil
}

func putPlace(ctx context.Context, tx pgx.Tx, of edge, p contract.Place, head *contract.ShipHead, now time.Time) error {
	var oldest *time.Time
	if !head.Oldest.IsZero() {
		oldest = &head.Oldest
	}
	_, err := tx.Exec(ctx, `UPDATE voipd.pbxs SET batch = $3, instance = $4, seq = $5, mark = $6, sync = $7, seen = $8, waiting = $9, oldest = $10, version = $11, id = $12
		WHERE tenant = $1 AND pbx = $2`, of.tenant, of.pbx, p.Batch, p.Instance, p.Seq, p.Mark, p.Sync, now, head.Waiting, oldest, head.Version, p.ID)
	if err != nil {
		return fmt.Errorf("write the place of %s: %w", of.pbx, err)
	}
	return nil
}

// putRows writes the records of a batch over those of the same calls. A call that was
// forgotten does not come back, and a record stays that is of a better source: an edge
// that was restored may know a call by CDR alone that it once watched.
func putRows(ctx context.Context, tx pgx.Tx, of edge, b *batch) error {
	if len(b.rows) == 0 {
		return nil
	}
	var first int64
	var pepper []byte
	err := tx.QueryRow(ctx, `UPDATE voipd.tenants SET changes = changes + $2 WHERE tenant = $1 RETURNING changes - $2 + 1, pepper`, of.tenant, len(b.rows)).Scan(&first, &pepper)
	if err != nil {
		return fmt.Errorf("number the changes: %w", err)
	}
	if _, err := tx.Exec(ctx, upsert, columnsOf(of, b, first, pepper)...); err != nil {
		return fmt.Errorf("write records: %w", err)
	}
	return nil
}

const upsert = `
INSERT INTO voipd.records (tenant, pbx, bucket, call_id, revision, change, first, rank, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext,
	duration, details, recordings, sum, keys, numbers, name)
SELECT $1, $2, u.bucket, u.call_id, $3, u.change, u.change, u.rank, u.started_at, u.direction, u.disposition, u.src_phone, u.src_phone_ext, u.dst_phone, u.dst_phone_ext,
	u.duration, u.details, u.recordings, u.sum, string_to_array(u.keys, E'\x1f'), u.numbers, u.name
FROM unnest($4::bytea[], $5::date[], $6::text[], $7::bigint[], $8::integer[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
	$16::integer[], $17::text[], $18::text[], $19::bigint[], $20::text[], $21::text[], $22::text[])
	AS u (hash, bucket, call_id, change, rank, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, details, recordings, sum, keys, numbers, name)
WHERE NOT EXISTS (SELECT 1 FROM voipd.forgotten f WHERE f.tenant = $1 AND f.call = u.hash)
ON CONFLICT (tenant, call_id, pbx, bucket) DO UPDATE SET
	revision = excluded.revision, change = excluded.change, rank = excluded.rank, started_at = excluded.started_at, direction = excluded.direction,
	disposition = excluded.disposition, src_phone = excluded.src_phone, src_phone_ext = excluded.src_phone_ext, dst_phone = excluded.dst_phone,
	dst_phone_ext = excluded.dst_phone_ext, duration = excluded.duration, details = excluded.details, recordings = excluded.recordings,
	sum = excluded.sum, keys = excluded.keys, numbers = excluded.numbers, name = excluded.name
WHERE records.revision < excluded.revision AND excluded.rank <= records.rank`

// columnsOf are the arguments of upsert: COPY is refused where row-level security
// holds, so each column is one array.
func columnsOf(of edge, b *batch, first int64, pepper []byte) []any {
	n := len(b.rows)
	hash, bucket, started := make([][]byte, n), make([]time.Time, n), make([]time.Time, n)
	change, sum := make([]int64, n), make([]int64, n)
	rank, duration := make([]int32, n), make([]int32, n)
	var text [12][]string
	for i := range text {
		text[i] = make([]string, n)
	}
	for i := range b.rows {
		r := &b.rows[i]
		hash[i], bucket[i], started[i] = hashCall(pepper, of.pbx, r.CallID), bucketOf(r.CallID), r.StartedAt
		change[i], sum[i], rank[i], duration[i] = first+int64(i), r.sum, int32(r.record.Rank()), int32(r.Duration)
		for at, value := range []string{r.CallID, string(r.Direction), string(r.Disposition), r.SrcPhone, r.SrcPhoneExt, r.DstPhone, r.DstPhoneExt,
			r.Text, r.recordings, strings.Join(r.found.Keys, keySeparator), r.found.Numbers, r.found.Name} {
			text[at][i] = value
		}
	}
	return []any{of.tenant, of.pbx, b.head.Batch, hash, bucket, text[0], change, rank, started, text[1], text[2], text[3], text[4], text[5], text[6],
		duration, text[7], text[8], sum, text[9], text[10], text[11]}
}

// hashCall is what is kept of a call that was forgotten.
func hashCall(pepper []byte, pbx, callID string) []byte {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(pbx + "/" + callID))
	return mac.Sum(nil)
}
