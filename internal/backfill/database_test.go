package backfill_test

import (
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/backfill"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/internal/numbers"
	"github.com/voipd/voipd/record"
)

// server is a database as the tests write into it.
type server struct {
	name   string
	driver string // of database/sql
	place  backfill.SourceOptions
	tables []string // CEL and CDR, as FreePBX and Asterisk's own samples make them
	mark   func(n int) string
	zone   *time.Location // of the dates that are written
}

// freePBX is the table cdr of FreePBX, freePBXCEL its table cel.
const freePBX = "CREATE TABLE cdr (calldate datetime NOT NULL DEFAULT '1970-01-02 00:00:00', clid varchar(80), src varchar(80), dst varchar(80), " +
	"dcontext varchar(80), channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), duration int, billsec int, " +
	"disposition varchar(45), amaflags int, accountcode varchar(20), uniqueid varchar(32), userfield varchar(255), did varchar(50), " +
	"recordingfile varchar(255), cnum varchar(80), cnam varchar(80), outbound_cnum varchar(80), outbound_cnam varchar(80), dst_cnam varchar(80), " +
	"linkedid varchar(32), peeraccount varchar(80), sequence int, KEY calldate (calldate), KEY linkedid (linkedid)) DEFAULT CHARSET=utf8mb4"

const freePBXCEL = "CREATE TABLE cel (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, eventtype varchar(30), eventtime datetime(6), cid_name varchar(80), " +
	"cid_num varchar(80), cid_ani varchar(80), cid_rdnis varchar(80), cid_dnid varchar(80), exten varchar(80), context varchar(80), " +
	"channame varchar(80), appname varchar(80), appdata varchar(255), amaflags int, accountcode varchar(20), uniqueid varchar(32), " +
	"linkedid varchar(32), peer varchar(80), userdeftype varchar(255), extra varchar(512), KEY eventtime (eventtime), " +
	"KEY linkedid_index (linkedid)) DEFAULT CHARSET=utf8mb4"

func servers(t *testing.T) []server {
	t.Helper()
	moscow := time.FixedZone("MSK", 3*3600)
	question := func(int) string { return "?" }
	return []server{
		{"sqlite", "sqlite3", backfill.SourceOptions{Driver: backfill.SQLite, Path: filepath.Join(t.TempDir(), "master?.db")}, []string{
			`CREATE TABLE cel (AcctId INTEGER PRIMARY KEY, eventtype, eventtime, cid_name, cid_num, exten, context, channame, appname, appdata,
				uniqueid, linkedid, extra)`,
			`CREATE TABLE cdr (AcctId INTEGER PRIMARY KEY, calldate TIMESTAMP, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, duration,
				billsec, disposition, uniqueid, linkedid, recordingfile, sequence)`,
		}, question, time.UTC},
		{"mariadb", "mysql", backfill.SourceOptions{Driver: backfill.MySQL}, []string{freePBXCEL, freePBX}, question, moscow},
		{"postgres", "pgx", backfill.SourceOptions{Driver: backfill.Postgres, Table: "asterisk.%s", Names: map[string]string{"linkedid": `Linked"ID`}}, []string{
			`CREATE SCHEMA asterisk`,
			`CREATE TABLE asterisk.cel (id serial, eventtype varchar(30), eventtime timestamptz, cid_name varchar(80), cid_num varchar(80),
				exten varchar(80), context varchar(80), channame varchar(80), appname varchar(80), appdata varchar(255), uniqueid varchar(150),
				"Linked""ID" varchar(150), extra text)`,
			`CREATE TABLE asterisk.cdr (start timestamp, answer timestamp, "end" timestamp, src varchar(80), dst varchar(80), dcontext varchar(80),
				channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80), duration int, billsec int,
				disposition varchar(45), uniqueid varchar(150), "Linked""ID" varchar(150), recordingfile varchar(255), sequence int)`,
		}, func(n int) string { return "$" + strconv.Itoa(n) }, moscow},
	}
}

