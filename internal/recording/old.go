package recording

import (
	"slices"
	"time"

	"github.com/voipd/voipd/record"
)

// unchangedAfter is how long after a call its recordings' files no longer change.
const unchangedAfter = time.Hour

// CheckOld writes into the record of a call long over what the disk says of its
// recordings now, so that nobody waits for their files.
func (l *Library) CheckOld(r *record.Record, now time.Time) {
	if now.Sub(r.Details.EndedAt) < unchangedAfter {
		return
	}
	for _, rec := range slices.Clone(r.Details.Recordings) {
		if rec.State == record.Announced {
			r.UpdateRecording(rec.ID, l.fact(rec.Path))
		}
	}
}

// fact is what the disk says of a recording's file.
func (l *Library) fact(path string) record.FileFact {
	gone := record.FileFact{State: record.Gone}
	f, err := l.Open(path)
	if err != nil {
		return gone
	}
	defer f.Close()
	audio, err := Examine(f.Name, f, f.Info.Size())
	if err != nil {
		return gone
	}
	fact := record.FileFact{State: record.Ready, Bytes: f.Info.Size(), Audio: audio.Length.Round(time.Millisecond)}
	if audio.Empty {
		fact.State = record.Empty
	}
	return fact
}
