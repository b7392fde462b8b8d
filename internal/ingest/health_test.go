package ingest_test

import (
	"context"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// waiting is a store of which only the health asks.
type waiting struct{ ingest.Store }

func (waiting) InQuarantine(context.Context) (int, int, string, error) { return 0, 0, "", nil }

func (waiting) Sizes() (database, wal int64) { return 0, 0 }

func (waiting) Room() (free, all int64) { return 0, 0 }

func (waiting) JournalSize(context.Context) (int64, error) { return 0, nil }

func (waiting) Journal(context.Context, func(store.JournalRow) error) error { return nil }

func (waiting) Span(context.Context) (store.Span, error) { return store.Span{}, nil }

// TestBehind: facts that wait are told by how long they do, not only by how many
// they are.
func TestBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: waiting{}})
		if err := l.Boot(t.Context()); err != nil {
			t.Fatal(err)
		}
		l.Put(record.Event{At: time.Now(), Kind: record.Created, Channel: record.Channel{ID: "1.1", Linked: "1.1"}})
		for _, warned := range []bool{false, true} {
			var h contract.Health
			if l.Health(t.Context(), &h); h.Warned("behind") != warned {
				t.Errorf("%+v, want the warning: %v", h.Warnings, warned)
			}
			<-time.After(11 * time.Second) // by the bubble's clock
		}
	})
}

// TestCallWithoutEnd: a channel that hangs in the PBX is told after a day.
func TestCallWithoutEnd(t *testing.T) {
	l := startWith(t, ingest.Options{Store: openDisk(t, filepath.Join(t.TempDir(), "db"))})
	defer l.stop()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	warned := func() bool {
		var h contract.Health
		l.Health(t.Context(), &h)
		return h.Warned("calls-without-end")
	}
	ring := func(id string, at time.Time) {
		l.Put(record.Event{At: at, Kind: record.Created, Source: record.SourceAMI, State: record.Ring, Exten: "102", Channel: record.Channel{ID: id, Linked: id, Name: "PJSIP/101-" + id}})
	}
	ring("1.1", at)
	l.until(t, record.CallBegan)
	if warned() {
		t.Error("a call that has just begun is told to be without end")
	}
	ring("1.2", at.Add(25*time.Hour))
	l.until(t, record.CallBegan)
	if !warned() {
		t.Error("a call that has gone on for a day is not told")
	}
}
