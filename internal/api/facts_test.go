package api_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/trace"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// caller is the number in the facts that told writes.
const caller = "79035554433"

// told puts a call there with the facts that made its record.
func (o *office) told(id string) record.Record {
	o.t.Helper()
	r := o.made(id, 0)
	fact := record.Event{At: r.Details.StartedAt, Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: id, Linked: id, Name: "PJSIP/trunk-00000001"}, Number: caller, Name: "Anna"}
	o.commit(func(b *store.Batch) {
		b.Put(r)
		b.Journal = []store.Entry{{CallID: id, Event: fact}}
	})
	o.commit(func(b *store.Batch) { b.Closed = []store.Closed{{CallID: id, At: r.Details.StartedAt}} })
	return r
}

func (o *office) commit(fill func(*store.Batch)) {
	o.t.Helper()
	var b store.Batch
	fill(&b)
	if err := o.db.Commit(context.Background(), &b); err != nil {
		o.t.Fatal(err)
	}
}

// TestFacts: an admin gets a call's facts as a trace that replays, whole or disguised;
// of a call that went into another that one's.
func TestFacts(t *testing.T) {
	o := newOffice(t)
	o.told("1.1")
	merged := o.made("1.2", 1)
	merged.Details.MergedInto = "1.1"
	o.put(merged)
	for _, row := range []struct {
		path      string
		disguised bool
	}{{"/v1/records/1.1/facts", false}, {"/v1/records/1.1/facts?disguised=true", true}, {"/v1/records/1.2/facts", false}} {
		status, header, body := o.get(row.path)
		if status != 200 || header.Get("Content-Type") != "application/x-ndjson" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment; filename=1.") || header.Get("X-Facts-Unreadable") != "" {
			t.Fatalf("%s: %d %v %s", row.path, status, header, body)
		}
		var facts []record.Event
		if _, bad, err := trace.Read(bytes.NewReader(body), func(e record.Event) { facts = append(facts, e) }); err != nil || bad > 0 || len(facts) != 1 {
			t.Fatalf("%s: %d facts, %d bad (%v): %s", row.path, len(facts), bad, err, body)
		}
		if same := facts[0].Number == caller && facts[0].Name == "Anna"; same == row.disguised || len(facts[0].Number) != len(caller) || facts[0].Channel.ID != "1.1" {
			t.Errorf("%s: %+v", row.path, facts[0])
		}
	}
}

// TestFactsSetAside: those that could not be understood go before, also where there is
// no record; what cannot be read of them is counted.
func TestFactsSetAside(t *testing.T) {
	o := newOffice(t)
	fact := record.Event{At: time.Unix(1_795_366_192, 0).UTC(), Kind: record.Created, Source: record.SourceAMI, Channel: record.Channel{ID: "9.9", Linked: "9.9"}, Number: caller}
	if err := o.db.SetFactAside(t.Context(), store.Quarantine{CallID: "9.9", Fact: &fact, Reason: "panic"}, o.now); err != nil {
		t.Fatal(err)
	}
	if status, _, body := o.get("/v1/records/9.9/facts"); status != 200 || !strings.Contains(string(body), caller) {
		t.Errorf("%d %s", status, body)
	}
}

// TestFactsRefused: who may not have them, and what has none.
func TestFactsRefused(t *testing.T) {
	o := newOffice(t)
	o.told("1.1")
	o.call("1.3", 3, "")
	for _, row := range []struct {
		path   string
		scopes []string
		status int
		kind   string
	}{
		{"1.1/facts", []string{contract.ScopeRecords}, 403, "scope-missing"},
		{"1.1/fact%73", []string{contract.ScopeRecords, contract.ScopeRecordings}, 403, "scope-missing"},
		{"1.1/facts", []string{contract.ScopeAdmin}, 403, "scope-missing"},
		{"1.1/facts", append(contract.Scopes(), contract.ScopeMasked), 403, "numbers-masked"},
		{"1.1/facts?disguised=true", append(contract.Scopes(), contract.ScopeMasked), 403, "numbers-masked"},
		{"1.3/facts", nil, 410, "facts-gone"},
		{"none/facts", nil, 404, "unknown-call"},
		{"1.1/facts?disguised=x", nil, 422, "bad-request"},
	} {
		o.scopes(row.scopes...)
		status, header, body := o.get("/v1/records/" + row.path)
		if kind, _ := problemOf(t, header, body); status != row.status || kind != row.kind || bytes.Contains(body, []byte(caller)) {
			t.Errorf("%s with %v: %d %s", row.path, row.scopes, status, body)
		}
	}
	o.scopes(contract.ScopeRecords, contract.ScopeAdmin)
	if status, _, body := o.get("/v1/records/1.1/facts"); status != 200 {
		t.Errorf("an admin of calls: %d %s", status, body)
	}
}