// begin starts the server, if it is one, and makes its tables.
func (s *server) begin(t testing.TB) *sql.DB {
	t.Helper()
	dsn := s.place.Path
	switch s.place.Driver {
	case backfill.MySQL:
		s.place.DSN = databases.MariaDB(t)
		dsn = s.place.DSN
	case backfill.Postgres:
		s.place.DSN = databases.Postgres(t)
		dsn = s.place.DSN
	default:
		dsn = "file:" + strings.ReplaceAll(dsn, "?", "%3f") + "?_journal_mode=WAL"
	}
	db, err := sql.Open(s.driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, text := range s.tables {
		if _, err := db.Exec(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return db
}

// table is the table of a kind of rows.
func (s *server) table(kind string) string {
	if s.place.Table != "" {
		return fmt.Sprintf(s.place.Table, kind)
	}
	return kind
}

// of is the place of a kind of rows.
func (s *server) of(kind string) backfill.SourceOptions {
	p := s.place
	p.Name, p.Kind, p.Zone, p.Table = s.name, kind, s.zone, ""
	if s.place.Table != "" {
		p.Table = s.table(kind)
	}
	return p
}

// insert writes rows of the captures' layouts, shifted in time, into the
// server's table, whatever columns it has.
func (s *server) insert(t testing.TB, db *sql.DB, kind string, rows []string, shift time.Duration) {
	t.Helper()
	layout := backfill.CELLayouts()[0]
	if kind == backfill.CDR {
		layout = backfill.CDRLayouts()[0]
	}
	found, err := db.Query("SELECT * FROM " + s.table(kind) + " WHERE 1 = 0")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := found.Columns()
	found.Close()
	if err != nil {
		t.Fatal(err)
	}
	var names, marks []string
	var at []int
	for _, c := range columns {
		ours := map[string]string{`Linked"ID`: "linkedid", "calldate": "start"}[c]
		if ours == "" {
			ours = c
		}
		if i := slices.Index(layout, ours); i >= 0 {
			quoted := c
			if s.driver == "pgx" {
				quoted = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			names, marks, at = append(names, quoted), append(marks, s.mark(len(at)+1)), append(at, i)
		}
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	insert, err := tx.Prepare("INSERT INTO " + s.table(kind) + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		cells, err := csv.NewReader(strings.NewReader(row)).Read()
		if err != nil {
			t.Fatal(err)
		}
		args := make([]any, len(at))
		for i, place := range at {
			args[i] = s.value(t, layout[place], cells[place], shift)
		}
		if _, err := insert.Exec(args...); err != nil {
			t.Fatalf("%v: %v", cells, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// value is a cell as the server's table keeps it.
func (s *server) value(t testing.TB, column, cell string, shift time.Duration) any {
	t.Helper()
	switch column {
	case "eventtime":
		sec, micro, _ := strings.Cut(cell, ".")
		n, err := strconv.ParseInt(sec, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		us, err := strconv.ParseInt(micro, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		moment := time.Unix(n, us*1000).Add(shift)
		switch s.driver {
		case "pgx":
			return moment
		case "sqlite3":
			return fmt.Sprintf("%d.%06d", moment.Unix(), moment.Nanosecond()/1000)
		}
		return moment.In(s.zone).Format("2006-01-02 15:04:05.999999")
	case "start", "answer", "end":
		if cell == "" {
			return nil
		}
		moment, err := time.Parse(time.DateTime, cell)
		if err != nil {
			t.Fatal(err)
		}
		return moment.Add(shift).In(s.zone).Format(time.DateTime)
	case "amaflags":
		return 3 // DOCUMENTATION, as a number
	case "duration", "billsec", "sequence":
		n, err := strconv.Atoi(cell)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return cell
}

func officeRules() record.Rules {
	rules := numbers.Default()
	rules.Extensions = []*regexp.Regexp{regexp.MustCompile(`^1\d\d$`)}
	return rules
}

// told reads a span of a source.
func told(t testing.TB, p backfill.SourceOptions, span backfill.Span) ([]record.Record, backfill.Stats) {
	t.Helper()
	s, err := backfill.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []record.Record
	stats, err := s.Records(context.Background(), officeRules(), span, func(p backfill.Part) error {
		out = append(out, slices.Clone(p.Records)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(out, func(a, b record.Record) int { return strings.Compare(a.CallID, b.CallID) })
	return out, stats
}

// asFile reads CSV without the columns that the server's table has not: the
// seconds of FreePBX's cdr are duration and billsec alone.
func (s *server) asFile(kind string, read reader) reader {
	if kind != backfill.CDR || strings.Contains(strings.Join(s.tables, ""), "answer") {
		return read
	}
	columns := slices.Clone(backfill.CDRLayouts()[0])
	for i, name := range columns {
		if name == "answer" || name == "end" {
			columns[i] = "not there"
		}
	}
	return func(r io.Reader, _ backfill.Options, each func(record.Event)) (backfill.Stats, error) {
		return read(r, backfill.Options{Columns: columns}, each)
	}
}

// TestServersTellAsFilesDo: the rows of every capture, written into a database
// and read from it, give the records that they give as CSV.
func TestServersTellAsFilesDo(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.name, func(t *testing.T) {
			db := s.begin(t)
			for source, read := range readers() {
				files, err := filepath.Glob(captures + "*/*/" + source + ".csv.gz")
				if err != nil || len(files) < 60 {
					t.Fatal("no captures", err)
				}
				for _, file := range files {
					rows := lines(t, file)
					if _, err := db.Exec("DELETE FROM " + s.table(source)); err != nil {
						t.Fatal(err)
					}
					s.insert(t, db, source, rows, 0)
					want, whole := tell(t, s.asFile(source, read), rows)
					got, stats := told(t, s.of(source), backfill.Span{})
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s:\n%s", file, diff)
					}
					if stats != whole {
						t.Errorf("%s: %+v, want %+v", file, stats, whole)
					}
				}
			}
		})
	}
}

// TestSpans: calls over a span's edges are told whole, those outside are not.
func TestSpans(t *testing.T) {
	for _, s := range servers(t) {
		t.Run(s.name, func(t *testing.T) {
			db := s.begin(t)
			for source := range readers() {
				rows := lines(t, captures+"22/xfer-attended/"+source+".csv.gz")
				s.insert(t, db, source, rows, 0)
				later := strings.Split(strings.ReplaceAll(strings.Join(rows, "\n"), "1795", "1800"), "\n") // other ids; CEL's times too
				shift := 10 * 24 * time.Hour
				if source == "cel" {
					shift += 1795_000000*time.Second - 1800_000000*time.Second
				}
				s.insert(t, db, source, later, shift)
				all, _ := told(t, s.of(source), backfill.Span{})
				if len(all) != 2 {
					t.Fatalf("%s: %d records, want 2", source, len(all))
				}
				first, second := all[0], all[1]
				middle := first.Details.StartedAt.Add(first.Details.EndedAt.Sub(first.Details.StartedAt) / 2).Truncate(time.Second)
				for name, c := range map[string]struct {
					span backfill.Span
					want []record.Record
				}{
					"a moment of the first":     {backfill.Span{From: middle, To: middle.Add(time.Second)}, all[:1]},
					"from the middle":           {backfill.Span{From: middle}, all},
					"to the middle":             {backfill.Span{To: middle}, all[:1]},
					"between":                   {backfill.Span{From: first.Details.EndedAt.Add(5 * time.Hour), To: second.Details.StartedAt.Add(-5 * time.Hour)}, nil},
					"the second, from a day on": {backfill.Span{From: second.Details.StartedAt.Add(-24 * time.Hour)}, all[1:]},
				} {
					got, _ := told(t, s.of(source), c.span)
					if diff := cmp.Diff(c.want, got); diff != "" {
						t.Errorf("%s, %s:\n%s", source, name, diff)
					}
				}
			}
		})
	}
}

// TestWhatCannotBeRead: one line that says what and where, and no password.
func TestWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "other.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(`CREATE TABLE cdr (calldate, channel, note)`); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "text.db"), []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		place backfill.SourceOptions
		want  string
	}{
		"no file":    {backfill.SourceOptions{Kind: "cdr", Driver: "csv", Path: dir + "/none.csv"}, "no such file"},
		"no base":    {backfill.SourceOptions{Kind: "cdr", Driver: "sqlite", Path: dir + "/none.db"}, "unable to open"},
		"not a base": {backfill.SourceOptions{Kind: "cdr", Driver: "sqlite", Path: dir + "/text.db"}, "not a database"},
		"no table":   {backfill.SourceOptions{Kind: "cel", Driver: "sqlite", Path: path}, "no such table"},
		"no columns": {backfill.SourceOptions{Kind: "cdr", Driver: "sqlite", Path: path}, "has no column end or duration, only calldate, channel, note"},
		"injection":  {backfill.SourceOptions{Kind: "cdr", Driver: "sqlite", Path: path, Table: `cdr" WHERE 1; DROP TABLE "cdr`}, "no such table"},
		"bad dsn":    {backfill.SourceOptions{Kind: "cdr", Driver: "mysql", DSN: "root:hunter2@nowhere"}, "the dsn cannot be read"},
		"bad url":    {backfill.SourceOptions{Kind: "cdr", Driver: "postgres", DSN: "postgres://root:hunter2@host:port/x"}, "the dsn cannot be read"},
		"no server":  {backfill.SourceOptions{Kind: "cdr", Driver: "mysql", DSN: "root:hunter2@tcp(127.0.0.1:1)/x"}, "connection refused"},
		"nobody":     {backfill.SourceOptions{Kind: "cdr", Driver: "postgres", DSN: "postgres://root:hunter2@127.0.0.1:1/x"}, "connect"},
		"no driver":  {backfill.SourceOptions{Kind: "cdr", Driver: "oracle"}, "no driver"},
		"no kind":    {backfill.SourceOptions{Kind: "log", Driver: "csv"}, "rows of"},
	} {
		c.place.Name = "the-source"
		s, err := backfill.Open(c.place)
		if err == nil {
			_, err = s.Records(context.Background(), officeRules(), backfill.Span{}, func(backfill.Part) error { return nil })
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "the-source") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := db.Exec(`SELECT * FROM cdr`); err != nil {
		t.Error("the table is gone")
	}
}

func write(t testing.TB, path string, rows []string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(rows, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
