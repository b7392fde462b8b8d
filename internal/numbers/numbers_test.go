package numbers_test

import (
	"testing"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/numbers"
)

// TestMembersAndHelpers: what the configuration says of endpoints and technologies
// goes before the patterns and before what the PBX shows.
func TestMembersAndHelpers(t *testing.T) {
	c, err := config.Parse("f.toml", `[asterisk]
secret = "x"
[numbers]
trunks = ['^PJSIP/1']
helpers = ["Khomp"]
[[members]]
extension = "121"
endpoints = ["PJSIP/anna-desk", "PJSIP/1000", "DAHDI/7"]
`)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := numbers.Rules(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ endpoint, shown, class string }{
		{"PJSIP/anna-desk", "extension 500", "extension 121"},
		{"PJSIP/1000", "trunk", "extension 121"},
		{"DAHDI/7", "", "extension 121"},
		{"DAHDI/17", "", "trunk"},
		{"PJSIP/101", "", "trunk"},
		{"PJSIP/201", "", "extension 201"},
		{"PJSIP/99201", "extension 201", "extension 201"},
		{"PJSIP/2001", "operator 203", "extension 203"},
		{"PJSIP/boss", "operator 204", "extension 204"},
		{"Khomp/B0C3", "extension 205", "helper"},
	} {
		if class, why := rules.Class(row.endpoint, row.shown, "so it is shown"); class != row.class || why == "" {
			t.Errorf("%s, shown as %q, is %s (%s), want %s", row.endpoint, row.shown, class, why, row.class)
		}
	}
}
