package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const person = "79035550123"

// whole writes a call with everything that is kept of one: facts, record,
// recording, trace, change and delivery.
func whole(t *testing.T, db *store.DB, id, number string) {
	t.Helper()
	r := call(id, 0)
	r.SrcPhone = number
	r.Details.Recordings = []record.Recording{{ID: record.RecordingID(id), Path: "/m/in-" + number + "-" + id + ".wav", At: r.Details.StartedAt, State: record.Ready, Talk: true}}
	fact := record.Event{At: r.Details.StartedAt, Kind: record.Created, Channel: record.Channel{ID: id, Linked: id}, Number: number}
	write(t, db, &store.Batch{Journal: []store.Entry{{CallID: id, Event: fact}},
		Changes: []store.Change{{Kind: "call.started", CallID: id, Body: []byte(`{"srcPhone":"` + number + `"}`)}}})
	write(t, db, &store.Batch{Records: []*record.Record{&r}, Closed: []store.Closed{{CallID: id, At: r.Details.EndedAt}},
		Changes: []store.Change{{Record: &r, KindOf: contract.RecordKind, CallID: id, Body: []byte(`{"srcPhone":"` + number + `"}`)}}})
}

// inFiles tells which files of the database hold a text.
func inFiles(t *testing.T, path, text string) (found []string) {
	t.Helper()
	for _, part := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + part)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			found = append(found, part)
		}
	}
	return found
}

// TestForget: nothing of the number is left in the file's bytes, the others'
// calls are, and no account by CEL or CDR brings it back.
func TestForget(t *testing.T) {
	db, ctx := openOutbox(t), context.Background()
	for i := range 40 {
		whole(t, db, fmt.Sprintf("1.%d", i), person)
		whole(t, db, fmt.Sprintf("2.%d", i), "79031000001")
	}
	open := record.Event{Kind: record.Created, Channel: record.Channel{ID: "3.1", Linked: "3.1"}, Number: "+" + person}
	write(t, db, &store.Batch{Journal: []store.Entry{{CallID: "3.1", Event: open}}})
	if len(inFiles(t, db.Path(), person)) == 0 {
		t.Fatal("the number is nowhere before")
	}
	digits, err := store.Digits("+7 (903) 555-01-23")
	if err != nil || digits != person {
		t.Fatalf("got %q (%v)", digits, err)
	}
	p, err := db.Person(ctx, digits)
	if err != nil || p.Calls != 41 || p.Open != 1 || len(p.Files) != 40 {
		t.Fatalf("got %d calls, %d open, %d files (%v)", p.Calls, p.Open, len(p.Files), err)
	}
	a, err := db.Forget(ctx, p, 0)
	if err != nil || a.Counts["records"] != 40 || a.Counts["traces"] != 40 || a.Counts["changes"] != 80 || a.Counts["deliveries"] != 120 {
		t.Fatalf("got %+v (%v)", a, err)
	}
	if left, err := fixture.All(ctx, db.Journal); err != nil || len(left) != 1 || left[0].Err != nil {
		t.Errorf("the journal of the open call is gone: %v (%v)", left, err)
	}
	write(t, db, &store.Batch{Closed: []store.Closed{{CallID: "3.1", At: time.Now()}}})
	if p, err = db.Person(ctx, digits); err != nil || p.Calls != 1 || p.Open != 0 {
		t.Fatalf("the call that was open: %+v (%v)", p, err)
	}
	if _, err := db.Forget(ctx, p, 0); err != nil {
		t.Fatal(err)
	}
	if found := inFiles(t, db.Path(), person); found != nil {
		t.Errorf("the number is left in %q", found)
	}
	if n := count(t, db); n != 40 {
		t.Errorf("%d records are left, want the others' 40", n)
	}
	again := call("1.7", 0)
	again.Details.Source = "cel"
	unseen := call("9.9", 0)
	unseen.DstPhone, unseen.Details.Source = "+"+person, "cdr"
	for _, r := range []record.Record{again, unseen} {
		if v, _, _, err := db.Judge(ctx, r); err != nil || v != record.Keep {
			t.Errorf("%s comes back: %v (%v)", r.CallID, v, err)
		}
	}
	told(t, db, again)
	if _, err := db.Record(ctx, "1.7"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a forgotten call was written again: %v", err)
	}
	later := call("9.10", 0)
	later.SrcPhone, later.Details.StartedAt = person, time.Now().Add(time.Hour)
	if v, _, _, err := db.Judge(ctx, later); err != nil || v != record.Add {
		t.Errorf("a call after it: %v (%v)", v, err)
	}
	lines, err := db.Audits(ctx, 10)
	if err != nil || len(lines) != 2 || lines[1].What != "forget" || lines[1].About == "" || lines[0].About != lines[1].About {
		t.Errorf("audit: %+v (%v)", lines, err)
	}
}

