package centre_test

import (
	"net/http"
	"testing"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
)

// checkForgottenStaysAway: a call that was forgotten does not come back by a late batch,
// nor by an edge that begins anew; other calls do.
func checkForgottenStaysAway(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "forgotten")
	must(t, h.AddTenant(t.Context(), "acme"))
	token := h.join(t, "acme", "a")
	const gone, stays, late = "1795366192.1", "1795366192.2", "1795366192.3"
	post := func(head contract.ShipHead, records ...contract.ShipRecord) {
		t.Helper()
		if got := h.ask(t, http.MethodPost, "/v1/ship", token, pack(t, head, records...)); got.status != 200 {
			t.Fatalf("HTTP %d %s", got.status, got.text)
		}
	}
	post(contract.ShipHead{Batch: 1, Instance: "db", After: 1, UpTo: 1, Begin: true}, shipped(gone, "79031112233", 5), shipped(stays, "790311122334", 6))
	for number, want := range map[string]int{"+7 (903) 111-22-33": 1, "7 999 999": 0} {
		if n, err := h.Forget(t.Context(), "acme", number); err != nil || n != want {
			t.Errorf("%s: %d calls were forgotten, want %d (%v)", number, n, want, err)
		}
	}
	if _, err := h.Forget(t.Context(), "acme", "101"); err == nil {
		t.Error("an extension was forgotten, which is in everybody's calls")
	}
	want := "a/" + stays + "=790311122334:6"
	if kept := h.phones(t, "acme"); kept != want {
		t.Errorf("there is %s, want %s", kept, want)
	}
	post(contract.ShipHead{Batch: 2, Instance: "db", After: 1, UpTo: 2}, shipped(gone, "79031112233", 7))
	post(contract.ShipHead{Batch: 3, Instance: "backup", After: 1, UpTo: 1, Begin: true}, shipped(gone, "79031112233", 8))
	if kept := h.phones(t, "acme"); kept != want {
		t.Errorf("there is %s, want %s", kept, want)
	}
	post(contract.ShipHead{Batch: 4, Instance: "backup", After: 1, UpTo: 2}, shipped(late, "7900", 1), shipped(gone, "79031112233", 9))
	if kept := len(h.records(t, "acme")["a"]); kept != 2 {
		t.Errorf("there are %d records, want 2", kept)
	}
}
