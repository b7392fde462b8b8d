package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// before makes a database of the version before rowid tables with n calls: each
// has a record of a kilobyte, a recording and a trace. Among them are keys and
// sizes at their ends.
func before(t testing.TB, path string, n int) {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(path, "rwc", ""), nil, &fileState{}})
	defer pool.Close()
	p, err := versions(pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), rowidVersion-1); err != nil {
		t.Fatal(err)
	}
	const many = `WITH RECURSIVE c (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n + 1 < ?) `
	for _, statement := range []string{
		many + `INSERT INTO records SELECT 1795366192 + n || '.' || n, 1795366192000 + n * 1000, 'in', CASE n % 5 WHEN 0 THEN 'no_answer' ELSE 'answered' END,
			'7903' || (n * 7919 % 50000), '', 1000 + n % 200, '', n % 60, n % 3,
			'{"startedAt":"2026-11-22T16:49:52Z","ringMs":0,"waitMs":0,"holdMs":0,"talkMs":' || n || ',"callerName":"' || hex(zeroblob(430)) || '","beganBy":"external","source":"ami"}', n FROM c`,
		`UPDATE records SET call_id = '' WHERE call_id = '1795366195.3' AND ? > 0`,
		`UPDATE records SET call_id = 'ю-' || char(0x10FFFF) WHERE call_id = '1795366196.4' AND ? > 0`,
		`INSERT INTO recordings (call_id, n, id, path, at, state, bytes, ms, talk, found) SELECT call_id, 0, 'r', '/m/x.wav', started_at, 'ready', 1, 1, 1, 0 FROM records WHERE ? > 0`,
		`INSERT INTO traces SELECT call_id, started_at, randomblob(500 + rank) FROM records WHERE ? > 0`,
		`UPDATE traces SET events = randomblob(300000) WHERE call_id = '1795366199.7' AND ? > 0`,
	} {
		if _, err := pool.ExecContext(t.Context(), statement, n); err != nil {
			t.Fatal(err)
		}
	}
}

// fewer makes steps of so many rows.
func fewer(rows int) Option { return func(db *DB) { db.moving.rows = rows } }

// kept are all rows of what is copied, and of what refers to it.
func kept(t testing.TB, path string) (out []string) {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(path, "rw", ""), nil, &fileState{}})
	defer pool.Close()
	for _, query := range []string{
		`SELECT quote(call_id) || quote(started_at) || quote(direction) || quote(disposition) || quote(src_phone) || quote(src_phone_ext) || quote(dst_phone) ||
			quote(dst_phone_ext) || quote(duration) || quote(rank) || quote(details) || quote(written) FROM records ORDER BY call_id`,
		`SELECT quote(call_id) || quote(at) || quote(events) FROM traces ORDER BY call_id`,
		`SELECT quote(call_id) || quote(id) || quote(at) FROM recordings ORDER BY call_id, id`,
	} {
		some, err := column[string](t.Context(), pool, query)
		if err != nil {
			t.Fatal(err)
		}
		out = append(append(out, some...), "")
	}
	return out
}

