package repair_test

import (
	"database/sql"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/internal/repair"
	"github.com/voipd/voipd/store"
)

// BenchmarkImport imports CEL from a real MariaDB, as FreePBX keeps it.
func BenchmarkImport(b *testing.B) {
	const n = 20_000 // calls, two weeks of them
	dsn := databases.MariaDB(b)
	rows := fill(b, dsn, calls(b, "in-answered", backfill.CEL, n))
	s := open(b, backfill.SourceOptions{Name: "cel", Kind: backfill.CEL, Driver: backfill.MySQL, DSN: dsn})
	var most uint64
	for b.Loop() {
		db, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "voipd.db"))
		if err != nil {
			b.Fatal(err)
		}
		debug.FreeOSMemory() // of what filled the server
		var m runtime.MemStats
		done, err := repair.Import(b.Context(), repair.ImportOptions{Source: s, Rules: rules(), Store: db, Resume: true, Progress: func(repair.Imported) {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}})
		if err != nil || done.New != n {
			b.Fatal(done, err)
		}
		if err := db.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	b.ReportMetric(float64(most)/1e6, "MB-heap-peak")
}

// fill makes the table cel of FreePBX and gives how many rows it has.
func fill(b *testing.B, dsn, text string) int {
	b.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	names := backfill.CELLayouts()[0]
	table := "CREATE TABLE cel (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, " + strings.Join(names, " varchar(255), ") +
		" varchar(255), KEY eventtime (eventtime), KEY linkedid_index (linkedid))"
	if _, err := db.Exec(strings.Replace(table, "eventtime varchar(255)", "eventtime datetime(6)", 1)); err != nil {
		b.Fatal(err)
	}
	return insert(b, db, names, text, func(name, cell string) string {
		if name == "eventtime" {
			return date(b, cell)
		}
		return cell
	})
}

// insert writes rows of CSV into the table cel and gives how many there were.
func insert(t testing.TB, db *sql.DB, names []string, text string, change func(name, cell string) string) (n int) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	one := "(" + strings.Repeat("?, ", len(names)-1) + "?)"
	const at = 500
	for ; n < len(rows); n += at {
		part := rows[n:min(n+at, len(rows))]
		var args []any
		for _, row := range part {
			for i, cell := range row {
				if change != nil {
					cell = change(names[i], cell)
				}
				args = append(args, cell)
			}
		}
		if _, err := db.Exec(fmt.Sprintf("INSERT INTO cel (%s) VALUES %s", strings.Join(names, ", "),
			strings.Repeat(one+", ", len(part)-1)+one), args...); err != nil {
			t.Fatal(err)
		}
	}
	return len(rows)
}

func date(t testing.TB, seconds string) string {
	t.Helper()
	whole, micro, _ := strings.Cut(seconds, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(n, 0).UTC().Format(time.DateTime) + "." + micro
}
