package daemon_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/voipd/voipd/internal/config"
)

// TestReload: another token and another name hold at once, and what needs a restart
// is named.
func TestReload(t *testing.T) {
	o := newOffice(t)
	o.start()
	defer func() {
		if err := o.stop(); err != nil {
			t.Error(err)
		}
	}()
	c := o.config
	sum := sha256.Sum256([]byte("another"))
	c.HTTP.Tokens = []config.Token{{Name: "other", SHA256: hex.EncodeToString(sum[:])}}
	c.Members = []config.Member{{Extension: "109", Name: "Anna"}}
	c.Webhooks = []config.Webhook{{Name: "crm", URL: "http://127.0.0.1:1/"}}
	if need := o.daemon.Reload(c); !slices.Equal(need, []string{"webhooks"}) {
		t.Errorf("a restart is needed for %q", need)
	}
	if status, _ := o.get("GET", "/v1/records", ""); status != 401 {
		t.Errorf("the old token: %d", status)
	}
}
