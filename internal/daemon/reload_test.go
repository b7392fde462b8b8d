package daemon_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/record"
)

// TestReload: another token, webhook, name and pattern hold at once, and what needs
// a restart is named.
func TestReload(t *testing.T) {
	taken := make(chan string, 100)
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { taken <- r.Header.Get("webhook-id") }))
	defer crm.Close()
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
	c.Webhooks = []config.Webhook{{Name: "crm", URL: crm.URL, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Timeout: time.Second, MaxAge: time.Hour}}
	c.Numbers.RewriteCaller = []config.Rewrite{{Match: "^7", Replace: "8"}}
	c.Numbers.SrcExtVariable = "SRC"
	c.Asterisk.Name = "another"
	need, err := o.daemon.Reload(c)
	if err != nil || !slices.Equal(need, []string{"asterisk", "numbers"}) {
		t.Errorf("a restart is needed for %q (%v)", need, err)
	}
	if status, _ := o.get("GET", "/v1/records", ""); status != 401 {
		t.Errorf("the old token: %d", status)
	}
	o.play("in-answered")
	if r := o.until(record.CallEnded).Record; r.SrcPhone != "89031000001" {
		t.Errorf("the old rules tell the number: %+v", r)
	}
	select {
	case <-taken:
	case <-time.After(20 * time.Second):
		t.Error("the new webhook gets nothing")
	}
	c.Numbers.Extensions = []string{"("}
	if _, err := o.daemon.Reload(c); err == nil {
		t.Error("a pattern that is none was taken")
	}
}
