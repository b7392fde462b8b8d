package api_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestReaderPassesErased: a reader whose next event was erased goes on behind it,
// also where that was the oldest.
func TestReaderPassesErased(t *testing.T) {
	o := newOffice(t)
	for _, id := range []string{"1.1", "1.2", "1.3", "1.2"} {
		r := o.call(id, 0, "")
		if id == "1.2" {
			r.SrcPhone = "79160000002"
		}
		o.put(r)
		o.happen(1, "call.ended", id)
	}
	p, err := o.db.Person(t.Context(), "79160000002")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.db.Forget(t.Context(), p, 0); err != nil {
		t.Fatal(err)
	}
	for after, want := range map[string]string{"1": "1.3", "0": "1.1"} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.server.URL+"/v1/events?after="+after, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for lines := bufio.NewScanner(answer.Body); got == "" && lines.Scan(); {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				got = data
			}
		}
		cancel()
		answer.Body.Close()
		if !strings.Contains(got, want) {
			t.Errorf("after %s: %q, want %s", after, got, want)
		}
	}
}
