package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestInitLooksOnly: --dry-run says what it found, for people and for programs,
// and writes nothing; where something stands in the way, init says so and ends
// with 1.
func TestInitLooksOnly(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"etc/passwd": "voipd:x:1:1::/:/bin/false\n", "etc/group": "voipd:x:1:\n", "etc/freepbx.conf": "",
		"etc/asterisk/asterisk.conf": "[directories]\n", "etc/asterisk/manager.conf": "[general]\nenabled = yes\n#include manager_custom.conf\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Whether this machine has an Asterisk is no matter: its console knows nothing
	// of these files.
	t.Setenv("PATH", t.TempDir())
	status, stdout, stderr := voipd("init", "--dry-run", "--root", root)
	if status != 0 || !strings.Contains(stdout, "Found FreePBX (/etc/freepbx.conf)") || !strings.Contains(stdout, "! Asterisk does not run") || stderr != "" {
		t.Errorf("got %d, %s, %s", status, stdout, stderr)
	}
	status, stdout, stderr = voipd("init", "--dry-run", "--json", "--root", root)
	var plan struct {
		Found   struct{ PBX string }
		Refused []string
	}
	if err := json.Unmarshal([]byte(stdout), &plan); err != nil || status != 0 || plan.Found.PBX != "FreePBX" || len(plan.Refused) != 1 || stderr != "" {
		t.Errorf("got %d, %s, %s (%v)", status, stdout, stderr, err)
	}
	status, _, stderr = voipd("init", "--yes", "--root", root)
	if status != 1 || !strings.Contains(stderr, "nothing was done: Asterisk does not run") {
		t.Errorf("got %d, %s", status, stderr)
	}
	status, stdout, _ = voipd("init", "--undo", "--root", root)
	if status != 0 || !strings.Contains(stdout, "Nothing is to be taken back") {
		t.Errorf("got %d, %s", status, stdout)
	}
	if left, err := filepath.Glob(filepath.Join(root, "etc/voipd*")); err != nil || len(left) > 0 {
		t.Errorf("it wrote %v (%v)", left, err)
	}
}
