package ingest_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// lateDisk takes its time for each write.
type lateDisk struct {
	*disk
	takes time.Duration
}

func (d lateDisk) Commit(ctx context.Context, b *store.Batch) error {
	<-time.After(d.takes)
	return d.disk.Commit(ctx, b)
}

// TestStopIsBounded: however many facts wait, the loop ends within the time that a
// stop may take, and what is written is whole.
func TestStopIsBounded(t *testing.T) {
	d := openDisk(t, filepath.Join(t.TempDir(), "db"))
	l := startWith(t, ingest.Options{Store: lateDisk{d, 200 * time.Millisecond}})
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	for i := range 30_000 {
		id := fmt.Sprintf("1.%d", i)
		l.Put(record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: id, Linked: id, Name: "PJSIP/101-" + id}, State: record.Ring})
	}
	began := time.Now()
	if err := l.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it stopped after %s", took)
	}
	if s := l.Stats(); s.Waiting == 0 {
		t.Error("everything was written: the test shows nothing")
	}
}
