package config

import (
	"strings"
	"testing"
)

// TestRenamed: a key by its old name is understood, with a warning that has its
// line and the new name; with both names it is a mistake.
func TestRenamed(t *testing.T) {
	renames := map[string]string{"asterisk.host": "address", "http.tokens.hash": "sha256"}
	c, err := parse("x.toml", "[asterisk]\nhost = \"192.0.2.1:5038\"\n[[http.tokens]]\nname = \"a\"\nhash = \""+strings.Repeat("ab", 32)+"\"\n", renames)
	if err != nil || c.Asterisk.Address != "192.0.2.1:5038" || c.HTTP.Tokens[0].SHA256 == "" {
		t.Fatalf("got %+v (%v)", c.Asterisk, err)
	}
	for _, want := range []string{"x.toml:2: asterisk.host: is called address now", "x.toml:5: http.tokens[0].hash: is called sha256 now"} {
		if c.Warning == nil || !strings.Contains(c.Warning.Error(), want) {
			t.Errorf("%q is not in %v", want, c.Warning)
		}
	}
	if _, err := parse("x.toml", "[asterisk]\nhost = \"a:1\"\naddress = \"b:1\"\n", renames); err == nil || !strings.Contains(err.Error(), "keep that one") {
		t.Errorf("both names: %v", err)
	}
	if _, err := parse("x.toml", "[asterisk]\nhost = \"nonsense\"\n", renames); err == nil {
		t.Error("a bad value under the old name was taken")
	}
	if c, err := Parse("x.toml", "[asterisk]\nname = \"a\"\n"); err != nil || c.Warning != nil {
		t.Errorf("a warning without a reason: %v (%v)", c.Warning, err)
	}
}
