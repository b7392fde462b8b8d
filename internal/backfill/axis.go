package backfill

import (
	"fmt"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// axis is how a column of a database keeps times. A date and a time of day is
// put on the axis as if its zone were UTC, so that stretches of it neither
// overlap nor leave holes where the clock is set.
type axis struct {
	zone *time.Location         // of dates; nil where values are moments
	bind func(at time.Time) any // a place on the axis as the column keeps it
	read func(string) (time.Time, error)
}

// newAxis tells the axis by one value of the column.
func newAxis(v any, zoned bool, zone *time.Location) (axis, error) {
	if zone == nil {
		zone = time.UTC
	}
	a := axis{read: func(s string) (time.Time, error) { return when(s, time.UTC) }}
	if _, err := a.read(text(v, zoned)); err != nil {
		return a, fmt.Errorf("the column of times: %w", err)
	}
	switch v := v.(type) {
	case time.Time:
		if !zoned {
			a.zone = zone
		}
		a.bind = func(at time.Time) any { return at }
	case int64, float64:
		a.bind = func(at time.Time) any { return float64(at.UnixMicro()) / 1e6 }
	default:
		s := text(v, zoned)
		if whole, _, _ := strings.Cut(s, "."); record.Digits(whole) {
			a.bind = func(at time.Time) any { return fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000) }
			break
		}
		form := time.DateTime
		if len(s) > len(time.DateOnly) && s[len(time.DateOnly)] == 'T' {
			form = "2006-01-02T15:04:05"
		}
		if _, err := time.Parse(time.RFC3339, s); err != nil {
			a.zone = zone
		}
		a.bind = func(at time.Time) any { return at.Format(form) }
	}
	return a, nil
}

// place puts a moment on the axis, rounded down to a second.
func (a axis) place(at time.Time) time.Time {
	at = at.Truncate(time.Second)
	if a.zone == nil {
		return at.UTC()
	}
	at = at.In(a.zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
}
