package centre

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/store"
)

// forgetStep is how many calls are erased in one transaction.
const forgetStep = 500

// Forget erases every call of a tenant that a number has a part in, and keeps keyed hashes of the
// calls, so that no batch brings them back: not that of an edge that was away, nor
// that of one restored from a backup. It tells how many. It may be cut anywhere and done again.
// What the edges themselves have is forgotten there (voipd forget).
func (c *Centre) Forget(ctx context.Context, tenant, number string) (calls int, err error) {
	digits, err := store.Digits(number)
	if err != nil {
		return 0, err
	}
	in := regexp.MustCompile(`(?:^|[^0-9])(?:00)?` + digits + `(?:[^0-9]|$)`) // it is digits
	after := key{}
	for {
		n, next, err := c.forgetSome(ctx, tenant, digits, in, after)
		if err != nil {
			return calls, fmt.Errorf("forget a number of %s: %w", tenant, err)
		}
		calls += n
		if next == (key{}) {
			return calls, nil
		}
		after = next
	}
}

// key is the place of a record in its table.
type key struct {
	callID, pbx string
	bucket      time.Time
}

// forgetSome erases what of the next calls behind a place has the number; next is
// zero where these were the last ones.
func (c *Centre) forgetSome(ctx context.Context, tenant, digits string, in *regexp.Regexp, after key) (n int, next key, err error) {
	err = c.inTenant(ctx, tenant, func(tx pgx.Tx) error {
		var pepper []byte
		// A batch takes the same lock before it looks at what is forgotten.
		if err := tx.QueryRow(ctx, `SELECT pepper FROM voipd.tenants WHERE tenant = $1 FOR UPDATE`, tenant).Scan(&pepper); err != nil {
			return err
		}
		// A hit is looked at as the edge does: the number stands there as a whole.
		rows, _ := tx.Query(ctx, `SELECT call_id, pbx, bucket, concat_ws(' ', src_phone, src_phone_ext, dst_phone, dst_phone_ext, details, recordings) FROM voipd.records
			WHERE tenant = $1 AND (call_id, pbx) > ($3, $4) AND strpos(concat_ws(' ', src_phone, src_phone_ext, dst_phone, dst_phone_ext, details, recordings), $2) > 0
			ORDER BY call_id, pbx LIMIT $5`, tenant, digits, after.callID, after.pbx, forgetStep)
		var k key
		var text string
		var erased []gone
		var ids, pbxs []string
		var buckets []time.Time
		var hashes [][]byte
		seen := 0
		_, err := pgx.ForEachRow(rows, []any{&k.callID, &k.pbx, &k.bucket, &text}, func() error {
			seen++
			if in.MatchString(text) {
				erased = append(erased, gone{pbx: k.pbx, callID: k.callID})
				ids, pbxs, buckets, hashes = append(ids, k.callID), append(pbxs, k.pbx), append(buckets, k.bucket), append(hashes, hashCall(pepper, k.pbx, k.callID))
			}
			return nil
		})
		if err != nil {
			return err
		}
		if n = len(ids); seen == forgetStep {
			next = k
		}
		if err := putForgotten(ctx, tx, tenant, hashes); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM voipd.records r USING unnest($2::text[], $3::text[], $4::date[]) AS gone (call_id, pbx, bucket)
			WHERE r.tenant = $1 AND r.call_id = gone.call_id AND r.pbx = gone.pbx AND r.bucket = gone.bucket`, tenant, ids, pbxs, buckets)
		if err != nil {
			return err
		}
		return c.tellGone(ctx, tx, tenant, erased)
	})
	return n, next, err
}
