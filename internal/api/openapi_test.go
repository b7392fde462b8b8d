package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write docs/openapi.json anew")

// TestOpenAPI compares the description that is served with the one in docs/,
// so that a change of the API is seen by whoever reads the change.
func TestOpenAPI(t *testing.T) {
	const path = "../../docs/openapi.json"
	o := newOffice(t)
	status, _, body := o.get("/openapi.json")
	if status != 200 {
		t.Fatal(status)
	}
	var described map[string]any
	if err := json.Unmarshal(body, &described); err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(described, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what is served; write it anew with -update (%v)", path, err)
	}
}
