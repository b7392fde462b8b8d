package daemon_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/internal/ingest"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/internal/webhook"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// crashPoints are all steps at which voipd writes to its database; the process
// is killed before and after each. A new kind of step fails TestCrashAnywhere
// until it stands here. What each belongs to:
//
//   - start-up: CREATE, DROP, placing, INSERT goose_db_version; the replay of the journal
//     comes with every restart in the middle of a call
//   - facts, records and what is told of them: BEGIN, COMMIT, journal, traces,
//     records, recordings, absorbed, changes, deliveries
//   - repair and import: gaps, marks, pbx_clock, clock_leaps, and those of records
//   - webhooks: UPDATE deliveries
//   - retention, forgetting, audit: DELETE, audit, forgotten, secrets, VACUUM
//   - backup: VACUUM
func crashPoints() []string {
	return []string{"ALTER chunk_columns", "ALTER recordings", "ALTER records", "ALTER records_rowid", "ALTER traces_rowid", "BEGIN", "COMMIT",
		"CREATE absorbed", "CREATE answers", "CREATE answers_at", "CREATE audit", "CREATE changes", "CREATE changes_by_time", "CREATE changes_of_records",
		"CREATE chunk_columns", "CREATE chunks", "CREATE chunks_from", "CREATE chunks_to", "CREATE chunks_week", "CREATE clock_leaps", "CREATE deliveries",
		"CREATE deliveries_due", "CREATE deliveries_of_call", "CREATE deliveries_parked", "CREATE deliveries_waiting", "CREATE dismissed", "CREATE forgotten", "CREATE found",
		"CREATE gaps", "CREATE goose_db_version", "CREATE journal", "CREATE journal_by_call", "CREATE marks", "CREATE pbx_clock", "CREATE pbx_endpoints",
		"CREATE pbx_numbers", "CREATE places", "CREATE places_call", "CREATE placing", "CREATE pruned", "CREATE quarantine", "CREATE quarantine_by_call", "CREATE recordings",
		"CREATE recordings_changed", "CREATE recordings_gone", "CREATE recordings_kept", "CREATE recordings_put", "CREATE recordings_ready",
		"CREATE recordings_unsettled", "CREATE records", "CREATE records_by_direction", "CREATE records_by_disposition", "CREATE records_by_dst",
		"CREATE records_by_src", "CREATE records_by_time", "CREATE records_changed", "CREATE records_direction", "CREATE records_disposition",
		"CREATE records_dst", "CREATE records_gone", "CREATE records_missed", "CREATE records_person", "CREATE records_put", "CREATE records_rowid", "CREATE records_src", "CREATE records_time",
		"CREATE secrets", "CREATE traces", "CREATE traces_at", "CREATE traces_by_time", "CREATE traces_rowid", "CREATE unplaced", "CREATE webhooks", "DELETE absorbed",
		"DELETE answers", "DELETE changes", "DELETE clock_leaps", "DELETE deliveries", "DELETE dismissed", "DELETE gaps", "DELETE journal", "DELETE marks", "DELETE placing",
		"DELETE quarantine", "DELETE recordings", "DELETE records", "DELETE traces", "DELETE unplaced", "DROP recordings_ready;", "DROP records",
		"DROP records_direction", "DROP records_disposition", "DROP records_dst", "DROP records_src", "DROP rowid_copied", "DROP traces",
		"INSERT absorbed", "INSERT audit", "INSERT changes", "INSERT clock_leaps", "INSERT deliveries", "INSERT forgotten", "INSERT gaps",
		"INSERT goose_db_version", "INSERT journal", "INSERT marks", "INSERT pbx_clock", "INSERT placing", "INSERT pruned", "INSERT recordings",
		"INSERT records", "INSERT secrets", "INSERT traces", "UPDATE deliveries", "UPDATE gaps", "UPDATE journal", "UPDATE pruned", "UPDATE recordings",
		"VACUUM"}
}

const crashEnv = "VOIPD_CRASH" // "FOLDER|POINT|N": do the work there, and be killed at the Nth time of a point

// TestCrashChild is the process that is killed; alone it does nothing.
func TestCrashChild(t *testing.T) {
	dir, rest, ok := strings.Cut(os.Getenv(crashEnv), "|")
	if !ok {
		t.Skip("it is the child of TestCrashAnywhere")
	}
	var at string
	var n int
	if at, rest, ok = strings.Cut(rest, "|"); !ok {
		t.Fatal(crashEnv)
	}
	if _, err := fmt.Sscan(rest, &n); err != nil {
		t.Fatal(err)
	}
	w := &work{t: t, dir: dir, tap: func(point string) error {
		if point == at {
			n--
		}
		if n > 0 {
			return nil
		}
		return killer(at)(point)
	}}
	w.run()
}

