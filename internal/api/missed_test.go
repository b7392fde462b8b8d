package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

// missed is a call that nobody answered.
func (o *office) missed(id string, minute int, number string) record.Record {
	r := o.made(id, minute)
	r.Disposition, r.SrcPhone, r.Duration = record.NoAnswer, number, 0
	r.Details.CallerName, r.Details.DID, r.Details.Queue = "Anna", "74950000001", "sales"
	r.Details.Rang = []record.Rang{{Phone: "101", At: r.Details.StartedAt}, {Phone: "102", At: r.Details.StartedAt}, {Phone: "101", At: r.Details.StartedAt}}
	return r
}

// waiting are the numbers to call back, and how often each called.
func (o *office) waiting(query string) string {
	o.t.Helper()
	status, _, body := o.get("/v1/missed" + query)
	var list struct {
		Missed []contract.Missed
		Count  *int
	}
	if err := json.Unmarshal(body, &list); status != 200 || err != nil {
		o.t.Fatalf("%d %s (%v)", status, body, err)
	}
	out := []string{}
	for _, m := range list.Missed {
		out = append(out, fmt.Sprintf("%s×%d", m.Number, m.Calls))
	}
	if list.Count != nil {
		out = append(out, fmt.Sprint("of ", *list.Count))
	}
	return strings.Join(out, " ")
}

func TestMissed(t *testing.T) {
	o := newOffice(t)
	o.put(o.missed("1.1", 0, "79031000001"), o.missed("1.2", 1, "+7 903 100-00-01"), o.missed("1.3", 2, "79031000002"), o.missed("1.4", 3, "anonymous"), o.missed("1.5", -20*24*60, "79031000003"))
	if got := o.waiting("?count=true"); got != "79031000002×1 +7 903 100-00-01×2 of 2" {
		t.Errorf("to call back are %q", got)
	}
	if got := o.waiting("?from=-60d&count=true&limit=1"); got != "79031000002×1 of 3" {
		t.Errorf("of 60 days are %q", got)
	}
	if got := o.waiting("?to=" + o.made("", 1).Details.StartedAt.Format("2006-01-02T15:04:05Z")); got != "79031000001×1" {
		t.Errorf("a minute later were %q", got)
	}
	_, _, body := o.get("/v1/missed?limit=1")
	want := `{"missed":[{"number":"79031000002","name":"Anna","calls":1,"firstAt":"2026-11-22T16:51:52.000Z","lastAt":"2026-11-22T16:51:52.000Z","lastCallId":"1.3","did":"74950000001","queue":"sales","rang":["101","102"]}],"next":`
	var page struct{ Next string }
	if err := json.Unmarshal(body, &page); err != nil || !strings.HasPrefix(string(body), want) {
		t.Errorf("the first page: %s (%v)", body, err)
	}
	if got := o.waiting("?limit=1&cursor=" + page.Next); got != "+7 903 100-00-01×2" {
		t.Errorf("the second page: %q", got)
	}
	// A talk closes it, and the records say so; forgetting the talk opens it again.
	back := o.made("1.6", 5)
	back.Direction, back.SrcPhone, back.DstPhone, back.Details.AnsweredAt = record.Out, "102", "89031000001", back.Details.StartedAt
	o.put(back)
	if got := o.waiting(""); got != "79031000002×1" {
		t.Errorf("after a call back: %q", got)
	}
	const returned = `"returned":{"at":"2026-11-22T16:54:52.000Z","by":"102","callId":"1.6","direction":"out","afterSeconds":300}`
	for _, path := range []string{"/v1/records/1.1", "/v1/records?callId=1.1", "/v1/records.ndjson?callId=1.1"} {
		if _, _, body := o.get(path); !strings.Contains(string(body), returned) || !json.Valid(body) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if _, _, body := o.get("/v1/records?fields=callId,details.returned&callId=1.1"); !strings.Contains(string(body), `{"callId":"1.1","details":{`+returned+`}}`) {
		t.Errorf("picked: %s", body)
	}
	if _, _, body := o.get("/v1/records/1.3"); strings.Contains(string(body), "returned") {
		t.Errorf("nobody called back, and yet: %s", body)
	}
	p, err := o.db.Person(t.Context(), "89031000001")
	if err != nil || p.Calls != 1 {
		t.Fatal(p, err)
	}
	if _, err := o.db.Forget(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	if got := o.waiting(""); got != "79031000002×1 +7 903 100-00-01×2" {
		t.Errorf("after the talk was erased: %q", got)
	}
}

// TestDismiss: who is dismissed is off the list until the next call, with a line in
// the audit and an event; what was not seen yet stays.
func TestDismiss(t *testing.T) {
	o := newOffice(t)
	o.put(o.missed("1.1", 0, "79031000001"), o.missed("1.3", 2, "79031000002"))
	note := `{"note":"wrote to us"}`
	dismiss := func(who, body string) int {
		status, _, answer := o.do("POST", "/v1/missed/"+url.PathEscape(who)+"/dismiss", body, "Authorization", "Bearer "+token)
		if status >= 400 && status != 404 && status != 403 {
			t.Errorf("%s: %d %s", who, status, answer)
		}
		return status
	}
	if got := dismiss("+7 903 100-00-01", note); got != 204 {
		t.Error(got)
	}
	if got := o.waiting(""); got != "79031000002×1" {
		t.Errorf("left are %q", got)
	}
	if got := []int{dismiss("79031000001", note), dismiss("1.1", note), dismiss("", note), dismiss("anonymous", note), dismiss("79990000000", note)}; fmt.Sprint(got) != "[404 404 404 404 404]" {
		t.Errorf("nobody waits there, and yet: %v", got)
	}
	list, err := o.db.Changes(t.Context(), 0, 10)
	if err != nil || len(list) != 1 || list[0].Kind != contract.MissedDismissed || list[0].CallID != "1.1" || !strings.Contains(string(list[0].Body), `"dismissed":{"at":"2026-11-23T02:13:20.000Z","by":"crm","note":"wrote to us"}`) {
		t.Errorf("told is %+v (%v)", list, err)
	}
	audit, err := o.db.Audits(t.Context(), 5)
	if err != nil || len(audit) != 1 || audit[0].What != "dismiss" || audit[0].About != "crm" || strings.Contains(fmt.Sprint(audit), "903") {
		t.Errorf("the audit: %+v (%v)", audit, err)
	}
	// Whoever saw the list before the second call came dismisses the first alone.
	o.put(o.missed("1.4", 9, "79031000002"))
	if got := dismiss("1.3", `{}`); got != 204 {
		t.Error(got)
	}
	o.put(o.missed("1.5", 10, "79031000001"))
	if got := o.waiting(""); got != "79031000001×1 79031000002×1" {
		t.Errorf("after later calls: %q", got)
	}
	p, err := o.db.Person(t.Context(), "79031000002")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.db.Forget(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	o.put(o.missed("1.6", 1, "79031000002")) // earlier than what was dismissed, which nobody knows any more
	if got := o.waiting(""); got != "79031000001×1 79031000002×1" {
		t.Errorf("after it was forgotten: %q", got)
	}
	o.scopes(contract.ScopeRecords)
	if got := dismiss("79031000001", note); got != 403 {
		t.Errorf("without the scope: %d", got)
	}
}
