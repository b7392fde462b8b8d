package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// momentExamples are told where a time cannot be read.
const momentExamples = `is no time; such are "2026-11-26T03:11:33Z", "2026-11-26", "2026-11-26 03:11", "1795366192", "-24h", "-7d", "today" and "yesterday"`

// readMoment reads a time as people write it.
func readMoment(text string, now time.Time, zone *time.Location) (time.Time, error) {
	text = strings.TrimSpace(text)
	now = now.In(zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	switch strings.ToLower(text) {
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	if ago, ok := strings.CutPrefix(text, "-"); ok {
		return readAgo(ago, now)
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "0123456789.") == "" && len(text) >= 9 && len(text) <= 14 {
		return time.UnixMilli(int64(seconds * 1000)), nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04", time.DateOnly} {
		// A blank may stand for the T, and a plus for the blank of a form.
		for _, as := range []string{text, strings.Replace(text, " ", "T", 1), strings.Replace(text, "+", "T", 1)} {
			if t, err := time.ParseInLocation(layout, as, zone); err == nil {
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%q %s", text, momentExamples)
}

// longestAgo bounds a time ago: longer ones would not fit a duration.
const longestAgo = 36500

// readAgo reads how long ago, as "24h" or "7d".
func readAgo(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= longestAgo {
			return now.AddDate(0, 0, -n), nil
		}
	}
	ago, err := time.ParseDuration(text)
	if err != nil || ago < 0 {
		return time.Time{}, fmt.Errorf("%q %s", "-"+text, momentExamples)
	}
	return now.Add(-ago), nil
}