func TestNumbersThatCannotBeForgotten(t *testing.T) {
	for _, number := range []string{"", "101", "+7-90", "anonymous", "7903555%"} {
		if got, err := store.Digits(number); err == nil {
			t.Errorf("%q is taken as %q", number, got)
		}
	}
}

// TestBackup: the copy holds what was committed, while somebody writes; nothing
// is written over, and nothing half done is left.
func TestBackup(t *testing.T) {
	db, ctx := openOutbox(t), context.Background()
	for i := range 500 {
		whole(t, db, fmt.Sprintf("1.%d", i), person)
	}
	stop, done := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				done <- n
				return
			default:
				told(t, db, call(fmt.Sprintf("2.%d", n), 0))
			}
		}
	}()
	dir := t.TempDir()
	file := filepath.Join(dir, "copy.db")
	c, err := db.Backup(ctx, file)
	close(stop)
	<-done
	if err != nil || c.Records < 500 || c.Bytes == 0 {
		t.Fatalf("got %+v (%v)", c, err)
	}
	if _, err := db.Backup(ctx, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over: %v", err)
	}
	if _, err := db.Backup(ctx, filepath.Join(dir, "no", "copy.db")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left over: %v (%v)", left, err)
	}
	restored := open(t, file)
	if n := count(t, restored); n != c.Records {
		t.Errorf("the copy has %d records, want %d", n, c.Records)
	}
	told(t, restored, call("3.1", 0))
	list, err := restored.Changes(ctx, 0, 100_000)
	if err != nil || int64(len(list)) < c.Records || !slices.IsSortedFunc(list, func(a, b store.Change) int { return int(a.Seq - b.Seq) }) {
		t.Errorf("the copy has %d changes (%v)", len(list), err)
	}
}

// TestRetention: old calls go with all that is kept of them, old audio is noted
// as gone, and each leaves a line.
func TestRetention(t *testing.T) {
	db, ctx := openOutbox(t), context.Background()
	for i := range 450 {
		whole(t, db, fmt.Sprintf("1.%d", i), person)
	}
	young := call("2.1", 7200)
	commit(t, db, young)
	// Calls that a wrong clock told to be old were written today: they stay.
	if n, err := db.PruneRecords(ctx, young.Details.StartedAt); n != 0 || err != nil {
		t.Errorf("%d calls that were written today are dropped (%v)", n, err)
	}
	if list, err := db.OldRecordings(ctx, young.Details.StartedAt, store.RecordingFile{}, 400); len(list) != 0 || err != nil {
		t.Errorf("%d recordings of them are (%v)", len(list), err)
	}
	if err := fixture.Exec(ctx, db.Path(), `UPDATE records SET written = 0`); err != nil {
		t.Fatal(err)
	}
	old, err := db.OldRecordings(ctx, young.Details.StartedAt, store.RecordingFile{}, 400)
	if err != nil || len(old) != 400 {
		t.Fatalf("got %d (%v)", len(old), err)
	}
	rest, err := db.OldRecordings(ctx, young.Details.StartedAt, old[399], 400)
	if err != nil || len(rest) != 50 {
		t.Fatalf("got %d behind (%v)", len(rest), err)
	}
	if err := db.RecordingsErased(ctx, old, 400); err != nil {
		t.Fatal(err)
	}
	if r, err := db.Record(ctx, old[0].CallID); err != nil || r.Details.Recordings[0].State != record.Gone {
		t.Errorf("got %+v (%v)", r.Details.Recordings, err)
	}
	if n, err := db.PruneRecords(ctx, young.Details.StartedAt); err != nil || n != 450 {
		t.Errorf("pruned %d (%v)", n, err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d are left", n)
	}
	if _, err := db.Trace(ctx, "1.1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its trace is left: %v", err)
	}
	lines, err := db.Audits(ctx, 10)
	if err != nil || len(lines) != 4 || lines[3].What != "keep_recordings" || lines[0].What != "keep_records" || lines[0].Counts["records"] != 50 {
		t.Errorf("audit: %+v (%v)", lines, err)
	}
}
