package api_test

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/fixture"
	"github.com/voipd/voipd/record"
	"github.com/voipd/voipd/store"
)

// oddTexts are names as callers have them, and the escapes of JSON.
func oddTexts() []string {
	return []string{"x", "", "Петров <Иван> & \"Co\"", `back\slash \u0026 / \"`, "tab\tline\nback\b\f\r", "null\x00 bell\x07 delete\x7f", "line\u2028par\u2029", "bad\xff\xc3utf", "🙂", "</script>", strings.Repeat("long ", 5000)}
}

// filled are records with values in every field, with each odd text in all of
// them, and with none.
func filled() (out []record.Record) {
	for i, text := range append(oddTexts(), "") {
		var r record.Record
		fixture.Fill(reflect.ValueOf(&r).Elem(), text, i+1) // 1: the booleans, too
		r.CallID = fmt.Sprintf("%d.%d&é", 1795366192+i, i)
		r.Details.StartedAt = time.Date(2026, 11, 22, 16, 49, i, i*1_000_000, time.UTC)
		r.Details.Rang = append(r.Details.Rang, record.Rang{Phone: text, At: r.Details.StartedAt}, record.Rang{})
		r.Details.Recordings = []record.Recording{{ID: "a" + text, Path: "/m/" + text + ".wav", At: r.Details.StartedAt, State: record.Ready, Bytes: 5, MS: 1, Talk: true, Found: true},
			{ID: "b", At: r.Details.StartedAt.Add(time.Millisecond), State: record.Announced}}
		r.Details.Absorbed, r.Details.MergedInto = []string{fmt.Sprint("z", i)}, "" // no double is dropped
		if i%3 == 1 {
			r.Details.Recordings = nil
		}
		if i == len(oddTexts()) {
			r.Details = record.Details{StartedAt: r.Details.StartedAt, Recordings: r.Details.Recordings}
		}
		out = append(out, r)
	}
	return out
}

// TestListsGiveRowsThrough: a page and an export are byte for byte what reading
// the details and writing them anew gives, whatever lies in the database.
func TestListsGiveRowsThrough(t *testing.T) {
	o := newOffice(t)
	for _, r := range filled() {
		o.put(r)
	}
	for i, details := range []string{ // not as voipd writes them
		`{"beganBy":"external","startedAt":"2026-11-22T16:49:52Z","ringMs":0,"waitMs":0,"holdMs":0,"talkMs":4000}`,
		` { "startedAt" : "2026-11-22T16:49:52.000Z" , "pbx":"x", "other": [1.5e3, null] } `,
		`{"startedAt":"2026-11-22T16:49:52Z","ringMs":0,"waitMs":0,"holdMs":0,"talkMs":0,"beganBy":"x","recordings":[{"id":"no"}]}`,
		`{"startedAt":"2026-11-22T16:49:52Z","ringMs":0,"ringMs":1,"waitMs":0,"holdMs":0,"talkMs":0,"beganBy":"x"}`,
		`{}`,
	} {
		r := o.made(fmt.Sprint("odd", i), i)
		o.put(r)
		if err := fixture.Exec(t.Context(), o.db.Path(), `UPDATE records SET details = ? WHERE call_id = ?`, details, r.CallID); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		scopes []string
		see    func(record.Record) contract.Record
	}{{[]string{contract.ScopeRecords}, contract.FromRecord}, {[]string{contract.ScopeRecords, contract.ScopeAdmin}, contract.WithPaths}} {
		o.scopes(c.scopes...)
		list, _, err := o.db.Records(t.Context(), store.Query{Limit: 1000})
		if err != nil || len(list) != len(filled())+5 {
			t.Fatal(len(list), err)
		}
		var want [][]byte
		for _, r := range list {
			text, err := contract.Encode(c.see(r))
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, text)
		}
		for path, whole := range map[string]string{
			"/v1/records?limit=1000": `{"records":[` + string(bytes.Join(want, []byte(","))) + "]}\n",
			"/v1/records.ndjson":     string(bytes.Join(want, []byte("\n"))) + "\n",
		} {
			status, _, body := o.do("GET", path, "", "Authorization", "Bearer "+token)
			if diff := cmp.Diff(strings.Split(whole, `,"details"`), strings.Split(string(body), `,"details"`)); status != 200 || diff != "" {
				t.Errorf("%s for %v: %d (-want +got)\n%.2000s", path, c.scopes, status, diff)
			}
		}
	}
}

// TestRowsArePassedOn: what voipd writes itself is given through, but for texts
// that are escaped otherwise there.
func TestRowsArePassedOn(t *testing.T) {
	o := newOffice(t)
	for _, r := range filled() {
		o.put(r)
	}
	list, _, err := o.db.Rows(t.Context(), store.Query{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for i := range list {
		known := list[i].Known()
		if _, ok := contract.AppendRow(nil, &known, list[i].Text, false); ok {
			passed++
		} else if !strings.Contains(list[i].Text, `\u`) {
			t.Errorf("not given through: %.300s", list[i].Text)
		}
	}
	if passed < 6 {
		t.Errorf("%d of %d are given through", passed, len(list))
	}
}

// TestDamagedDetails: details that are no JSON are an error, not an answer.
func TestDamagedDetails(t *testing.T) {
	good := `{"startedAt":"2026-11-22T16:49:52Z","ringMs":0,"waitMs":0,"holdMs":0,"talkMs":4000,"beganBy":"external","rang":[{"phone":"1","at":"2026-11-22T16:49:52Z","ms":-10,"outcome":"no\\"}],"voicemail":true,"source":"ami"}`
	o := newOffice(t)
	o.put(o.made("1.1", 1))
	ask := func(details string) int {
		t.Helper()
		if err := fixture.Exec(t.Context(), o.db.Path(), `UPDATE records SET details = ?`, details); err != nil {
			t.Fatal(err)
		}
		status, _, _ := o.get("/v1/records")
		return status
	}
	if status := ask(good); status != 200 {
		t.Fatal(status)
	}
	for _, bad := range []string{"", good[:len(good)-1], good[1:], good + "}", good + " x", strings.Replace(good, `no\\"`, `no\\\"`, 1), strings.Replace(good, `:0,`, `:00,`, 1),
		strings.Replace(good, `true`, `truth`, 1), strings.Replace(good, `}]`, `},]`, 1), strings.Replace(good, `,"source"`, `,,"source"`, 1), strings.Replace(good, `-10`, `-`, 1),
		strings.Replace(good, `external`, "exter\nnal", 1), strings.Replace(good, `no\\`, `no\x`, 1), strings.Replace(good, `}]`, `]`, 1), strings.Replace(good, `[{`, strings.Repeat(`[`, 100_000), 1)} {
		if status := ask(bad); status != 500 {
			t.Errorf("%d for %.300s", status, bad)
		}
	}
}
