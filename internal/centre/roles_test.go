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

// TestRoles: the owner of the tables is no superuser, and who serves is not the owner,
// as docs/centre.md sets it up.
func TestRoles(t *testing.T) {
	t.Parallel()
	server := databases.NewPostgresServer(t)
	dsn := server.Database(t, "roles")
	conn, err := pgx.Connect(t.Context(), dsn)
	must(t, err)
	defer conn.Close(t.Context())
	for _, s := range []string{`CREATE ROLE voipd_owner LOGIN CREATEROLE`, `GRANT ALL ON DATABASE roles TO voipd_owner`, `GRANT CREATE ON SCHEMA public TO voipd_owner`} {
		must(t, execute(t, conn, s))
	}
	as := func(user string) string { return strings.Replace(dsn, "user=voipd ", "user="+user+" ", 1) }
	must(t, centre.Migrate(t.Context(), as("voipd_owner")))
	must(t, centre.Migrate(t.Context(), as("voipd_owner"))) // again
	must(t, execute(t, conn, `CREATE ROLE voipd_app LOGIN IN ROLE voipd_centre`))
	owner, err := centre.Open(t.Context(), centre.Options{DSN: as("voipd_owner")})
	must(t, err)
	defer owner.Close()
	h := &head{dsn: as("voipd_app")}
	h.open(t)
	h.serve(t)
	t.Cleanup(func() { h.server.Close(); h.Close() })
	must(t, owner.AddTenant(t.Context(), "acme"))
	code, err := owner.AddEdge(t.Context(), "acme", "a")
	must(t, err)
	if err := h.AddTenant(t.Context(), "mine"); err == nil {
		t.Error("who serves made a tenant")
	}
	token := h.joinBy(t, code).Token
	must(t, h.MakeMonths(t.Context()))
	// A month of six years ago, one that lies far back, one that is ahead of its partition, and an id without time.
	calls := []contract.ShipRecord{shipped("915366192.23", "7900", 1), shipped("1605366192.23", "7900", 1), shipped("4000000000.1", "7900", 2), shipped("voip-me", "7900", 3), shipped("sys-1795366192.4", "7900", 4)}
	body := pack(t, contract.ShipHead{Batch: 1, Instance: "db", After: 1, UpTo: 1, Begin: true}, calls...)
	if got := h.ask(t, http.MethodPost, "/v1/ship", token, body); got.status != 200 {
		t.Fatalf("HTTP %d %s", got.status, got.text)
	}
	if kept := len(h.records(t, "acme")["a"]); kept != len(calls) {
		t.Errorf("%d records are kept, want %d", kept, len(calls))
	}
	in := func(id string) (table string) {
		t.Helper()
		must(t, conn.QueryRow(t.Context(), `SELECT c.relname FROM voipd.records r JOIN pg_class c ON c.oid = r.tableoid WHERE call_id = $1`, id).Scan(&table))
		return table
	}
	for id, want := range map[string]string{"915366192.23": "records_other", "1605366192.23": "records_2020_11", "4000000000.1": "records_other", "voip-me": "records_other", "sys-1795366192.4": "records_2026_11"} {
		if table := in(id); table != want {
			t.Errorf("%s is in %s, want %s", id, table, want)
		}
	}
	// When its month comes near, the partition is made and the row moves there.
	must(t, execute(t, conn, `SELECT voipd.month('2096-10-01')`))
	if table := in("4000000000.1"); table != "records_2096_10" {
		t.Errorf("the row is in %s", table)
	}
	if n, err := owner.Forget(t.Context(), "acme", "79000"); err != nil || n != 0 {
		t.Errorf("forgot %d, %v", n, err)
	}
}
