package centre_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/databases"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// records are what the centre has of a tenant, by PBX.
func (h *head) records(t testing.TB, tenant string) map[string]map[string]record.Record {
	t.Helper()
	out := map[string]map[string]record.Record{}
	for q := (store.Query{Limit: 7}); ; {
		list, more, err := h.Rows(t.Context(), tenant, q)
		must(t, err)
		for i := range list {
			r, err := list[i].Whole()
			must(t, err)
			if out[list[i].PBX] == nil {
				out[list[i].PBX] = map[string]record.Record{}
			}
			if _, twice := out[list[i].PBX][r.CallID]; twice {
				t.Errorf("the list has %s of %s twice", r.CallID, list[i].PBX)
			}
			out[list[i].PBX][r.CallID] = r
			q.After = store.Cursor{StartedAt: list[i].StartedAt, CallID: r.CallID, PBX: list[i].PBX}
		}
		if !more {
			return out
		}
	}
}

// asPBX is what the centre should have of an edge's records: the same, under the name that
// the PBX has there.
func asPBX(of map[string]record.Record, pbx string) map[string]record.Record {
	out := map[string]record.Record{}
	for id, r := range of {
		r.Details.PBX = pbx
		out[id] = r
	}
	return out
}

// same waits until the centre has what offices have, field by field, and nothing else.
func (h *head) same(t *testing.T, tenant string, offices map[string]*office) {
	t.Helper()
	h.has(t, tenant, func() map[string]map[string]record.Record {
		want := map[string]map[string]record.Record{}
		for pbx, o := range offices {
			want[pbx] = asPBX(o.records(t), pbx)
		}
		return want
	})
}

// has waits until the centre has what is wanted; both may still change.
func (h *head) has(t *testing.T, tenant string, wanted func() map[string]map[string]record.Record) {
	t.Helper()
	var want, have map[string]map[string]record.Record
	defer func() {
		if diff := cmp.Diff(want, have); diff != "" {
			t.Fatalf("the centre has not what the edges have:\n%s", diff)
		}
	}()
	eventually(t, "the centre has what the edges have", func() bool {
		want, have = wanted(), h.records(t, tenant)
		return cmp.Equal(want, have)
	})
}

// checkRecordsTravel: calls of two PBXs come to the centre, each under its name, and are
// the same there.
func checkRecordsTravel(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "travel")
	must(t, h.AddTenant(t.Context(), "acme"))
	must(t, h.AddTenant(t.Context(), "other"))
	offices := map[string]*office{}
	for _, pbx := range []string{"berlin", "kazan"} {
		offices[pbx] = newOffice(t, h, h.join(t, "acme", pbx))
		offices[pbx].start(t)
	}
	offices["berlin"].play(t, "in-answered", "int-answered", "xfer-attended")
	offices["kazan"].play(t, "in-answered", "queue-abandoned", "out-busy")
	for pbx, o := range offices {
		eventually(t, "records at the edge "+pbx, func() bool { return len(o.records(t)) >= 3 })
		o.stop()
		o.start(t)
	}
	h.same(t, "acme", offices)
	berlin := offices["berlin"]
	berlin.settle(t, 3)
	berlin.stop()
	berlin.forget(t)
	berlin.start(t)
	h.same(t, "acme", offices)
	if told := h.feed(t, "acme"); !strings.Contains(told, "record.erased") {
		t.Errorf("what was forgotten was not told: %s", told)
	}
	if others := h.records(t, "other"); len(others) > 0 {
		t.Errorf("another tenant has %v", others)
	}
}

// restore puts a backup in the place of an office's database.
func (o *office) restore(t testing.TB, backup string) {
	t.Helper()
	text, err := os.ReadFile(backup)
	must(t, err)
	for _, beside := range []string{"-wal", "-shm"} {
		_ = os.Remove(o.config.Store.Path + beside) // it may not be there
	}
	must(t, os.WriteFile(o.config.Store.Path, text, 0o600))
}

func (o *office) backup(t testing.TB) string {
	t.Helper()
	to := o.dir + "/backup.db"
	db, err := store.Open(context.Background(), o.config.Store.Path)
	must(t, err)
	defer db.Close()
	_, err = db.Backup(t.Context(), to)
	must(t, err)
	return to
}
