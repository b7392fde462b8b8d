package store_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// TestFoundRecordings: what an account of a call makes of the recordings that
// are kept, where some were found on the disk; told again, nothing changes.
func TestFoundRecordings(t *testing.T) {
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	// A recording is written path[:state][:found].
	account := func(source string, recordings ...string) record.Record {
		r := record.Record{CallID: "8.1", Direction: record.In, Disposition: record.Answered, Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute)}}
		source, doubt, _ := strings.Cut(source, ":")
		r.Details.Source = source
		if doubt != "" {
			r.Details.Approximate = []string{doubt}
		}
		for _, text := range recordings {
			parts := strings.Split(text, ":")
			rec := record.Recording{ID: record.RecordingID(parts[0]), Path: parts[0], At: at, State: record.Announced, Talk: true}
			for _, p := range parts[1:] {
				if p == "found" {
					rec.Found = true
				} else {
					rec.State = record.RecordingState(p)
				}
			}
			r.Details.Recordings = append(r.Details.Recordings, rec)
		}
		return r
	}
	for _, c := range []struct {
		name       string
		kept, told record.Record
		verdict    record.Verdict
		left       string
	}{
		{"found the second time", account("cel"), account("cel", "/m/a.wav:found"), record.Replace, "/m/a.wav:announced:found"},
		{"found before", account("cel", "/m/a.wav:ready:found"), account("cel", "/m/a.wav:found"), record.Keep, "/m/a.wav:ready:found"},
		{"converted since", account("cel", "/m/a.wav:ready:found"), account("cel", "/m/a.mp3:found"), record.Keep, "/m/a.wav:ready:found"},
		{"gone since", account("cel", "/m/a.wav:gone:found"), account("cel"), record.Keep, "/m/a.wav:gone:found"},
		{"one more", account("cel", "/m/a.wav:ready"), account("cel", "/m/a.wav", "/m/b.wav:found"), record.Replace, "/m/a.wav:ready /m/b.wav:announced:found"},
		{"told of, and empty", account("cel"), account("cel", "/m/a.wav"), record.Keep, ""},
		{"told of, was not there, found elsewhere", account("cdr:whole seconds", "a.wav:gone"), account("cdr:whole seconds", "/m/a.wav:found"), record.Replace, "/m/a.wav:announced:found"},
		{"CEL after CDR, gone since", account("cdr:whole seconds", "/m/a.wav:ready:found"), account("cel"), record.Replace, "/m/a.wav:ready:found"},
		{"live, cut", account("ami:cut", "/m/a.wav:ready"), account("cel", "/m/a.wav", "/m/b.wav:found"), record.Replace, "/m/a.wav:ready /m/b.wav:announced:found"},
		{"live, cut, was not there", account("ami:cut", "/x/a.wav:gone"), account("cel", "/m/a.mp3:found"), record.Replace, "/m/a.mp3:announced:found"},
		{"live, cut; CEL is not sure of a length", account("ami:cut", "/m/a.wav:ready"), account("cel:a length", "/m/a.wav:found", "/m/b.wav:found", "/m/c.wav"), record.Replace,
			"/m/a.wav:ready /m/b.wav:announced:found"},
		{"live, cut; CEL is not sure of a length, and finds nothing", account("ami:cut"), account("cel:a length", "/m/c.wav"), record.Keep, ""},
		{"live and whole", account("ami"), account("cel", "/m/a.wav:found"), record.Keep, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "db"))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if err := db.Commit(t.Context(), batch(c.kept)); err != nil {
				t.Fatal(err)
			}
			outranked, whole, err := db.Outranked(t.Context(), &c.told)
			if err != nil || (outranked && whole) != (c.kept.Details.Source == "ami" && c.kept.Details.Approximate == nil) {
				t.Errorf("outranked: %v, whole: %v (%v)", outranked, whole, err)
			}
			for i, want := range []record.Verdict{c.verdict, record.Keep} {
				v, better, _, err := db.Judge(t.Context(), c.told)
				if err != nil || v != want {
					t.Fatalf("told %d times: verdict %v (%v), want %v", i+1, v, err, want)
				}
				if v == record.Keep {
					continue
				}
				if err := db.Commit(t.Context(), &store.Batch{Records: []*record.Record{&better}}); err != nil {
					t.Fatal(err)
				}
			}
			r, err := db.Record(t.Context(), "8.1")
			if err != nil {
				t.Fatal(err)
			}
			var left []string
			for _, rec := range r.Details.Recordings {
				text := rec.Path + ":" + string(rec.State)
				if rec.Found {
					text += ":found"
				}
				left = append(left, text)
			}
			slices.Sort(left)
			if got := strings.Join(left, " "); got != c.left {
				t.Errorf("got %q, want %q", got, c.left)
			}
		})
	}
}
