package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

// TestMissedOf: each row is a person's calls, the oldest first, a letter each, a
// minute apart: m missed, t tried in vain, a answered (in) and r returned (out), both
// for ten seconds, L answered for five minutes.
func TestMissedOf(t *testing.T) {
	for _, row := range []struct {
		calls       string
		dismissed   int // up to which of them; 0: none
		open, tries int
		last        string
	}{
		{calls: ""},
		{calls: "a"},
		{calls: "t"},
		{calls: "m", open: 1, last: "m1"},
		{calls: "mmm", open: 3, last: "m3"},
		{calls: "ma"},
		{calls: "mr"},
		{calls: "mmr"},
		{calls: "mrm", open: 1, last: "m3"},
		{calls: "amm", open: 2, last: "m3"},
		{calls: "mtt", open: 1, tries: 2, last: "m1"},
		{calls: "mtm", open: 2, last: "m3"},
		{calls: "tm", open: 1, last: "m2"},
		{calls: "Lm"}, // they talk while the second call comes
		{calls: "Lmttttm", open: 1, last: "m7"},
		{calls: "m", dismissed: 1},
		{calls: "mm", dismissed: 1, open: 1, last: "m2"},
		{calls: "mmtm", dismissed: 2, open: 1, last: "m4"},
		{calls: "mt", dismissed: 1},
	} {
		begin := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
		at := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
		var calls []record.Contact
		for i, kind := range row.calls {
			c := record.Contact{CallID: string(kind) + string(rune('1'+i)), At: at(i + 1), Direction: record.In, Disposition: record.NoAnswer}
			c.Until = c.At
			switch kind {
			case 'a', 'r':
				c.Disposition, c.Until = record.Answered, c.At.Add(10*time.Second)
			case 'L':
				c.Disposition, c.Until = record.Answered, c.At.Add(5*time.Minute)
			}
			if kind == 'r' || kind == 't' {
				c.Direction = record.Out
			}
			calls = append([]record.Contact{c}, calls...)
		}
		var dismissed time.Time
		if row.dismissed > 0 {
			dismissed = at(row.dismissed)
		}
		m := record.MissedOf(calls, dismissed)
		if m.Calls != row.open || m.Tries != row.tries || m.LastID != row.last {
			t.Errorf("%q, dismissed up to %d: %+v, want %d calls, the last %q, and %d tries", row.calls, row.dismissed, m, row.open, row.last, row.tries)
		}
	}
}