// TestCrashAnywhere: the process is killed before and after each kind of step;
// then the work is gone on with, and what is kept and told is as if nothing had
// been.
func TestCrashAnywhere(t *testing.T) {
	seen := map[string]int{}
	golden := &work{t: t, dir: prepare(t), tap: func(point string) error { seen[point]++; return nil }}
	golden.run()
	want := golden.kept()
	if len(want) != 4 {
		t.Fatalf("%d records, want 4", len(want))
	}
	var kinds []string
	for p := range seen {
		if kind, ok := strings.CutPrefix(p, "before "); ok {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	if diff := cmp.Diff(crashPoints(), kinds); diff != "" {
		t.Fatalf("the list of points is not what is done (-listed +done):\n%s", diff)
	}
	for _, point := range slices.Sorted(maps.Keys(seen)) {
		for _, n := range times(point, seen[point]) {
			t.Run(fmt.Sprintf("%s %d of %d", point, n, seen[point]), func(t *testing.T) {
				t.Parallel()
				w := &work{t: t, dir: prepare(t)}
				if !w.killedAt(point, n) {
					t.Fatal("the process came to its end")
				}
				w.run()
				if diff := cmp.Diff(want, w.kept(), cmpopts.IgnoreFields(record.Record{}, "Details")); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

// times are which times of a point are tried: of a table's making the one time
// before it, as behind it is before the next; of a commit several; else the
// first and the last.
func times(point string, all int) []int {
	switch {
	case strings.HasPrefix(point, "after CREATE"):
		return nil
	case strings.HasSuffix(point, "COMMIT"):
		var some []int
		for n := 1; n <= all; n += max(1, all/12) {
			some = append(some, n)
		}
		return some
	}
	return slices.Compact([]int{1, all})
}

// prepare makes a folder with the CEL that is imported.
func prepare(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	text, err := capture.ReadFile(filepath.Join(captures, "out-answered", "cel.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cel.csv"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// work is a life of voipd's store: every way in which something is written,
// step by step; each step that is done stands in a file, and is not done again.
type work struct {
	t    *testing.T
	dir  string
	tap  store.Tap
	done map[string]bool
	db   *store.DB
	loop *ingest.Loop
}

func (w *work) killedAt(point string, n int) bool {
	w.t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s|%d", crashEnv, w.dir, point, n))
	out, err := child.CombinedOutput()
	if !wasKilled(err) {
		w.t.Logf("%v: %s", err, out)
	}
	return wasKilled(err)
}

func wasKilled(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// killer kills the process at the first time of a point.
func killer(at string) store.Tap {
	return func(point string) error {
		if point == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
		return nil
	}
}

func (w *work) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// step does what is not done yet.
func (w *work) step(name string, do func()) {
	w.t.Helper()
	if w.done[name] {
		return
	}
	do()
	f, err := os.OpenFile(filepath.Join(w.dir, "done"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	w.check(err)
	_, err = fmt.Fprintln(f, name)
	w.check(errors.Join(err, f.Close()))
}

func (w *work) run() {
	w.t.Helper()
	w.done = map[string]bool{}
	if f, err := os.Open(filepath.Join(w.dir, "done")); err == nil {
		for s := bufio.NewScanner(f); s.Scan(); {
			w.done[s.Text()] = true
		}
		f.Close()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var damage *store.Damage
	var err error
	w.db, damage, err = store.OpenSound(ctx, filepath.Join(w.dir, "voipd.db"), store.Tapped(w.tap))
	w.check(err)
	if damage != nil {
		w.t.Fatalf("a kill damaged the database: %+v", damage)
	}
	w.db.Deliver(func(string) []store.Recipient { return []store.Recipient{{Endpoint: "crm"}} })
	w.loop = ingest.New(ingest.Options{Rules: numbers.Default(), Store: w.db, Plan: webhook.Plan, Log: slog.New(slog.DiscardHandler)})
	w.check(w.loop.Boot(ctx))
	ended := make(chan error, 1)
	go func() { ended <- w.loop.Run(ctx) }()
	w.calls()
	w.repairs(ctx)
	w.deliveries(ctx)
	w.keeping(ctx)
	cancel()
	w.check(errors.Join(<-ended, w.db.Close()))
}

// put gives facts to the loop and waits until they are on the disk.
func (w *work) put(name string, facts ...record.Event) {
	w.t.Helper()
	w.step(name, func() {
		want := w.loop.Stats().Applied + int64(len(facts))
		for _, e := range facts {
			w.loop.Put(e)
		}
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(time.Minute); w.loop.Stats().Applied < want; <-tick.C {
			if time.Now().After(deadline) {
				w.t.Fatalf("%s: not applied", name)
			}
		}
	})
}

// calls are followed live, one with a transfer that merges two; then its
// recording is whole.
func (w *work) calls() {
	w.t.Helper()
	for _, name := range []string{"in-answered", "xfer-refer-replaces"} {
		var facts []record.Event
		_, err := capture.Events(filepath.Join(captures, name, "ami.txt.gz"), nil, func(e record.Event) { facts = append(facts, e) })
		w.check(err)
		i := 0
		for chunk := range slices.Chunk(facts, 1+len(facts)/4) {
			w.put(fmt.Sprint(name, i), chunk...)
			i++
		}
	}
	list, _, err := w.db.Records(context.Background(), store.Query{Limit: 100})
	w.check(err)
	for _, r := range list {
		for _, rec := range r.Details.Recordings {
			w.put("settle "+rec.ID, record.Event{Kind: record.RecordingChecked, Source: record.SourceDisk, Value: r.CallID, Key: rec.ID,
				Recorded: record.FileFact{State: record.Ready, Bytes: 64044, Audio: 4 * time.Second}})
		}
	}
}

// repairs: CEL corrects and adds, one call went into another, gaps come and go,
// an import tells of the past.
func (w *work) repairs(ctx context.Context) {
	w.t.Helper()
	at := time.Unix(1_795_000_000, 0).UTC()
	missed := record.Record{CallID: "8.1", Direction: record.In, Disposition: record.Answered, SrcPhone: "79031000001", DstPhone: "101",
		Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "cel", Absorbed: []string{"8.0"}}}
	w.step("improve", func() {
		_, err := w.loop.Improve(ctx, []record.Record{missed})
		w.check(err)
	})
	w.step("gap", func() {
		w.check(w.db.AddGap(ctx, store.Gap{From: at, Why: "test"}))
		w.check(w.db.CloseGaps(ctx, at.Add(time.Minute)))
		gaps, err := w.db.Gaps(ctx)
		w.check(err)
		for _, g := range gaps {
			w.check(w.db.GapRepaired(ctx, g.ID, at.Add(time.Hour)))
		}
	})
	w.step("mark", func() {
		w.check(w.db.SetMark(ctx, "alive", at))
		w.check(w.db.ClearMark(ctx, "alive"))
	})
	w.step("clock", func() {
		w.check(w.db.SetClock(ctx, store.ClockMark{PBX: at, Ours: at}, []store.ClockLeap{{From: at, To: at}}))
	})
	w.step("import", func() {
		s, err := backfill.Open(backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.CSV, Path: filepath.Join(w.dir, "cel.csv")})
		w.check(err)
		_, err = repair.Import(ctx, repair.ImportOptions{Source: s, Rules: numbers.Default(), Store: w.db, Resume: true})
		w.check(errors.Join(err, s.Close()))
	})
}

// deliveries: the first answer is a refusal, the next a yes.
func (w *work) deliveries(ctx context.Context) {
	w.t.Helper()
	now := time.Now().Add(time.Hour)
	settle := func(state store.DeliveryState) int {
		list, _, err := w.db.Due(ctx, "crm", now, 1000)
		w.check(err)
		for i := range list {
			list[i].State, list[i].Attempts, list[i].Next = state, list[i].Attempts+1, now
		}
		w.check(w.db.Settle(ctx, list))
		return len(list)
	}
	w.step("refused", func() { settle(store.DeliveryWaiting); w.check(w.db.Hasten(ctx, "crm", time.Now())) })
	w.step("delivered", func() {
		for settle(store.Delivered) > 0 {
		}
	})
	w.step("told", func() { w.checkTold(ctx) })
}

// checkTold: each record is created once for the outside, whatever was killed,
// and what was told is in the outbox once; no call is open.
func (w *work) checkTold(ctx context.Context) {
	w.t.Helper()
	list, err := w.db.Changes(ctx, 0, 10_000)
	w.check(err)
	created := map[string]int{}
	for _, c := range list {
		if c.Kind == contract.RecordCreated {
			created[c.CallID]++
		}
	}
	records, _, err := w.db.Records(ctx, store.Query{Limit: 100})
	w.check(err)
	for _, r := range records {
		want := 1
		if r.Details.Source == "cel" && r.CallID != "8.1" {
			want = 0 // an import tells nobody
		}
		if created[r.CallID] != want {
			w.t.Errorf("record %s was created %d times, want %d", r.CallID, created[r.CallID], want)
		}
	}
	sent, err := w.db.Deliveries(ctx, store.Delivered, 0, 10_000)
	w.check(err)
	if len(sent) != len(list) {
		w.t.Errorf("%d changes, %d of them delivered", len(list), len(sent))
	}
	if facts, err := fixture.All(ctx, w.db.Journal); err != nil || len(facts) > 0 {
		w.t.Errorf("%d facts of open calls are left (%v)", len(facts), err)
	}
}

// keeping: old calls go, a person is forgotten, a copy is made.
func (w *work) keeping(ctx context.Context) {
	w.t.Helper()
	old := time.Unix(1_577_836_800, 0).UTC() // 2020
	const number = "79035550123"
	w.step("old", func() {
		for id, started := range map[string]time.Time{"6.1": old, "7.1": old.AddDate(4, 0, 0)} {
			r := record.Record{CallID: id, Direction: record.In, Disposition: record.Answered, SrcPhone: number, DstPhone: "101",
				Details: record.Details{StartedAt: started, EndedAt: started.Add(time.Minute), Source: "ami",
					Recordings: []record.Recording{{ID: "r", Path: "/m/x.wav", At: started, State: record.Ready}}}}
			fact := record.Event{At: started, Kind: record.Created, Channel: record.Channel{ID: id, Linked: id}, Number: number}
			w.check(w.db.Commit(ctx, &store.Batch{Journal: []store.Entry{{CallID: id, Event: fact}}, Records: []*record.Record{&r},
				Closed: []store.Closed{{CallID: id, At: started}}, Changes: []store.Change{{Record: &r, KindOf: contract.RecordKind, CallID: id, Body: []byte(`{}`)}}}))
		}
		w.check(longAgo(ctx, w.db.Path()))
	})
	w.step("keep_recordings", func() {
		list, err := w.db.OldRecordings(ctx, old.AddDate(1, 0, 0), store.RecordingFile{}, 10)
		w.check(err)
		w.check(w.db.RecordingsErased(ctx, list, 1))
	})
	w.step("keep", func() {
		_, err := w.db.PruneTraces(ctx, old.AddDate(0, 1, 0))
		w.check(err)
		_, err = w.db.PruneRecords(ctx, old.AddDate(1, 0, 0))
		w.check(err)
	})
	w.step("forget", func() {
		p, err := w.db.Person(ctx, number)
		w.check(err)
		_, err = w.db.Forget(ctx, p, 0)
		w.check(err)
		for _, part := range []string{"", "-wal"} {
			if data, err := os.ReadFile(w.db.Path() + part); err == nil && strings.Contains(string(data), number) {
				w.t.Errorf("the number is left in the database%s", part)
			}
		}
	})
	w.step("changes", func() {
		_, err := w.db.ParkOthers(ctx, []string{"crm"})
		w.check(err)
		w.check(w.db.ParkOld(ctx, "crm", time.Now().Add(time.Hour)))
		_, err = w.db.PruneChanges(ctx, time.Now().Add(time.Hour), time.Now().Add(time.Hour))
		w.check(err)
	})
	w.step("backup", func() {
		file := filepath.Join(w.dir, "copy.db")
		if _, err := w.db.Backup(ctx, file); err != nil && !errors.Is(err, os.ErrExist) {
			w.t.Fatal(err)
		}
		w.sound(file)
	})
}

func (w *work) sound(file string) {
	w.t.Helper()
	raw, err := sql.Open("sqlite3", file)
	w.check(err)
	var said string
	if err := raw.QueryRow(`PRAGMA integrity_check`).Scan(&said); err != nil || said != "ok" {
		w.t.Errorf("%s: %s (%v)", file, said, err)
	}
	w.check(raw.Close())
}

// kept gives what is in the file at the end.
func (w *work) kept() []record.Record {
	w.t.Helper()
	w.sound(filepath.Join(w.dir, "voipd.db"))
	db, err := store.OpenReadOnly(context.Background(), filepath.Join(w.dir, "voipd.db"))
	w.check(err)
	defer db.Close()
	list, _, err := db.Records(context.Background(), store.Query{Limit: 100})
	w.check(err)
	return list
}
