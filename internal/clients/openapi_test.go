package clients_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const described = "../../docs/openapi.json"

// TestDescription lints docs/openapi.json by the rules that redocly recommends.
func TestDescription(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("node_modules/.bin/redocly"); err != nil {
		t.Skip("redocly is not installed; scripts/node.sh does it")
	}
	if _, err := os.Stat(described); err != nil {
		t.Fatal(err) // and the test runs again when it changes
	}
	out := run(t, ".", os.Environ(), "node_modules/.bin/redocly", "lint", "--extends", "recommended", "--format", "json", described)
	if !strings.Contains(out, `"errors": 0,`) || !strings.Contains(out, `"warnings": 0,`) {
		t.Errorf("redocly finds fault:\n%s", out)
	}
}

// client calls voipd by the generated client.
const client = `package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"client/voipd"
)

func main() {
	c, err := voipd.NewClientWithResponses(os.Getenv("VOIPD"), voipd.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+os.Getenv("TOKEN"))
		return nil
	}))
	if err != nil {
		panic(err)
	}
	number, limit := "903", int64(10)
	list, err := c.ListRecordsWithResponse(context.Background(), &voipd.ListRecordsParams{Number: &number, Limit: &limit})
	if err != nil || list.JSON200 == nil {
		panic(fmt.Sprint(err, string(list.Body)))
	}
	for _, r := range list.JSON200.Records {
		fmt.Println("record", r.SrcPhone, r.DstPhone, r.Disposition, r.Details.BeganBy)
	}
	refused, err := c.PlaceCallWithResponse(context.Background(), voipd.PlaceCallJSONRequestBody{SrcPhone: "999", DstPhone: "102"})
	if err != nil || refused.ApplicationproblemJSON403 == nil {
		panic(fmt.Sprint(err, string(refused.Body)))
	}
	fmt.Println("refused", *refused.ApplicationproblemJSON403.Type)
}
`

// TestGoClient makes a client of docs/openapi.json as docs/clients.md says, builds
// it, and has it talk to voipd.
func TestGoClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "voipd"), 0o755); err != nil {
		t.Fatal(err)
	}
	const generator = "github.com/oapi-codegen/oapi-codegen/v2@v2.8.2"
	env := append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	get := exec.CommandContext(t.Context(), "go", "mod", "download", generator)
	get.Dir, get.Env = dir, env
	if out, err := get.CombinedOutput(); err != nil {
		t.Skipf("the generator cannot be had: %s", out)
	}
	description, err := filepath.Abs(described)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": "module client\n\ngo 1.24\n", "main.go": client} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, env, "go", "run", "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2", "-generate", "types,skip-prune,client", "-package", "voipd", "-o", "voipd/voipd.go", description)
	run(t, dir, env, "go", "mod", "tidy")
	o := newOffice(t)
	o.ready(t)
	o.play(t, "in-answered")
	out := run(t, dir, append(env, "VOIPD="+o.address, "TOKEN="+token), "go", "run", ".")
	for _, want := range []string{"record 7903", " answered external", "refused urn:voipd:problem:source-refused"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in %s", want, out)
		}
	}
}

// run runs a program to its end, and gives what it printed.
func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
