package centre_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/voipd/voipd/internal/centre"
	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
)

const (
	callOfA = "1795366192.23"
	callOfB = "1795366777.77"
	phoneB  = "79990001122"
)

// two makes a centre with a call of each of two tenants, whose PBXs have the same name,
// and gives the tokens of their edges and apps.
func two(t *testing.T, server *databases.PostgresServer, name string) (h *head, edgeA, edgeB, appA, appB string) {
	t.Helper()
	h = copied(t, server, name)
	must(t, h.AddTenant(t.Context(), "a"))
	must(t, h.AddTenant(t.Context(), "b"))
	edgeA, edgeB = h.join(t, "a", "office"), h.join(t, "b", "office")
	for _, x := range []struct{ token, call, phone string }{{edgeA, callOfA, "79030000001"}, {edgeB, callOfB, phoneB}} {
		head := contract.ShipHead{Batch: 1, Instance: "db", After: 3, UpTo: 3, Mark: "m", Begin: true}
		if got := h.ask(t, http.MethodPost, "/v1/ship", x.token, pack(t, head, shipped(x.call, x.phone, 5))); got.status != 200 {
			t.Fatalf("HTTP %d %s", got.status, got.text)
		}
	}
	var err error
	appA, err = h.AddToken(t.Context(), "a", "app", nil)
	must(t, err)
	appB, err = h.AddToken(t.Context(), "b", "app", nil)
	must(t, err)
	return h, edgeA, edgeB, appA, appB
}

// checkIsolation: what tenant A tries at what is B's, over every route. No answer may have
// anything of B, and nothing of B may change.
func checkIsolation(t *testing.T, server *databases.PostgresServer) {
	h, edgeA, edgeB, appA, appB := two(t, server, "isolation")
	attempts := func(t *testing.T) {
		t.Helper()
		forged := contract.ShipHead{Batch: 2, Instance: "db", After: 3, UpTo: 4, Mark: "m4"}
		for _, a := range []struct {
			name, method, path, token string
			body                      []byte
			status                    int
		}{
			{"read a list", "GET", "/v1/records", appA, nil, 200},
			{"read by PBX", "GET", "/v1/records?pbx=office", appA, nil, 200},
			{"read by a cursor of B's", "GET", "/v1/records?cursor=" + "MTc5NTM2Njc3NzAwMC9vZmZpY2UgOTk5OTk5OTk5OS45OQ", appA, nil, 200},
			{"read by id", "GET", "/v1/records/" + callOfB, appA, nil, 404},
			{"read by id and PBX", "GET", "/v1/records/" + callOfB + "?pbx=office", appA, nil, 404},
			{"search by call id", "GET", "/v1/records?callId=" + callOfB, appA, nil, 200},
			{"search by phone", "GET", "/v1/records?phone=" + phoneB, appA, nil, 200},
			{"search by a part of a number", "GET", "/v1/records?number=0001122", appA, nil, 200},
			{"count", "GET", "/v1/records?count=true&number=0001122", appA, nil, 200},
			{"inject", "GET", "/v1/records?name=" + "%27%20OR%20tenant%3D%27b%27%20--", appA, nil, 200},
			{"export CSV", "GET", "/v1/records.csv", appA, nil, 200},
			{"export NDJSON", "GET", "/v1/records.ndjson", appA, nil, 200},
			{"follow changes", "GET", "/v1/records?after=0", appA, nil, 200},
			{"list PBXs", "GET", "/v1/pbxs", appA, nil, 200},
			{"ask for a link", "POST", "/v1/call-link", appA, []byte(`{"call":{"callId":"` + callOfB + `"}}`), 501},
			{"read with an edge's token", "GET", "/v1/records", edgeA, nil, 401},
			{"ship with an app's token", "POST", "/v1/ship", appA, pack(t, forged, shipped(callOfB, "7666", 9)), 403},
			{"look at a place with an app's token", "GET", "/v1/ship", appB, nil, 403},
			{"count hours with an app's token", "GET", "/v1/ship/hours?from=2026-11-26T00:00:00Z&to=2026-11-27T00:00:00Z", appB, nil, 403},
			{"join by a guess", "POST", "/v1/join", "", []byte(`{"code":"office"}`), 403},
			{"no token", "GET", "/v1/records", "", nil, 401},
			{"a tenant's name as a token", "GET", "/v1/records", "b", nil, 401},
		} {
			got := h.ask(t, a.method, a.path, a.token, a.body)
			if got.status != a.status {
				t.Errorf("%s: HTTP %d, want %d: %s", a.name, got.status, a.status, got.text)
			}
			if a.status == 200 && (strings.Contains(got.text, callOfB) || strings.Contains(got.text, phoneB)) {
				t.Errorf("%s: the answer has what is B's: %s", a.name, got.text)
			}
		}
	}
	attempts(t)
	// The conditions of the centre's own statements hold alone as well.
	h.WithoutRole()
	attempts(t)
	h.restart(t)
	// Its own edge may say what it likes of B's call and B's PBX: they become A's.
	head := contract.ShipHead{Batch: 2, Instance: "db", After: 3, UpTo: 4, Mark: "m4"}
	got := h.ask(t, http.MethodPost, "/v1/ship?tenant=b&pbx=office", edgeA, pack(t, head, shipped(callOfB, "7666", 9)))
	if got.status != 200 {
		t.Errorf("ship a call with B's id: HTTP %d %s", got.status, got.text)
	}
	if kept := h.phones(t, "b"); kept != "office/"+callOfB+"="+phoneB+":5" {
		t.Errorf("B has %s", kept)
	}
	if p := h.ask(t, http.MethodGet, "/v1/ship", edgeB, nil).place(t); p.Seq != 3 || p.Batch != 1 {
		t.Errorf("B's place moved: %+v", p)
	}
	if kept := h.phones(t, "a"); !strings.Contains(kept, callOfA) {
		t.Errorf("A has %s", kept)
	}
	must(t, h.RevokeToken(t.Context(), "a", "app"))
	if got := h.ask(t, http.MethodGet, "/v1/records", appA, nil); got.status != 401 {
		t.Errorf("a revoked token reads: HTTP %d", got.status)
	}
	if got := h.ask(t, http.MethodGet, "/v1/records", appB, nil); got.status != 200 || !strings.Contains(got.text, phoneB) {
		t.Errorf("B reads HTTP %d %s", got.status, got.text)
	}
}

