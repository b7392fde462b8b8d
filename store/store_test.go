package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func fresh(t *testing.T) *store.DB { return open(t, filepath.Join(t.TempDir(), "sub", "voipd.db")) }

func call(id string, at int) record.Record {
	start := time.UnixMilli(1_795_366_192_000 + int64(at)*1000).UTC()
	return record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101", Duration: 4,
		Details: record.Details{StartedAt: start, EndedAt: start.Add(6 * time.Second), BeganBy: "external", Source: "ami",
			Recordings: []record.Recording{{ID: record.RecordingID(id), Path: "/m/" + id + ".wav", At: start, State: record.Announced, Talk: true}}}}
}

func commit(t *testing.T, db *store.DB, records ...record.Record) {
	t.Helper()
	if err := db.Commit(context.Background(), batch(records...)); err != nil {
		t.Fatal(err)
	}
}

// batch has records alone.
func batch(all ...record.Record) *store.Batch {
	var b store.Batch
	b.Put(all...)
	return &b
}

// count is how many records the database has.
func count(t *testing.T, db *store.DB) int64 {
	t.Helper()
	list, more, err := db.Records(t.Context(), store.Query{Limit: 1000})
	if err != nil || more {
		t.Fatalf("count records: more than %d (%v)", len(list), err)
	}
	return int64(len(list))
}

func TestRecordComesBackAsItWent(t *testing.T) {
	db := fresh(t)
	want := call("1795366192.23", 0)
	want.SrcPhoneExt = "7"
	want.Details.Transfers = []record.Transfer{{Kind: "blind", By: "101", To: "102", At: want.Details.StartedAt}}
	commit(t, db, want)
	got, err := db.Record(context.Background(), want.CallID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := db.Record(context.Background(), "1795366192.2"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("x.2 is not x.23: got %v", err)
	}
}

// TestToldTwice: the same call told again is one row, and the better teller
// stays.
func TestToldTwice(t *testing.T) {
	tell := func(source string, duration int, approx ...string) record.Record {
		r := call("c", 0)
		r.Details.Source, r.Duration, r.Details.Approximate = source, duration, approx
		return r
	}
	for _, c := range []struct {
		name          string
		first, second record.Record
		want          int
	}{
		{"live again", tell("ami", 1), tell("ami", 2), 2},
		{"CEL after live", tell("ami", 1), tell("cel", 2), 1},
		{"live after CEL", tell("cel", 1), tell("ami", 2), 2},
		{"CDR after CEL", tell("cel", 1), tell("cdr", 2), 1},
		{"approximate after whole", tell("ami", 1), tell("ami", 2, "gap"), 1},
		{"CEL after approximate", tell("ami", 1, "gap"), tell("cel", 2), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := fresh(t)
			commit(t, db, c.first)
			commit(t, db, c.second)
			list, _, err := db.Records(context.Background(), store.Query{})
			if err != nil || len(list) != 1 || list[0].Duration != c.want {
				t.Errorf("got %+v (%v), want one record of %d s", list, err, c.want)
			}
		})
	}
}

