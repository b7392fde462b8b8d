package ingest_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestLastPhoneStops: the caller's channel goes first and the phone that rang last, so
// that one fact tells that it stopped and ends the call. What is told of the phone
// says all the same whose call it was.
func TestLastPhoneStops(t *testing.T) {
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var told []record.Record
	over := make(chan struct{})
	l := ingest.New(ingest.Options{Rules: numbers.Default(), Store: db, Log: slog.New(slog.DiscardHandler), Plan: func(c record.Change, live *record.Live) []store.Change {
		if c.Kind == record.PhoneStopped && live != nil {
			told = append(told, live.Record)
		}
		if c.Kind == record.CallEnded {
			close(over)
		}
		return nil
	}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC)
	in := record.Channel{ID: "1.1", Linked: "1.1", Name: "PJSIP/trunk-a-00000001"}
	phone := record.Channel{ID: "1.2", Linked: "1.1", Name: "PJSIP/113-00000002"}
	for _, e := range []record.Event{
		{Kind: record.Created, Channel: in, State: record.Ring, Number: "79031000404", Exten: "74951234713"},
		{Kind: record.Created, Channel: phone, State: record.Down},
		{Kind: record.DialStarted, Channel: in, Peer: phone, Value: "113"},
		{Kind: record.HangupRequested, Channel: in, Cause: 127},
		{Kind: record.DialEnded, Channel: in, Peer: phone, Value: "CANCEL"},
		{Kind: record.HungUp, Channel: in, Cause: 127},
		{Kind: record.HungUp, Channel: phone},
	} {
		e.At, e.Source = at, record.SourceAMI
		at = at.Add(100 * time.Millisecond)
		l.Put(e)
	}
	<-over
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].CallID != "1.1" || told[0].Direction != record.In || told[0].SrcPhone != "79031000404" || told[0].DstPhone != "113" {
		t.Errorf("told of the phone that stopped: %+v", told)
	}
}
