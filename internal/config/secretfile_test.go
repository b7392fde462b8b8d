package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/voipd/voipd/internal/config"
)

// TestSecretFileWithoutEnd: a secret in a pipe, a device or a huge file is an
// error, and does not stop the start or fill the memory.
func TestSecretFileWithoutEnd(t *testing.T) {
	dir := t.TempDir()
	pipe, huge := filepath.Join(dir, "pipe"), filepath.Join(dir, "huge")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 1<<40); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{pipe: "it is no file but a pipe", "/dev/zero": "it is no file but a device", dir: "it is no file but a folder", huge: "which no secret has"} {
		for _, text := range []string{
			"[asterisk]\nsecret_file = %q\n",
			"[asterisk]\nsecret = \"x\"\n[[webhooks]]\nname = \"crm\"\nurl = \"https://crm.example.com/x\"\nsecret_file = %q\n",
			"[asterisk]\nsecret = \"x\"\n[[backfill]]\nkind = \"cel\"\ndriver = \"mysql\"\ndsn_file = %q\n",
		} {
			file := filepath.Join(dir, "voipd.toml")
			if err := os.WriteFile(file, fmt.Appendf(nil, text, path), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := config.Load(file); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s as %q: %v", path, text, err)
			}
		}
	}
}
