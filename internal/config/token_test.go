package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/config"
)

// TestRevokeToken: one token's block goes, and not a letter beside it.
func TestRevokeToken(t *testing.T) {
	block := func(name string) string {
		return "[[http.tokens]]\nname = \"" + name + "\"\nsha256 = \"" + strings.Repeat("a", 64) + "\"\n\n"
	}
	head, tail := "# mine\n[http]\nlisten = \"127.0.0.1:1\"\n\n", "[log]\nlevel = \"info\" # [[http.tokens]]\n"
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(head+block("crm")+block("wallboard")+tail), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := config.RevokeToken(path, "nobody"); err == nil {
		t.Error("a token that is not there was revoked")
	}
	if err := config.RevokeToken(path, "crm"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != head+block("wallboard")+tail {
		t.Errorf("%v: %s", err, got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
