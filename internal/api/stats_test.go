package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/record"
)

func TestStats(t *testing.T) {
	o := newOffice(t)
	for i := range 20 {
		r := o.made(fmt.Sprint("1.", i), 60*i)
		r.Details.WaitMS, r.Details.Rang, r.Details.Queue = int64(1000*(i+1)), []record.Rang{{Phone: "101"}}, "sales"
		if i%4 == 0 {
			r.Disposition, r.Duration = record.NoAnswer, 0
		}
		o.put(r)
	}
	old := o.made("1.old", -7*24*60)
	o.put(old)
	ask := func(query string) (f contract.Figures) {
		t.Helper()
		status, _, body := o.get("/v1/stats?zone=Europe/Moscow&" + query)
		if err := json.Unmarshal(body, &f); status != 200 || err != nil {
			t.Fatalf("%s: %d %s (%v)", query, status, body, err)
		}
		return f
	}
	f := ask("from=2026-11-22&to=2026-11-29")
	if f.Total.Calls != 20 || f.Total.In != 20 || f.Total.InAnswered != 15 || *f.Total.AnsweredShare != 0.75 || f.Total.TalkSeconds != 60 || f.Total.AnswerMedianMS != 11_000 || f.Total.AnswerP90MS != 19_000 {
		t.Errorf("in all: %+v", f.Total)
	}
	if f.Before.Calls != 1 || f.Before.From.Format("2006-01-02T15") != "2026-11-14T21" {
		t.Errorf("before: %+v", f.Before)
	}
	// The first call began at 19:49 in Moscow.
	if len(f.Hours) != 24 || f.Hours[19].Calls != 1 || f.Hours[15].Calls != 0 || len(f.Days) != 7 || f.Days[0].Day != "2026-11-22" || f.Days[0].Calls != 5 || f.Days[1].Calls != 15 {
		t.Errorf("by hour %+v, by day %+v", f.Hours, f.Days)
	}
	if len(f.Operators) != 1 || f.Operators[0].Name != "101" || f.Operators[0].Calls != 20 || len(f.Queues) != 1 || f.Queues[0].Name != "sales" {
		t.Errorf("by operator %+v, by queue %+v", f.Operators, f.Queues)
	}
	if len(f.Waits) != 10 || f.Waits[0].CallID != "1.19" || f.Waits[0].WaitMS != 20_000 {
		t.Errorf("the longest waits: %+v", f.Waits)
	}
	if f := ask("from=2026-11-22&disposition=no_answer&operator=101"); f.Total.Calls != 3 || f.Total.AnswerMedianMS != 0 {
		t.Errorf("of those without an answer: %+v", f.Total)
	}
	if f := ask("from=2020-01-01&to=2020-01-02"); f.Total.Calls != 0 || f.Total.AnsweredShare != nil {
		t.Errorf("of a day without calls: %+v", f.Total)
	}
	for _, query := range []string{"zone=Nowhere", "zone=Local", "from=2026-11-23&to=2026-11-22", "from=1990-01-01", "sort=startedAt", "callId=1.1", "limit=1", "from=2099-01-01"} {
		if status, header, body := o.get("/v1/stats?" + query); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", query, status, body)
		} else {
			problemOf(t, header, body)
		}
	}
	for _, accept := range []string{"/v1/stats.csv text/plain", "/v1/stats text/csv"} {
		path, accept, _ := strings.Cut(accept, " ")
		status, header, body := o.do("GET", path+"?from=2026-11-22&to=2026-11-29&zone=Europe/Moscow", "", "Authorization", "Bearer "+token, "Accept", accept)
		lines := strings.Split(string(body), "\n")
		if status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/csv") || len(lines) != 1+2+24+7+2+1 ||
			lines[1] != "total,2026-11-21T21:00:00.000Z/2026-11-28T21:00:00.000Z,20,15,20,15,0,0,60,11000,19000" || lines[34] != "operator,101,20,15,20,15,0,0,60,," {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
}
