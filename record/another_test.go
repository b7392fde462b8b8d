package record_test

import (
	"testing"
	"time"

	"github.com/voipd/voipd/record"
)

func TestAnother(t *testing.T) {
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	of := func(s record.Source, from, to time.Duration) *record.Record {
		return &record.Record{CallID: "1.1", Details: record.Details{StartedAt: at.Add(from), EndedAt: at.Add(to), Source: s.String()}}
	}
	kept := of(record.SourceAMI, 0, time.Minute)
	for _, row := range []struct {
		name string
		told *record.Record
		want bool
	}{
		{"the same told twice", of(record.SourceAMI, 0, time.Minute), false},
		{"its end was seen later", of(record.SourceAMI, 0, time.Hour), false},
		{"seconds behind it", of(record.SourceARI, 90*time.Second, 2*time.Minute), false},
		{"the PBX started at the same time again, an hour later", of(record.SourceAMI, time.Hour, 2*time.Hour), true},
		{"before it", of(record.SourceAMI, -2*time.Hour, -time.Hour), true},
		{"CDR of another zone", of(record.SourceCDR, -14*time.Hour, -14*time.Hour+time.Minute), false},
		{"CEL of days later", of(record.SourceCEL, 72*time.Hour, 73*time.Hour), true},
		{"CEL across a clock that was set", of(record.SourceCEL, -72*time.Hour, time.Minute), false},
	} {
		if got := record.Another(kept, row.told); got != row.want {
			t.Errorf("%s: another call: %v, want %v", row.name, got, row.want)
		}
	}
}
