package centre_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/databases"
)

// shipped is a record as an edge sends it: an answered call of so many seconds.
func shipped(callID, src string, seconds int) contract.ShipRecord {
	at := time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC)
	return contract.ShipRecord{CallID: callID, StartedAt: at, Direction: "in", Disposition: "answered", SrcPhone: src, DstPhone: "101", Duration: seconds,
		Details: fmt.Appendf(nil, `{"startedAt":%q,"ringMs":1,"waitMs":1,"holdMs":0,"talkMs":%d,"beganBy":"external","pbx":"forged","source":"ami"}`, at.Format(time.RFC3339), seconds*1000)}
}

// pack makes a batch's body.
func pack(t testing.TB, head contract.ShipHead, records ...contract.ShipRecord) []byte {
	t.Helper()
	text, err := json.Marshal(head)
	must(t, err)
	for _, r := range records {
		line, err := json.Marshal(r)
		must(t, err)
		text = append(append(text, '\n'), line...)
	}
	z, err := zstd.NewWriter(nil)
	must(t, err)
	return z.EncodeAll(append(text, '\n'), nil)
}

// answered is what came of a request.
type answered struct {
	status int
	text   string
}

func (a answered) place(t testing.TB) (p contract.Place) {
	t.Helper()
	must(t, json.Unmarshal([]byte(a.text), &p))
	return p
}

// ask sends a request with a token.
func (h *head) ask(t testing.TB, method, path, token string, body []byte) answered {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url+path, bytes.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	return answered{res.StatusCode, string(text)}
}

// phones are the callers of a tenant's records, by call id.
func (h *head) phones(t testing.TB, tenant string) string {
	t.Helper()
	var out []string
	for pbx, all := range h.records(t, tenant) {
		for id, r := range all {
			out = append(out, fmt.Sprintf("%s/%s=%s:%d", pbx, id, r.SrcPhone, r.Duration))
			if r.Details.PBX != pbx {
				t.Errorf("%s says that it is of %q", id, r.Details.PBX)
			}
		}
	}
	return strings.Join(out, " ")
}

// checkBatches: batches that come twice, out of order, or with numbers that nobody gave, one
// after the other; each step says what is there after it.
func checkBatches(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "batches")
	must(t, h.AddTenant(t.Context(), "acme"))
	token := h.join(t, "acme", "a")
	first := contract.ShipHead{Batch: 1, ID: "one", Instance: "db", After: 5, UpTo: 5, Mark: "m5", Begin: true}
	const id = "1795366192.23"
	for _, step := range []struct {
		name    string
		head    contract.ShipHead
		records []contract.ShipRecord
		status  int
		seq     int64
		kept    string
	}{
		{"the first batch; of two accounts of a call the later one holds", first, []contract.ShipRecord{shipped(id, "7900", 1), shipped(id, "7900", 2)}, 200, 5, "a/" + id + "=7900:2"},
		{"the same again", first, []contract.ShipRecord{shipped(id, "7900", 2)}, 200, 5, "a/" + id + "=7900:2"},
		{"the same number with something else in it", first, []contract.ShipRecord{shipped(id, "7666", 9)}, 200, 5, "a/" + id + "=7900:2"},
		{"an older number", contract.ShipHead{Batch: 0, Instance: "db", After: 5, UpTo: 6}, []contract.ShipRecord{shipped(id, "7666", 9)}, 200, 5, "a/" + id + "=7900:2"},
		{"a negative number", contract.ShipHead{Batch: -7, Instance: "db", After: 5, UpTo: 6}, []contract.ShipRecord{shipped(id, "7666", 9)}, 200, 5, "a/" + id + "=7900:2"},
		{"one too early", contract.ShipHead{Batch: 3, Instance: "db", After: 5, UpTo: 6}, []contract.ShipRecord{shipped(id, "7666", 9)}, 409, 5, "a/" + id + "=7900:2"},
		{"a hole in the change log", contract.ShipHead{Batch: 2, Instance: "db", After: 6, UpTo: 7}, []contract.ShipRecord{shipped(id, "7666", 9)}, 409, 5, "a/" + id + "=7900:2"},
		{"another database that does not say that it begins", contract.ShipHead{Batch: 2, Instance: "other", After: 5, UpTo: 7}, []contract.ShipRecord{shipped(id, "7666", 9)}, 409, 5, "a/" + id + "=7900:2"},
		{"a place that goes back", contract.ShipHead{Batch: 2, Instance: "db", After: 5, UpTo: 4}, []contract.ShipRecord{shipped(id, "7666", 9)}, 409, 5, "a/" + id + "=7900:2"},
		{"a correction", contract.ShipHead{Batch: 2, Instance: "db", After: 5, UpTo: 8, Mark: "m8"}, []contract.ShipRecord{shipped(id, "7900", 3)}, 200, 8, "a/" + id + "=7900:3"},
		{"an account of a worse source", contract.ShipHead{Batch: 3, Instance: "db", After: 8, UpTo: 9, Mark: "m9"}, []contract.ShipRecord{worse(shipped(id, "7900", 4))}, 200, 9, "a/" + id + "=7900:3"},
		{"another database begins", contract.ShipHead{Batch: 4, Instance: "new", After: 2, UpTo: 2, Mark: "m2", Begin: true}, nil, 200, 2, "a/" + id + "=7900:3"},
		{"records that are none do not hold up the others", contract.ShipHead{Batch: 5, Instance: "new", After: 2, UpTo: 3, Mark: "m3"},
			[]contract.ShipRecord{{CallID: "x", Details: []byte(`{}`)}, shipped("", "1", 1), shipped("a\x00b", "1", 1), shipped(id, "7900", 5)}, 200, 3, "a/" + id + "=7900:5"},
	} {
		got := h.ask(t, http.MethodPost, "/v1/ship", token, pack(t, step.head, step.records...))
		if got.status != step.status {
			t.Errorf("%s: HTTP %d, want %d: %s", step.name, got.status, step.status, got.text)
			continue
		}
		if p := got.place(t); p.Seq != step.seq {
			t.Errorf("%s: the place is %d, want %d", step.name, p.Seq, step.seq)
		}
		if kept := h.phones(t, "acme"); kept != step.kept {
			t.Errorf("%s: there is %s, want %s", step.name, kept, step.kept)
		}
	}
	if p := h.ask(t, http.MethodGet, "/v1/ship", token, nil).place(t); !p.Sync || p.Batch != 5 {
		t.Errorf("the place is %+v, want batch 5, and that records are compared", p)
	}
}

