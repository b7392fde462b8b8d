package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/voipd/voipd/record"
)

// found asks for records and gives their ids, in the order of the answer.
func (o *office) found(query string) string {
	o.t.Helper()
	status, _, body := o.get("/v1/records?" + query)
	var page struct{ Records []struct{ CallID string } }
	if err := json.Unmarshal(body, &page); err != nil || status != 200 {
		o.t.Errorf("%s: %d %s (%v)", query, status, body, err)
	}
	var ids []string
	for _, r := range page.Records {
		ids = append(ids, r.CallID)
	}
	return strings.Join(ids, " ")
}

// TestFilters: each finds what it says, alone and together.
func TestFilters(t *testing.T) {
	o := newOffice(t)
	a := o.made("1.1", 0) // in, answered by 109, handed to 102
	a.SrcPhone, a.DstPhone, a.Duration, a.Details.CallerName, a.Details.DID, a.Details.Queue = "+79031234567", "109", 61, "Пётр O'Neil", "+74951234567", "sales"
	a.Details.Transfers = []record.Transfer{{Kind: "blind", By: "109", To: "102"}}
	b := o.made("1.2", 1)
	b.Direction, b.Disposition, b.SrcPhone, b.DstPhone, b.Duration, b.Details.Approximate = record.Out, record.BusyLine, "102", "89161234567", 0, []string{"gap"}
	c := o.made("1.3", 2)
	c.Direction, c.Disposition, c.SrcPhone, c.DstPhone, c.Duration = record.Internal, record.NoAnswer, "103", "104", 0
	path := "/spool/1.1.wav"
	a.Details.Recordings = []record.Recording{{ID: record.RecordingID(path), Path: path, At: a.Details.StartedAt, State: record.Ready, Talk: true}}
	o.put(a, b, c)
	for query, want := range map[string]string{
		"number=1234567": "1.2 1.1", "number=8+(916)+123-45-67": "1.2", "number=%2B7%20903%20123": "1.1", "number=903123": "1.1", "number=+79031234567": "1.1", "number=79031234567": "1.1",
		"name=петр": "1.1", "name=o'n": "1.1", "name=zzz": "",
		"operator=102": "1.2 1.1", "operator=109": "1.1", "operator=102,103": "1.3 1.2 1.1", "operator=7": "",
		"phone=+79031234567": "1.1", "phone=%2B79031234567": "1.1", "phone=79031234567": "", "phone=103,102": "1.3 1.2",
		"did=+74951234567": "1.1", "queue=sales": "1.1", "queue=sales,support": "1.1", "queue=sale": "",
		"recorded=true": "1.1", "recorded=false": "1.3 1.2", "minDuration=61": "1.1", "minDuration=62": "", "minDuration=0": "1.3 1.2 1.1",
		"transferred=true": "1.1", "transferred=false": "1.3 1.2", "approximate=true": "1.2",
		"disposition=busy,no_answer": "1.3 1.2", "direction=out,internal": "1.3 1.2", "direction=internal&disposition=busy": "",
		"sort=startedAt": "1.1 1.2 1.3", "sort=-startedAt": "1.3 1.2 1.1", "sort=startedAt&disposition=busy,answered": "1.1 1.2",
		"from=2026-11-22T16:50:00Z": "1.3 1.2", "to=2026-11-22T19:50:00+03:00": "1.1", "from=2026-11-22+16:50": "1.3 1.2", "to=2026-11-23": "1.3 1.2 1.1", "from=1795366200": "1.3 1.2",
		"from=-24h": "1.3 1.2 1.1", "from=today": "", "from=yesterday": "1.3 1.2 1.1", "to=-1d": "", "from=-24h&to=now&operator=103": "1.3",
		"callId=1.2": "1.2", "callId=1.2&direction=in": "",
	} {
		if got := o.found(query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
}

// TestBadFilters: what asks for nothing, or cannot be read, is an error that names
// the parameter and shows how it is written.
func TestBadFilters(t *testing.T) {
	o := newOffice(t)
	for query, want := range map[string]string{
		"phone=": "query.phone", "callId=": "query.callId", "number=": "query.number", "number=12": "three digits", "number=abc": "three digits", "name=x": "three letters", "operator=": "query.operator",
		"recorded=yes": "query.recorded", "minDuration=-1": "query.minDuration", "disposition=busy,lost": "query.disposition", "sort=duration": "query.sort", "fields=callId,secret": "query.fields",
		"from=nonsense": "2026-11-26 03:11", "to=13/11/2026": "-24h", "from=-1y": "query.from", "from=today&to=yesterday": "query.to", "count=perhaps": "query.count", "phone=1,2,3,4,5,6": "query.phone",
		"phone=1&phone=2": "commas",
	} {
		status, header, body := o.get("/v1/records?" + query)
		if kind, text := problemOf(t, header, body); status != 422 || kind != "bad-request" || !strings.Contains(text, want) || strings.Contains(text, "2006") {
			t.Errorf("%s: %d %s, want a 422 with %q", query, status, text, want)
		}
	}
}

// TestCountAndFields: the count is of all pages, and records have what was asked for.
func TestCountAndFields(t *testing.T) {
	o := newOffice(t)
	for i := range 7 {
		o.call(fmt.Sprintf("1.%d", i), i, "")
	}
	for query, want := range map[string]string{
		"limit=1&count=true&fields=callId":                      `{"records":[{"callId":"1.6"}],"next":"MTc5NTM2NjU1MjAwMCAxLjY","count":{"records":7,"moreThan":false}}`,
		"limit=1&phone=101&count=true&fields=callId":            `{"records":[{"callId":"1.6"}],"next":"MTc5NTM2NjU1MjAwMCAxLjY","count":{"records":7,"moreThan":false}}`,
		"to=2026-11-22T16:50:00Z&fields=details.source,call":    `{"records":[{"call":{"callId":"1.0"},"details":{"source":"ami"}}]}`,
		"phone=none&count=true":                                 `{"records":[],"count":{"records":0,"moreThan":false}}`,
		"callId=1.3&count=true&fields=details.startedAt,callId": `{"records":[{"callId":"1.3","details":{"startedAt":"2026-11-22T16:52:52.000Z"}}],"count":{"records":1,"moreThan":false}}`,
	} {
		if _, _, body := o.get("/v1/records?" + query); strings.TrimSpace(string(body)) != want {
			t.Errorf("%s:\n got %s\nwant %s", query, body, want)
		}
	}
}
