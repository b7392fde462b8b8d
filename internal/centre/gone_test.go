package centre_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// feed is what a stream of the tenant tells from its beginning.
func (h *head) feed(t testing.TB, tenant string) string {
	t.Helper()
	list, err := h.Told(t.Context(), tenant, 0, 100)
	must(t, err)
	var out []string
	for _, c := range list {
		var b contract.Body
		must(t, json.Unmarshal(c.Body, &b))
		what := c.Kind + " " + b.Call.CallID
		if b.Record == nil {
			what += "@" + b.Call.PBX
		}
		if b.Call.Into != "" {
			what += ">" + b.Call.Into
		}
		out = append(out, what)
	}
	return strings.Join(out, ", ")
}

// checkGone: calls that their edge has no more, step by step: what is there after each, and
// what was told in the end.
func checkGone(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "gone")
	must(t, h.AddTenant(t.Context(), "acme"))
	must(t, h.AddTenant(t.Context(), "other"))
	token, next, foreign := h.join(t, "acme", "a"), h.join(t, "acme", "b"), h.join(t, "other", "a")
	const asked, into, secret, stays = "1795366192.1", "1795366192.2", "1795366192.3", "1795366192.4"
	for _, of := range []string{next, foreign} {
		body := pack(t, contract.ShipHead{Batch: 1, Instance: "db", Begin: true}, shipped(asked, "7900", 1), shipped(secret, "7900", 1))
		if got := h.ask(t, http.MethodPost, "/v1/ship", of, body); got.status != 200 {
			t.Fatalf("HTTP %d %s", got.status, got.text)
		}
	}
	others := len(h.records(t, "acme")["b"]) + len(h.records(t, "other")["a"])
	aside := shipped(stays, "7900", 1)
	aside.Details = []byte(strings.Replace(string(aside.Details), `"source"`, `"mergedInto":"`+into+`","source"`, 1))
	merged, forgotten := contract.Gone{CallID: asked, Into: into}, contract.Gone{CallID: secret}
	batch := int64(0)
	for _, step := range []struct {
		name    string
		gone    []contract.Gone
		records []contract.ShipRecord
		begin   bool
		again   bool // the batch of before, with its number
		refused int
		kept    int
	}{
		{name: "what is there", begin: true, records: []contract.ShipRecord{shipped(asked, "7900", 1), shipped(into, "7900", 1), shipped(secret, "7900", 1), aside}, kept: 4},
		{name: "one was part of another, one was forgotten, one says itself that it was part", gone: []contract.Gone{merged, forgotten, {CallID: stays, Into: into}}, kept: 2},
		{name: "the same again", again: true, gone: []contract.Gone{merged, forgotten}, kept: 2},
		{name: "told once more", gone: []contract.Gone{merged, forgotten}, kept: 2},
		{name: "ids that are none", gone: []contract.Gone{{}, {CallID: "a\x00"}, {CallID: stays, Into: "\x00"}, {CallID: strings.Repeat("1", 257)}}, refused: 4, kept: 2},
		{name: "a call that never came", gone: []contract.Gone{{CallID: "1795366192.9"}}, kept: 2},
		{name: "a late account of the forgotten one", records: []contract.ShipRecord{shipped(secret, "7900", 2)}, kept: 2},
		{name: "an edge restored from before tells both", begin: true, records: []contract.ShipRecord{shipped(secret, "7900", 2), shipped(asked, "7900", 2)}, kept: 3},
		{name: "its record and that it went, in one batch", gone: []contract.Gone{merged}, records: []contract.ShipRecord{shipped(asked, "7900", 3)}, kept: 3},
		{name: "it goes again", gone: []contract.Gone{merged}, kept: 2},
	} {
		if !step.again {
			batch++
		}
		got := h.ask(t, http.MethodPost, "/v1/ship", token, pack(t, contract.ShipHead{Batch: batch, Instance: "db", Begin: step.begin, Gone: step.gone}, step.records...))
		if got.status != 200 || len(got.place(t).Refused) != step.refused {
			t.Errorf("%s: HTTP %d %s", step.name, got.status, got.text)
		}
		if kept := h.records(t, "acme")["a"]; len(kept) != step.kept {
			t.Errorf("%s: %d records, want %d", step.name, len(kept), step.kept)
		}
	}
	if now := len(h.records(t, "acme")["b"]) + len(h.records(t, "other")["a"]); now != others {
		t.Errorf("%d records of other PBXs and tenants are there, want %d", now, others)
	}
	told := h.feed(t, "acme")
	for _, want := range []string{"call.merged " + asked + "@a>" + into, "record.erased " + secret + "@a"} {
		if !strings.Contains(told, want) {
			t.Errorf("told was %s, want %s in it", told, want)
		}
	}
	if !strings.HasSuffix(told, "call.merged "+asked+"@a>"+into) || strings.Count(told, "call.merged") != 2 || strings.Count(told, "record.erased") != 1 {
		t.Errorf("told was %s", told)
	}
	if told := h.feed(t, "other"); strings.Contains(told, "merged") || strings.Contains(told, "erased") {
		t.Errorf("the other tenant was told %s", told)
	}
	many := make([]contract.Gone, contract.MostGone+1)
	for i := range many {
		many[i].CallID = fmt.Sprint(i)
	}
	if got := h.ask(t, http.MethodPost, "/v1/ship", token, pack(t, contract.ShipHead{Batch: batch + 1, Instance: "db", Gone: many})); got.status != 422 {
		t.Errorf("too many at once: HTTP %d", got.status)
	}
}