// checkSecondWall: with the tenant left out of every condition, row-level security alone
// keeps the rows of others, in whichever way they are asked for.
func checkSecondWall(t *testing.T, server *databases.PostgresServer) {
	h, _, _, _, _ := two(t, server, "wall")
	conn, err := pgx.Connect(t.Context(), h.dsn)
	must(t, err)
	defer conn.Close(t.Context())
	within := func(tenant string, f func(pgx.Tx)) {
		t.Helper()
		tx, err := conn.Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), `SELECT set_config('voipd.tenant', $1, true), set_config('role', $2, true)`, tenant, centre.Role)
		must(t, err)
		f(tx)
		must(t, tx.Rollback(t.Context()))
	}
	count := func(tx pgx.Tx, query string) (n int) {
		t.Helper()
		must(t, tx.QueryRow(t.Context(), query).Scan(&n))
		return n
	}
	for tenant, want := range map[string]int{"a": 1, "b": 1, "": 0, "nobody": 0} {
		within(tenant, func(tx pgx.Tx) {
			if n := count(tx, `SELECT count(*) FROM voipd.records`); n != want {
				t.Errorf("%q sees %d records, want %d", tenant, n, want)
			}
			for _, table := range []string{"tenants", "pbxs"} {
				if n := count(tx, `SELECT count(*) FROM voipd.`+table); n != want {
					t.Errorf("%q sees %d rows of %s, want %d", tenant, n, table, want)
				}
			}
		})
	}
	for name, statement := range map[string]string{
		"write into B":         `INSERT INTO voipd.records SELECT 'b', pbx, bucket, call_id || 'x', revision, change, first, rank, started_at, direction, disposition, src_phone, src_phone_ext, dst_phone, dst_phone_ext, duration, details, recordings, sum, keys, numbers, name FROM voipd.records`,
		"give a row to B":      `UPDATE voipd.records SET tenant = 'b'`,
		"forget for B":         `INSERT INTO voipd.forgotten (tenant, call) VALUES ('b', 'x')`,
		"tell B what is gone":  `INSERT INTO voipd.gone VALUES ('b', 9, 'office', 'x', '', now())`,
		"read tokens":          `SELECT * FROM voipd.tokens`,
		"read codes":           `SELECT * FROM voipd.codes`,
		"read secrets":         `SELECT * FROM voipd.secrets`,
		"read a partition":     `SELECT * FROM voipd.records_2026_11`,
		"read the other ones":  `SELECT * FROM voipd.records_other`,
		"empty the table":      `TRUNCATE voipd.records`,
		"take the policy away": `ALTER TABLE voipd.records DISABLE ROW LEVEL SECURITY`,
		"make a tenant":        `INSERT INTO voipd.tenants (tenant, pepper) VALUES ('c', 'x')`,
	} {
		within("a", func(tx pgx.Tx) {
			if _, err := tx.Exec(t.Context(), statement); err == nil {
				t.Errorf("%s: it was done", name)
			}
		})
	}
	for name, statement := range map[string]string{
		"delete what is B's": `DELETE FROM voipd.records WHERE tenant = 'b' RETURNING 1`,
		"change what is B's": `UPDATE voipd.records SET src_phone = '' WHERE call_id = '` + callOfB + `' RETURNING 1`,
		"move B's place":     `UPDATE voipd.pbxs SET seq = 0 WHERE tenant = 'b' RETURNING 1`,
	} {
		within("a", func(tx pgx.Tx) {
			tag, err := tx.Exec(t.Context(), statement)
			if err != nil || tag.RowsAffected() != 0 {
				t.Errorf("%s: %d rows, %v", name, tag.RowsAffected(), err)
			}
		})
	}
	// The owner of the tables, where it is no superuser, sees no record either.
	must(t, execute(t, conn, `CREATE ROLE plain LOGIN`))
	for _, table := range []string{"records", "forgotten"} {
		must(t, execute(t, conn, `ALTER TABLE voipd.`+table+` OWNER TO plain`))
	}
	must(t, execute(t, conn, `GRANT USAGE ON SCHEMA voipd TO plain`))
	must(t, execute(t, conn, `SET ROLE plain`))
	var n int
	must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM voipd.records`).Scan(&n))
	if n != 0 {
		t.Errorf("the owner sees %d records of no tenant", n)
	}
}

func execute(t testing.TB, conn *pgx.Conn, statement string) error {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	return err
}

// checkEveryTableHasTheWall: a table that a later migration makes has row-level security,
// also for its owner, and partitions can be read by nobody but through their parent.
func checkEveryTableHasTheWall(t *testing.T, server *databases.PostgresServer) {
	h, _, _, _, _ := two(t, server, "tables")
	conn, err := pgx.Connect(t.Context(), h.dsn)
	must(t, err)
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), `SELECT relname, relispartition, relrowsecurity AND relforcerowsecurity,
		has_table_privilege($1, oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') FROM pg_class WHERE relnamespace = 'voipd'::regnamespace AND relkind IN ('r', 'p')`, centre.Role)
	must(t, err)
	tables := 0
	var name string
	var partition, walled, open bool
	_, err = pgx.ForEachRow(rows, []any{&name, &partition, &walled, &open}, func() error {
		tables++
		if partition && open {
			t.Errorf("the partition %s can be read directly", name)
		}
		if !partition && !walled {
			t.Errorf("%s has no row-level security that holds for its owner, too", name)
		}
		return nil
	})
	must(t, err)
	if tables < 8 {
		t.Errorf("only %d tables were seen", tables)
	}
}
