package repair_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

const captures = "../../record/testdata/captures/22/"

// calls are the rows of a capture n times, a minute apart, each with ids of its
// own.
func calls(t testing.TB, name, kind string, n int) string {
	t.Helper()
	text, err := capture.ReadFile(captures + name + "/" + kind + ".csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	second := regexp.MustCompile(`\b\d{10}\.`) // of times and of ids
	for i := range n {
		out.WriteString(second.ReplaceAllStringFunc(string(text), func(s string) string {
			at, err := strconv.Atoi(s[:10])
			if err != nil {
				t.Fatal(err)
			}
			return strconv.Itoa(at+60*i) + "."
		}))
	}
	return out.String()
}

func source(t testing.TB, kind, text string) *backfill.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), kind+".csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, backfill.SourceOptions{Name: kind, Kind: kind, Driver: backfill.CSV, Path: path})
}

// sourceThatPanics is a CEL file; fault is called before each fact of it.
func sourceThatPanics(t testing.TB, text string, fault func(record.Event)) *backfill.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cel.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.CSV, Path: path, Fault: fault})
}

func open(t testing.TB, p backfill.SourceOptions) *backfill.Source {
	t.Helper()
	s, err := backfill.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func newStore(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "voipd.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func rules() record.Rules {
	r := numbers.Default()
	r.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	return r
}

// all are the records that are kept.
func all(t testing.TB, db *store.DB) []record.Record {
	t.Helper()
	list, more, err := db.Records(t.Context(), store.Query{Limit: 100_000})
	if err != nil || more {
		t.Fatal(err, more)
	}
	return list
}

func imported(t testing.TB, o repair.ImportOptions) repair.Imported {
	t.Helper()
	n, err := repair.Import(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const many = 1050

// TestImportTwice: the second time changes nothing, whether it goes on or
// begins anew.
func TestImportTwice(t *testing.T) {
	for _, kind := range []string{backfill.CEL, backfill.CDR} {
		db, s := newStore(t), source(t, kind, calls(t, "in-answered", kind, many))
		if kind == backfill.CDR {
			s = source(t, kind, calls(t, "in-answered", kind, 1)) // its times are dates
		}
		dry := imported(t, repair.ImportOptions{Source: s, Rules: rules(), Store: db, DryRun: true, Resume: true})
		if got := all(t, db); len(got) != 0 {
			t.Fatalf("%s: a dry run wrote %d records", kind, len(got))
		}
		first := imported(t, repair.ImportOptions{Source: s, Rules: rules(), Store: db, Resume: true})
		if !cmp.Equal(first, dry) || first.New != first.Calls || first.New == 0 || kind == backfill.CEL && first.New != many {
			t.Errorf("%s: %+v, a dry run told %+v", kind, first, dry)
		}
		want := all(t, db)
		for _, resume := range []bool{true, false} {
			again := imported(t, repair.ImportOptions{Source: s, Rules: rules(), Store: db, Resume: resume})
			if again.New+again.Replaced != 0 || resume && kind == backfill.CEL && again.Calls > many/10 {
				t.Errorf("%s, resume %v: %+v", kind, resume, again)
			}
			if diff := cmp.Diff(want, all(t, db)); diff != "" {
				t.Errorf("%s, resume %v: %s", kind, resume, diff)
			}
		}
	}
}

// TestImportStopped: stopped after each of its steps and begun again, it comes
// to the same records.
func TestImportStopped(t *testing.T) {
	text := calls(t, "in-cancel", backfill.CEL, many)
	whole := newStore(t)
	imported(t, repair.ImportOptions{Source: source(t, backfill.CEL, text), Rules: rules(), Store: whole, Resume: true})
	t.Run("csv", func(t *testing.T) { stopped(t, source(t, backfill.CEL, text), whole) })
	path := filepath.Join(t.TempDir(), "master.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names := backfill.CELLayouts()[0]
	if _, err := db.Exec("CREATE TABLE cel (AcctId INTEGER PRIMARY KEY, " + strings.Join(names, ", ") + ")"); err != nil {
		t.Fatal(err)
	}
	insert(t, db, names, text, nil)
	t.Run("sqlite", func(t *testing.T) {
		stopped(t, open(t, backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.SQLite, Path: path}), whole)
	})
}

func stopped(t *testing.T, s *backfill.Source, whole *store.DB) {
	t.Helper()
	db, stops := newStore(t), 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := repair.Import(ctx, repair.ImportOptions{Source: s, Rules: rules(), Store: db, Resume: true, Progress: func(n repair.Imported) {
			if n.New > 0 && n.Share < 1 {
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if stops++; !errors.Is(err, context.Canceled) || stops > many {
			t.Fatal(err)
		}
	}
	if stops < 2 {
		t.Errorf("it was stopped %d times", stops)
	}
	if diff := cmp.Diff(all(t, whole), all(t, db)); diff != "" {
		t.Error(diff)
	}
}

// TestWhoOutranksWhom: live before CEL before CDR, in whatever order they come.
func TestWhoOutranksWhom(t *testing.T) {
	for _, order := range [][]string{{"cel", "cdr"}, {"cdr", "cel"}, {"ami", "cdr", "cel"}, {"cdr", "cel", "ami"}, {"cut", "cdr"}, {"cut", "cdr", "cel"}, {"lost", "cdr"}} {
		db := newStore(t)
		for _, who := range order {
			if who == "cel" || who == "cdr" {
				imported(t, repair.ImportOptions{Source: source(t, who, calls(t, "in-answered", who, 1)), Rules: rules(), Store: db})
				continue
			}
			var b store.Batch
			b.Put(live(t, who))
			if err := db.Commit(t.Context(), &b); err != nil {
				t.Fatal(err)
			}
		}
		best := map[string]string{"cel": "cel", "cdr": "cdr"}[order[len(order)-1]]
		for _, rule := range []struct{ has, best string }{{"cdr", "cdr"}, {"cut", "ami"}, {"cel", "cel"}, {"ami", "ami"}} {
			if strings.Contains(fmt.Sprint(order), rule.has) {
				best = rule.best
			}
		}
		got := all(t, db)
		if len(got) != 1 || got[0].Details.Source != best {
			t.Errorf("%v: %d records, told by %s; want one by %s", order, len(got), got[0].Details.Source, best)
		}
		if fmt.Sprint(order) == "[cut cdr cel]" && len(got[0].Details.Recordings) != 2 {
			t.Errorf("recordings that only the live source saw are lost: %+v", got[0].Details.Recordings)
		}
	}
}

// live is the call as AMI told it: whole, cut, or with its outcome lost.
func live(t *testing.T, how string) record.Record {
	t.Helper()
	db := newStore(t)
	imported(t, repair.ImportOptions{Source: source(t, "cel", calls(t, "in-answered", "cel", 1)), Rules: rules(), Store: db})
	r := all(t, db)[0]
	r.Details.Source = "ami"
	switch how {
	case "cut":
		r.Details.Approximate = []string{"its end was not seen"}
		r.Details.Recordings = append(r.Details.Recordings, record.Recording{ID: "x", Path: "/queue.wav", At: r.Details.StartedAt, State: record.Ready})
	case "lost":
		r.Details.Approximate, r.Disposition = []string{"its end was not seen"}, record.Unknown
	}
	return r
}

// TestNothingTwice: CDR tells a pickup as two calls where CEL saw one, and no
// second record comes of it; nor does one of a call that goes on.
func TestNothingTwice(t *testing.T) {
	db := newStore(t)
	imported(t, repair.ImportOptions{Source: source(t, "cel", calls(t, "pickup-directed", "cel", 1)), Rules: rules(), Store: db})
	kept := all(t, db)
	if len(kept) != 1 || len(kept[0].Details.Absorbed) == 0 {
		t.Fatalf("the capture has %+v", kept)
	}
	double := kept[0]
	double.CallID, double.Details.Absorbed, double.Details.Source = kept[0].Details.Absorbed[0], nil, "cdr"
	if v, _, _, err := db.Judge(t.Context(), double); v != record.Keep || err != nil {
		t.Errorf("a part of a call would become a record: %v, %v", v, err)
	}
	other := newStore(t)
	if err := other.Commit(t.Context(), batch(double)); err != nil {
		t.Fatal(err)
	}
	if v, _, doubles, err := other.Judge(t.Context(), kept[0]); v != record.Add || len(doubles) != 1 || err != nil {
		t.Errorf("got %v, %v, %v", v, doubles, err)
	}
	if err := other.Commit(t.Context(), batch(kept...)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, all(t, other)); diff != "" {
		t.Error(diff)
	}
	open := newStore(t)
	if err := open.Commit(t.Context(), &store.Batch{Journal: []store.Entry{{CallID: kept[0].CallID}}}); err != nil {
		t.Fatal(err)
	}
	if v, _, _, err := open.Judge(t.Context(), kept[0]); v != record.Keep || err != nil {
		t.Errorf("a call that goes on would be told: %v, %v", v, err)
	}
}

// batch has records alone.
func batch(all ...record.Record) *store.Batch {
	var b store.Batch
	b.Put(all...)
	return &b
}
