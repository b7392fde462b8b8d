package api

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestProblems: each type of problem in the code is in the table, and the page in
// docs/ is made of the table (UPDATE=1 makes it).
func TestProblems(t *testing.T) {
	known := map[string]bool{}
	var page strings.Builder
	page.WriteString("# Problems\n\nWhat the API answers instead of what was asked for: `application/problem+json` (RFC 9457). Programs go by `type`, people by\n" +
		"`detail`. `instance` and the header `X-Request-Id` have the id of the request, which voipd's log has beside what went wrong. An answer\n" +
		"with the status 429 or 503 has `Retry-After`.\n")
	for _, p := range problems() {
		known[p.name] = true
		fmt.Fprintf(&page, "\n## %s\n\n`%s`, status %d. %s\n\n%s\n", p.name, problemType(p.name), p.status, p.means, p.remedy)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil || len(sources) == 0 {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`(?:problem\(http\.Status\w+|problem\(status|problemType\(|return|name :?=) ?,? ?"([a-z]+-[a-z-]+|internal)"`)
	n := 0
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, m := range used.FindAllStringSubmatch(string(text), -1) {
			n++
			if !known[m[1]] {
				t.Errorf("%s: %q is not among problems()", path, m[1])
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d types were found in the code", n)
	}
	const path = "../../docs/problems.md"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != page.String() {
		t.Errorf("%s is not what problems() says; UPDATE=1 go test writes it anew (%v)", path, err)
	}
}
