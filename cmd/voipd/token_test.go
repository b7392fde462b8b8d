package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTokenLink: a link is on standard output alone, under the address of the
// configuration, and is made for tokens that there are.
func TestTokenLink(t *testing.T) {
	for base, config := range map[string]string{
		"http://127.0.0.1:8780":         "",
		"https://pbx.example.com/voipd": `base_url = "https://pbx.example.com/voipd/"`,
		"http://localhost:80":           `listen = ":80"`,
	} {
		dir := t.TempDir()
		conf := filepath.Join(dir, "voipd.toml")
		text := fmt.Sprintf("[store]\npath = %q\n[http]\n%s\n[[http.tokens]]\nname = \"crm\"\nsha256 = \"%x\"\n", filepath.Join(dir, "voipd.db"), config, sha256.Sum256([]byte("secret")))
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var links [2]string
		for i := range links {
			var out, errs bytes.Buffer
			if status := run([]string{"token", "link", "crm", "-c", conf}, &out, &errs); status != exitOK || !strings.HasPrefix(out.String(), base+"/#/link=once.") || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("%d %q %s", status, &out, &errs)
			}
			links[i] = out.String()
		}
		if links[0] == links[1] {
			t.Errorf("two links are alike: %s", links[0])
		}
		var out, errs bytes.Buffer
		if status := run([]string{"token", "link", "nobody", "-c", conf}, &out, &errs); status == exitOK || out.Len() > 0 || !strings.Contains(errs.String(), `no token "nobody"`) {
			t.Errorf("%d %q %s", status, &out, &errs)
		}
	}
}
