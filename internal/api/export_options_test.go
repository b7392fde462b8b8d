package api_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestExportOptions: how a file is written can be asked for, by its path or by
// Accept, packed or not.
func TestExportOptions(t *testing.T) {
	o := newOffice(t)
	r := o.made("1.1", 0)
	r.Details.CallerName = "a;b"
	o.put(r, o.made("1.2", 1))
	for query, want := range map[string]string{
		"fields=callId,details.callerName":                     "callId,callerName\n1.2,\n1.1,a;b\n",
		"fields=callId,callerName&separator=%3B&bom=1":         "\uFEFFcallId;callerName\n1.2;\n1.1;\"a;b\"\n",
		"fields=callId,srcPhone&separator=tab&sort=startedAt":  "callId\tsrcPhone\n1.1\t79031000001\n1.2\t79031000001\n",
		"fields=callId&limit=1":                                "callId\n1.2\n",
		"fields=callId&limit=1&cursor=MTc5NTM2NjI1MjAwMCAxLjI": "callId\n1.1\n",
		"fields=callId&name=a%3Bb":                             "callId\n1.1\n",
	} {
		if status, header, body := o.get("/v1/records.csv?" + query); status != 200 || string(body) != want {
			t.Errorf("%s: %d %q, want %q (%v)", query, status, body, want, header)
		}
		status, _, body := o.do("GET", "/v1/records?"+query, "", "Authorization", "Bearer "+token, "Accept", "text/csv")
		if status != 200 || string(body) != want {
			t.Errorf("%s by Accept: %d %q, want %q", query, status, body, want)
		}
	}
	for accept, unpack := range map[string]func(io.Reader) (io.Reader, error){
		"gzip":           func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"gzip, zstd;q=1": func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	} {
		_, header, body := o.do("GET", "/v1/records.ndjson?fields=callId", "", "Authorization", "Bearer "+token, "Accept-Encoding", accept)
		r, err := unpack(bytes.NewReader(body))
		if err != nil {
			t.Fatalf("%s: %v", accept, err)
		}
		if text, err := io.ReadAll(r); err != nil || string(text) != "{\"callId\":\"1.2\"}\n{\"callId\":\"1.1\"}\n" || !strings.Contains(accept, header.Get("Content-Encoding")) {
			t.Errorf("%s: %s (%v) %v", accept, text, err, header)
		}
	}
	for _, query := range []string{"separator=x", "fields=secret", "bom=2", "cursor=x"} {
		if status, _, body := o.get("/v1/records.csv?" + query); status != 422 {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
}
