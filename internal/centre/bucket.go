package centre

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// stamped finds the second at which a call's first channel was made: Asterisk puts it
// before the last point of an id, which may begin with the name of the system; voipd
// does the same in ids of calls that it places.
var stamped = regexp.MustCompile(`(?:^|-)([0-9]{9,10})\.[^.]*$`)

// bucketOf is the partition of a call: the month in which its id was made. It is
// told by the id alone: a correction may move a call's start, and an edge that was
// restored tells it anew, and both must meet the row that is there. Ids that tell no
// time have the first month of 1970.
func bucketOf(callID string) time.Time {
	other := time.Unix(0, 0).UTC()
	found := stamped.FindStringSubmatch(callID)
	if found == nil {
		return other
	}
	seconds, err := strconv.ParseInt(found[1], 10, 64)
	if err != nil {
		return other // it is ten digits
	}
	at := time.Unix(seconds, 0).UTC()
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}

const (
	// monthsAhead is how many partitions are made beyond the current month's.
	monthsAhead = 3
	// monthsBack is how far back they are made as records come. Older records go to
	// records_other: an edge whose ids tell any time must not make hundreds of tables.
	monthsBack = 120
)

// ensureMonths makes partitions that are not there: for the buckets, as far as they
// are neither further ahead than partitions are made, nor further back.
func (c *Centre) ensureMonths(ctx context.Context, buckets []time.Time) error {
	now := c.now().UTC()
	last := time.Date(now.Year(), now.Month()+monthsAhead, 1, 0, 0, 0, 0, time.UTC)
	first := time.Date(now.Year(), now.Month()-monthsBack, 1, 0, 0, 0, 0, time.UTC)
	for _, month := range buckets {
		if month.Before(first) || month.After(last) || c.hasMonth(month) {
			continue
		}
		if _, err := c.pool.Exec(ctx, `SELECT voipd.month($1)`, month); err != nil {
			return fmt.Errorf("make the partition of %s: %w", month.Format("2006-01"), err)
		}
		c.mu.Lock()
		c.months[month] = true
		c.mu.Unlock()
	}
	return nil
}

func (c *Centre) hasMonth(month time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.months[month]
}

// MakeMonths makes the partitions of this month and the next ones. Serve calls it once
// a day.
func (c *Centre) MakeMonths(ctx context.Context) error {
	now := c.now().UTC()
	var all []time.Time
	for i := range monthsAhead + 1 {
		all = append(all, time.Date(now.Year(), now.Month()+time.Month(i), 1, 0, 0, 0, 0, time.UTC))
	}
	return c.ensureMonths(ctx, all)
}