// worse is an account of the same call by CDR.
func worse(r contract.ShipRecord) contract.ShipRecord {
	r.Details = bytes.Replace(r.Details, []byte(`"ami"`), []byte(`"cdr"`), 1)
	return r
}

// checkUnfitBatches: what is no batch is refused, whatever is in it, and changes nothing.
func checkUnfitBatches(t *testing.T, server *databases.PostgresServer) {
	h := copied(t, server, "unfit")
	must(t, h.AddTenant(t.Context(), "acme"))
	token := h.join(t, "acme", "a")
	z, err := zstd.NewWriter(nil)
	must(t, err)
	many := make([]contract.ShipRecord, contract.MostShipped+1)
	for i := range many {
		many[i] = shipped(fmt.Sprintf("1795366192.%d", i), "7900", 1)
	}
	for name, body := range map[string][]byte{
		"nothing":               nil,
		"no zstd":               []byte(`{"batch":1}`),
		"no JSON":               z.EncodeAll([]byte("hello\n"), nil),
		"cut":                   pack(t, contract.ShipHead{Batch: 1, UpTo: 1}, shipped("1795366192.1", "7900", 1))[:40],
		"no end of its line":    z.EncodeAll([]byte(`{"batch":1}`), nil),
		"too many records":      pack(t, contract.ShipHead{Batch: 1, UpTo: 1}, many...),
		"a bomb":                z.EncodeAll(bytes.Repeat([]byte("0"), 2*contract.MostShippedBytes), nil),
		"longer than it may be": bytes.Repeat([]byte("0"), 9<<20),
	} {
		if got := h.ask(t, http.MethodPost, "/v1/ship", token, body); got.status != 422 && got.status != 413 {
			t.Errorf("%s: HTTP %d %s", name, got.status, got.text)
		}
	}
	if kept := h.phones(t, "acme"); kept != "" {
		t.Errorf("there is %s", kept)
	}
	if p := h.ask(t, http.MethodGet, "/v1/ship", token, nil).place(t); p.Batch != 0 {
		t.Errorf("the place moved: %+v", p)
	}
}