// migrated opens a database, and checks that its rows are the wanted ones and
// that nothing but these and the rowid tables is left.
func migrated(t *testing.T, path string, want []string, options ...Option) {
	t.Helper()
	db, err := Open(t.Context(), path, options...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, kept(t, path)); diff != "" {
		t.Errorf("other rows (-before +now):\n%.1000s", diff)
	}
	for query, want := range map[string]int64{
		`SELECT count(*) FROM sqlite_schema WHERE name IN ('records', 'traces') AND sql NOT LIKE '%WITHOUT ROWID%'`:      2,
		`SELECT count(*) FROM sqlite_schema WHERE name LIKE '%rowid%'`:                                                   0,
		`SELECT count(*) FROM sqlite_schema WHERE tbl_name IN ('records', 'traces') AND type = 'index' AND sql NOT NULL`: 4,
		`SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`:                                      0,
		`SELECT count(*) FROM records WHERE call_id NOT IN (SELECT call_id FROM places)`:                                 0,
		`SELECT count(*) FROM placing`:                  0,
		`SELECT count(*) FROM pragma_foreign_key_check`: 0,
		`PRAGMA foreign_keys`:                           1,
		`PRAGMA cache_size`:                             -4000,
	} {
		if n, err := number(t.Context(), db.writer, query); err != nil || n != want {
			t.Errorf("%s: %d, want %d (%v)", query, n, want, err)
		}
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

const killEnv = "VOIPD_KILL" // "N|PATH": open the database, and be killed at about the Nth step

// TestRowidKilledChild is the process that is killed; alone it does nothing.
func TestRowidKilledChild(t *testing.T) {
	at, path, ok := strings.Cut(os.Getenv(killEnv), "|")
	if !ok {
		t.Skip("it is the child of TestRowidKilled")
	}
	var n int
	if _, err := fmt.Sscan(at, &n); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, fewer(50), Tapped(func(string) error {
		if n--; n == 0 {
			// Beside the writer, which goes on: death comes wherever that is by then.
			go func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL) }()
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	select {} // the kill is under way
}

// TestRowidKilled: the process is killed at ten random moments of the migration,
// some of them twice, and nothing is lost.
func TestRowidKilled(t *testing.T) {
	const calls = 700
	original := filepath.Join(t.TempDir(), "voipd.db")
	before(t, original, calls)
	want := kept(t, original)
	steps := 0
	whole := copied(t, original)
	migrated(t, whole, want, fewer(50), Tapped(func(string) error { steps++; return nil }))
	if steps < 100 {
		t.Fatalf("%d steps: the copy is not done in pieces", steps)
	}
	unfinished := 0
	for range 10 {
		path := copied(t, original)
		var at []int
		for range 1 + rand.IntN(2) {
			at = append(at, 1+rand.IntN(steps*3/4/max(1, 2*len(at))))
			child := exec.Command(os.Args[0], "-test.run=^TestRowidKilledChild$")
			child.Env = append(os.Environ(), fmt.Sprintf("%s=%d|%s", killEnv, at[len(at)-1], path))
			out, err := child.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("not killed at %v of %d: %v: %s", at, steps, err, out)
			}
		}
		if diff := cmp.Diff(want, kept(t, path)); diff != "" { // a voipd of before reads it
			t.Errorf("killed at %v of %d, before the next start:\n%.1000s", at, steps, diff)
		}
		if version(t, path) < rowidVersion || placing(t, path) {
			unfinished++
		}
		migrated(t, path, want, fewer(50))
		if t.Failed() {
			t.Fatalf("killed at %v of %d", at, steps)
		}
	}
	if unfinished == 0 {
		t.Error("no kill came before the end")
	}
}

// placing tells whether records have no places yet.
func placing(t *testing.T, path string) bool {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(path, "ro", ""), nil, &fileState{}})
	defer pool.Close()
	return placingRows(t.Context(), pool) > 0
}

// copied is a copy of a database that nobody has open.
func copied(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "voipd.db")
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

func version(t testing.TB, path string) int64 {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(path, "rw", ""), nil, &fileState{}})
	defer pool.Close()
	n, err := number(t.Context(), pool, `SELECT max(version_id) FROM goose_db_version`)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestRowidGoesOn: a start that fails at a step is gone on with by the next, which
// copies no row again.
func TestRowidGoesOn(t *testing.T) {
	original := filepath.Join(t.TempDir(), "voipd.db")
	before(t, original, 400)
	want := kept(t, original)
	for _, cut := range []string{"before INSERT records_rowid", "after COMMIT", "before DROP records", "after DROP records", "after ALTER records_rowid", "before INSERT goose_db_version"} {
		t.Run(cut, func(t *testing.T) {
			path := copied(t, original)
			times := 5 // of several, which of them
			if !strings.HasSuffix(cut, "INSERT records_rowid") && !strings.HasSuffix(cut, "COMMIT") {
				times = 1
			}
			var done Moved
			_, err := Open(t.Context(), path, fewer(50), Moving(func(m Moved) { done = m }), Tapped(func(point string) error {
				if point == cut {
					if times--; times == 0 {
						return errors.New("the disk is gone")
					}
				}
				return nil
			}))
			if err == nil || !strings.Contains(err.Error(), "the disk is gone") {
				t.Fatal(err)
			}
			first := true
			migrated(t, path, want, fewer(50), Moving(func(m Moved) {
				if first && m.Table == done.Table && m.Done < done.Done {
					t.Errorf("%v, after %v", m, done)
				}
				first = false
			}))
		})
	}
}