// forget forgets a number at an edge, as voipd forget does.
func forget(t testing.TB, db *store.DB, number string) {
	t.Helper()
	p, err := db.Person(t.Context(), number)
	must(t, err)
	_, err = db.Forget(t.Context(), p, 0)
	must(t, err)
}

// forget forgets the outside number of one of the office's calls.
func (o *office) forget(t testing.TB) {
	t.Helper()
	db, err := store.Open(t.Context(), o.config.Store.Path)
	must(t, err)
	defer db.Close()
	for _, r := range o.records(t) {
		if r.Direction == record.In && len(r.SrcPhone) >= 7 {
			forget(t, db, r.SrcPhone)
			if len(o.records(t)) == 0 {
				t.Fatal("nothing is left to be compared")
			}
			return
		}
	}
	t.Fatal("there is no call from outside")
}

// edgeHas are the records of an edge's database, as the centre should have them.
func edgeHas(t testing.TB, db *store.DB) func() map[string]map[string]record.Record {
	return func() map[string]map[string]record.Record {
		list, _, err := db.Records(t.Context(), store.Query{Limit: 1000})
		must(t, err)
		all := map[string]record.Record{}
		for _, r := range list {
			all[r.CallID] = r
		}
		if len(all) == 0 {
			return map[string]map[string]record.Record{}
		}
		return map[string]map[string]record.Record{"office": asPBX(all, "office")}
	}
}

// put writes the record of an inbound call and tells it.
func put(t testing.TB, db *store.DB, callID, phone string, change func(*store.Batch)) {
	t.Helper()
	at := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	r := record.Record{CallID: callID, Direction: record.In, Disposition: record.Cancelled, SrcPhone: phone, DstPhone: "101",
		Details: record.Details{StartedAt: at, EndedAt: at.Add(time.Minute), Source: "ami", BeganBy: "external"}}
	b := &store.Batch{}
	if change != nil {
		change(b)
	}
	if into := len(b.Retracted); into > 0 {
		r.Details.Absorbed = []string{b.Retracted[0][0]}
	}
	b.Put(r)
	b.Changes = append(b.Changes, store.Change{At: at, Kind: contract.RecordCreated, CallID: callID, Body: []byte(`{}`)})
	must(t, db.Commit(t.Context(), b))
}

// checkGoneTravels: an edge forgets a number, and takes a record back, while it ships, while it
// does not, and where the change at the centre's place is among what was erased.
func checkGoneTravels(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "gonetravels")
	must(t, h.AddTenant(t.Context(), "acme"))
	token := h.join(t, "acme", "office")
	path := filepath.Join(t.TempDir(), "voipd.db")
	open := func() *store.DB {
		db, err := store.Open(t.Context(), path)
		must(t, err)
		return db
	}
	db := open()
	const first, second, third, fourth = "1795366192.1", "1795366192.2", "1795366192.3", "1795366192.4"
	_, stop := shipping(t, h, db, token)
	put(t, db, first, "79031112233", nil)
	put(t, db, second, "79031112244", nil)
	h.has(t, "acme", edgeHas(t, db))
	// The second turns out to have been a consultation within the third.
	put(t, db, third, "79031112255", func(b *store.Batch) {
		b.Retracted = [][2]string{{second, third}}
		b.Changes = []store.Change{{At: time.Now(), Kind: contract.CallMerged, CallID: second, Body: []byte(`{}`)}}
	})
	h.has(t, "acme", edgeHas(t, db))
	forget(t, db, "79031112233")
	h.has(t, "acme", edgeHas(t, db))
	put(t, db, fourth, "79031112266", nil)
	h.has(t, "acme", edgeHas(t, db))
	stop()
	backup := path + ".backup"
	_, err := db.Backup(t.Context(), backup)
	must(t, err)
	// All that is left is forgotten while the edge does not ship: no change that the centre has is kept.
	forget(t, db, "79031112255")
	forget(t, db, "79031112266")
	_, stop = shipping(t, h, db, token)
	h.has(t, "acme", edgeHas(t, db))
	if left := h.records(t, "acme"); len(left) > 0 {
		t.Errorf("the centre has %v", left)
	}
	stop()
	must(t, db.Close())
	// Restored from before that, the edge has them again; the centre has not.
	text, err := os.ReadFile(backup)
	must(t, err)
	for _, beside := range []string{"-wal", "-shm"} {
		_ = os.Remove(path + beside) // it may not be there
	}
	must(t, os.WriteFile(path, text, 0o600))
	db = open()
	t.Cleanup(func() { must(t, db.Close()) })
	_, stop = shipping(t, h, db, token)
	defer stop()
	put(t, db, "1795366192.5", "79031112277", nil)
	eventually(t, "what is new has come", func() bool {
		return h.phones(t, "acme") == "office/1795366192.5=79031112277:0" && !h.comparing(t, "acme")
	})
	want := []string{"record.erased " + first + "@office", "call.merged " + second + "@office>" + third, "record.erased " + third + "@office", "record.erased " + fourth + "@office"}
	told := h.feed(t, "acme")
	for _, w := range want {
		if strings.Count(told, w) != 1 {
			t.Errorf("told was %s, want %s in it once", told, w)
		}
	}
}

// comparing tells whether the only PBX of a tenant compares its records.
func (h *head) comparing(t testing.TB, tenant string) bool {
	t.Helper()
	list, err := h.PBXs(t.Context(), tenant)
	must(t, err)
	return len(list) != 1 || list[0].Comparing
}
