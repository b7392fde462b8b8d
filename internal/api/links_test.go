package api_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/contract"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

// TestLinksOfAToken: a token may have links that do not expire. They work until its
// key is renewed, it is another token, or it may not hear recordings any more.
func TestLinksOfAToken(t *testing.T) {
	for name, c := range map[string]struct {
		then func(o *office)
		want int
	}{
		"years later":              {func(o *office) { o.now = o.now.AddDate(3, 0, 0) }, 200},
		"revoked":                  {func(o *office) { must(t, o.db.RenewLinkKey(context.Background(), "crm")) }, 403},
		"another's were revoked":   {func(o *office) { must(t, o.db.RenewLinkKey(context.Background(), "other")) }, 200},
		"without links of its own": {func(o *office) { o.links = 0; o.scopes() }, 403},
		"with links for a time":    {func(o *office) { o.links = time.Hour; o.scopes() }, 200},
		"without the scope":        {func(o *office) { o.scopes(contract.ScopeRecords) }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.links = recording.Never
			o.scopes()
			r := o.call("1.1", 0, record.Ready)
			o.audio("1.1")
			var made struct {
				Link      string
				ExpiresAt *time.Time
			}
			o.expect("POST", "/v1/call-link", `{"call": {"callId": "`+r.CallID+`"}}`, 200, &made)
			if made.ExpiresAt != nil || !strings.Contains(made.Link, "by=crm") {
				t.Fatalf("link: %+v", made)
			}
			path := strings.TrimPrefix(made.Link, o.server.URL)
			o.expect("GET", path, "", 200, nil)
			u, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("by", "other")
			o.expect("GET", u.Path+"?"+q.Encode(), "", 403, nil)
			q.Del("by")
			o.expect("GET", u.Path+"?"+q.Encode(), "", 403, nil)
			c.then(o)
			o.expect("GET", path, "", c.want, nil)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