// TestRowidBesideTheOldVoipd: what a voipd of before writes while the copy is
// under way is in the new tables.
func TestRowidBesideTheOldVoipd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "voipd.db")
	before(t, path, 400)
	_, err := Open(t.Context(), path, fewer(50), Tapped(func() Tap {
		n := 0
		return func(point string) error {
			if point == "before INSERT records_rowid" {
				if n++; n == 4 {
					return errors.New("stopped")
				}
			}
			return nil
		}
	}()))
	if err == nil {
		t.Fatal("the migration came to its end")
	}
	old := sql.OpenDB(&dialer{dsn(path, "rw", "_foreign_keys=1"), nil, &fileState{}})
	const values = `'in', 'answered', '1', '', '2', '', 1, 1, '{}', 7`
	for _, statement := range []string{
		`UPDATE records SET disposition = 'busy' WHERE call_id IN (SELECT call_id FROM records ORDER BY call_id LIMIT 3 OFFSET 10)`,      // copied
		`UPDATE records SET disposition = 'busy' WHERE call_id IN (SELECT call_id FROM records ORDER BY call_id DESC LIMIT 3 OFFSET 10)`, // not copied yet
		`DELETE FROM records WHERE call_id IN (SELECT call_id FROM records ORDER BY call_id LIMIT 3 OFFSET 20)`,
		`DELETE FROM records WHERE call_id IN (SELECT call_id FROM records ORDER BY call_id DESC LIMIT 3 OFFSET 20)`,
		`INSERT INTO records VALUES ('0.1', 1, ` + values + `)`, // in front of what is copied
		`INSERT INTO records VALUES ('9.1', 1, ` + values + `)`, // behind it
		`INSERT OR IGNORE INTO records VALUES ('9.2', 1, ` + values + `)`,
		`INSERT INTO records VALUES ('0.1', 2, ` + values + `) ON CONFLICT (call_id) DO UPDATE SET started_at = excluded.started_at`,
		`INSERT OR REPLACE INTO records VALUES ('9.1', 3, ` + values + `)`,
	} {
		res, err := old.ExecContext(t.Context(), statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 || n > 3 {
			t.Errorf("%s: %d rows (%v)", statement, n, err) // what triggers write does not count
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	migrated(t, path, kept(t, path), fewer(50))
}

// TestRowidNeedsSpace: without room for the copy the start says how much is
// needed, and where, and has changed nothing; what it says is what is used.
func TestRowidNeedsSpace(t *testing.T) {
	const calls = 3000
	path := filepath.Join(t.TempDir(), "voipd.db")
	before(t, path, calls)
	want := kept(t, path)
	had, _ := use(t, path)
	room := int64(0)
	disk := func(db *DB) { db.moving.free = func(string) (int64, error) { return room, nil } }
	_, err := Open(t.Context(), path, fewer(500), disk)
	if err == nil || TroubleOf(err) != Full || !strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Fatal(err)
	}
	var need int64
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), "needs about"):], "needs about %d MiB", &need); err != nil {
		t.Fatal(err)
	}
	has, _ := use(t, path)
	if diff := cmp.Diff(want, kept(t, path)); diff != "" || version(t, path) != rowidVersion-1 || has != had {
		t.Errorf("it was changed: version %d, %d bytes, %.500s", version(t, path), has, diff)
	}
	room = (need + 1) << 20
	migrated(t, path, want, fewer(500), disk)
	has, _ = use(t, path)
	if asked := need<<20 - logRoom; has > asked || has < asked/2 {
		t.Errorf("the new tables take %d bytes, %d were asked for", has, asked)
	}
}

// use is how many bytes of a database hold something, and how many nothing.
func use(t testing.TB, path string) (used, unused int64) {
	t.Helper()
	pool := sql.OpenDB(&dialer{dsn(path, "rw", ""), nil, &fileState{}})
	defer pool.Close()
	err := pool.QueryRowContext(context.Background(), `SELECT (page_count - freelist_count) * page_size, freelist_count * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&used, &unused)
	if err != nil {
		t.Fatal(err)
	}
	return used, unused
}

// TestRowidFile: the log stays small while much is copied, the space of the old
// tables is used for new rows, and a backup has none of it.
func TestRowidFile(t *testing.T) {
	const calls = 20_000
	path := filepath.Join(t.TempDir(), "voipd.db")
	before(t, path, calls)
	want := kept(t, path)
	had, _ := use(t, path)
	var largest int64
	var last Moved
	migrated(t, path, want, Moving(func(m Moved) {
		if m.Table == "records" {
			last = m
		}
		if info, err := os.Stat(path + "-wal"); err == nil {
			largest = max(largest, info.Size())
		}
	}))
	used, unused := use(t, path)
	if last != (Moved{Table: "records", Done: calls - 1, Total: calls}) { // an empty key, which no call has, comes at the end
		t.Errorf("the last of what was told: %v", last)
	}
	if largest == 0 || largest > used/2 {
		t.Errorf("the log grew to %d bytes for %d that were copied", largest, used)
	}
	if used > had/2 || unused < had/2 {
		t.Errorf("%d bytes are used and %d are not, %d were used before", used, unused, had)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Backup(t.Context(), backup)
	if err != nil || c.Records != calls || c.Bytes > used*11/10 {
		t.Errorf("the backup: %+v (%v)", c, err)
	}
	for _, statement := range []string{
		`INSERT INTO records SELECT 'new-' || call_id, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, rank, details, written FROM records LIMIT 5000`,
		`DELETE FROM records WHERE call_id LIKE 'new-%'`,
	} {
		if _, err := db.writer.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if now, free := use(t, path); now+free != used+unused {
		t.Errorf("new rows made the file grow from %d to %d bytes", used+unused, now+free)
	}
	migrated(t, backup, want)
}
