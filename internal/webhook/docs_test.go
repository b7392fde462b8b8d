package webhook_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestDocumentedCheck runs the check of a signature that docs/webhooks.md
// shows.
func TestDocumentedCheck(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node to run the example with")
	}
	doc, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(doc), "```js\n")
	code, _, ok := strings.Cut(code, "```")
	if !ok {
		t.Fatal("docs/webhooks.md shows no check")
	}
	sign, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	signature, err := sign.Sign("i-1", now, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	headers := fmt.Sprintf(`{"webhook-id": "i-1", "webhook-timestamp": "%d", "webhook-signature": %q}`, now.Unix(), signature)
	code += fmt.Sprintf("const h = %s\nconsole.log(genuine(%q, h, '{\"a\":1}'), genuine(%q, h, '{\"a\":2}'), genuine(%q, {...h, 'webhook-timestamp': '%d'}, '{\"a\":1}'))\n",
		headers, secret, secret, secret, now.Add(-time.Hour).Unix())
	file := filepath.Join(t.TempDir(), "check.mjs")
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node, file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "true false false" {
		t.Errorf("the example says %s (%v)", out, err)
	}
}