// TestPagesCoverTheList: walking by cursor sees each record once, whatever the
// filter and the page size, and calls of the same moment are not lost.
func TestPagesCoverTheList(t *testing.T) {
	db := fresh(t)
	var all []record.Record
	for i := range 60 {
		r := call(fmt.Sprintf("1795366192.%d", i), i/4)
		if i%3 == 0 {
			r.Direction, r.SrcPhone, r.DstPhone = record.Out, "101", "89161000001"
		}
		if i%5 == 0 {
			r.Disposition = record.NoAnswer
		}
		all = append(all, r)
	}
	commit(t, db, all...)
	queries := map[string]struct {
		q    store.Query
		fits func(record.Record) bool
	}{
		"all":         {store.Query{}, func(record.Record) bool { return true }},
		"phone":       {store.Query{Phones: []string{"101"}}, func(r record.Record) bool { return r.SrcPhone == "101" || r.DstPhone == "101" }},
		"direction":   {store.Query{Directions: []record.Direction{record.Out}}, func(r record.Record) bool { return r.Direction == record.Out }},
		"disposition": {store.Query{Dispositions: []record.Disposition{record.NoAnswer}}, func(r record.Record) bool { return r.Disposition == record.NoAnswer }},
		"call":        {store.Query{CallID: "1795366192.7"}, func(r record.Record) bool { return r.CallID == "1795366192.7" }},
		"from, to": {store.Query{From: all[8].Details.StartedAt, To: all[40].Details.StartedAt, Phones: []string{"101"}}, func(r record.Record) bool {
			return !r.Details.StartedAt.Before(all[8].Details.StartedAt) && r.Details.StartedAt.Before(all[40].Details.StartedAt)
		}},
	}
	for name, c := range queries {
		for _, limit := range []int{1, 7, 100} {
			t.Run(fmt.Sprintf("%s/%d", name, limit), func(t *testing.T) {
				var want []string
				for _, r := range all {
					if c.fits(r) {
						want = append(want, r.CallID)
					}
				}
				got := walk(t, db, c.q, limit)
				slices.Sort(want)
				slices.Sort(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func walk(t *testing.T, db *store.DB, q store.Query, limit int) (ids []string) {
	t.Helper()
	q.Limit = limit
	for {
		page, more, err := db.Records(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			if q.After.CallID != "" && (r.Details.StartedAt.After(q.After.StartedAt) || r.CallID == q.After.CallID) {
				t.Fatalf("%s does not come behind %v", r.CallID, q.After)
			}
			q.After = store.Cursor{StartedAt: r.Details.StartedAt, CallID: r.CallID}
			ids = append(ids, r.CallID)
		}
		if !more {
			return ids
		}
	}
}

func TestJournalFollowsItsCall(t *testing.T) {
	db, ctx := fresh(t), context.Background()
	event := func(id string) record.Event {
		return record.Event{At: time.Unix(1795366192, 189552000).UTC(), Kind: record.Created, Source: record.SourceAMI,
			Channel: record.Channel{ID: id, Linked: id, Name: "PJSIP/101-0000000f"}, State: record.Ring, Number: "101"}
	}
	a, b, c := event("a"), event("b"), event("c")
	steps := []store.Batch{
		{Journal: []store.Entry{{CallID: "a", Event: a}, {CallID: "b", Event: b}, {CallID: "c", Event: c}}},
		{Merged: [][2]string{{"b", "a"}}, Closed: []store.Closed{{CallID: "c", At: a.At}}},
	}
	for _, s := range steps {
		if err := db.Commit(ctx, &s); err != nil {
			t.Fatal(err)
		}
	}
	got, err := fixture.All(ctx, db.Journal)
	if diff := cmp.Diff([]store.JournalRow{{CallID: "a", Event: a}, {CallID: "a", Event: b}}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if err := db.Commit(ctx, &store.Batch{Closed: []store.Closed{{CallID: "a", At: a.At}}}); err != nil {
		t.Fatal(err)
	}
	if got, err := fixture.All(ctx, db.Journal); len(got) != 0 || err != nil {
		t.Errorf("the journal of an ended call is left: %v (%v)", got, err)
	}
	trace, err := db.Trace(ctx, "a")
	if diff := cmp.Diff([]record.Event{a, b}, trace); diff != "" || err != nil {
		t.Errorf("the trace is another: %v\n%s", err, diff)
	}
	if n, err := db.PruneTraces(ctx, a.At.Add(time.Second)); n != 2 || err != nil {
		t.Errorf("pruned %d (%v), want 2", n, err)
	}
	if _, err := db.Trace(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a pruned trace is there: %v", err)
	}
}

func TestUnfinishedRecordings(t *testing.T) {
	db, ctx := fresh(t), context.Background()
	r := call("c", 0)
	commit(t, db, r)
	list, err := db.UnfinishedRecordings(ctx, store.RecordingFile{}, 10)
	if err != nil || len(list) != 1 || list[0].Path != "/m/c.wav" {
		t.Fatalf("got %+v (%v), want the announced recording", list, err)
	}
	if more, err := db.UnfinishedRecordings(ctx, list[0], 10); err != nil || len(more) != 0 {
		t.Errorf("behind the last one: %+v (%v)", more, err)
	}
	if !r.UpdateRecording(list[0].ID, record.FileFact{State: record.Ready, Bytes: 64044, Audio: 4 * time.Second}) {
		t.Fatal("settling changed nothing")
	}
	commit(t, db, r)
	if list, err := db.UnfinishedRecordings(ctx, store.RecordingFile{}, 10); err != nil || len(list) != 0 {
		t.Errorf("got %+v (%v), want none", list, err)
	}
	commit(t, db, call("c", 0)) // told again by a restart: what the disk said stays
	got, err := db.Record(ctx, "c")
	if err != nil || got.Details.Recordings[0].State != record.Ready || got.Details.Recordings[0].MS != 4000 {
		t.Errorf("got %+v (%v)", got.Details.Recordings, err)
	}
}

// TestRootMakesItForTheFolder: what root makes belongs to the owner of the
// folder, the files beside it too.
func TestRootMakesItForTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("it needs root")
	}
	dir := t.TempDir()
	if err := os.Chown(dir, 1234, 1235); err != nil {
		t.Fatal(err)
	}
	open(t, filepath.Join(dir, "voipd.db"))
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		var is syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, f.Name()), &is); err != nil || is.Uid != 1234 || is.Gid != 1235 {
			t.Errorf("%s belongs to %d:%d (%v)", f.Name(), is.Uid, is.Gid, err)
		}
	}
}

// rawDB opens the file as any other program would.
func rawDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	raw, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voipd.db")
	db := open(t, path)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw := rawDB(t, path)
	if _, err := raw.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	for name, open := range map[string]func(context.Context, string) error{"to write": opening, "to read": readingOnly} {
		if err := open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "newer voipd") {
			t.Errorf("%s: got %v, want a refusal that says why", name, err)
		}
	}
}

func opening(ctx context.Context, path string) error {
	_, err := store.Open(ctx, path)
	return err
}

func readingOnly(ctx context.Context, path string) error {
	db, err := store.OpenReadOnly(ctx, path)
	if err == nil {
		err = db.Close()
	}
	return err
}

// TestReadBeforeTheRestart: after an upgrade, until voipd is restarted, who
// only reads is told to restart it.
func TestReadBeforeTheRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voipd.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := readingOnly(t.Context(), path); err != nil {
		t.Fatalf("of this version: %v", err)
	}
	raw := rawDB(t, path)
	if _, err := raw.Exec(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`); err != nil {
		t.Fatal(err)
	}
	raw.Close()
	if err := readingOnly(t.Context(), path); err == nil || !strings.Contains(err.Error(), "systemctl restart voipd") {
		t.Errorf("got %v, want what to do", err)
	}
}

func TestSecretStays(t *testing.T) {
	db, ctx := fresh(t), context.Background()
	a, err1 := db.Secret(ctx, "links")
	b, err2 := db.Secret(ctx, "links")
	c, err3 := db.Secret(ctx, "other")
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	if len(a) != 32 || !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("got %x, %x, %x", a, b, c)
	}
}
