package setup

import (
	"flag"
	"testing"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestConf reads what Asterisk's reader knows: includes with wildcards, added
// sections, templates, comments of both kinds.
func TestConf(t *testing.T) {
	m := newMachine(t, map[string]string{
		"/etc/asterisk/a.conf": "[base](!)\ncolor = red ; a comment\nname => one\n[x](base)\nname = a\\;b\n;-- [y]\nz = 1\n--; q = 2\n;--- not a block\n#include \"a.d/*.conf\"\n#tryinclude none.conf\n#exec /bin/false\n",
		"/etc/asterisk/a.d/2":  "[x](+)\nname = never\n", "/etc/asterisk/a.d/1.conf": "[x](+)\nColor=blue\n#include /etc/asterisk/a.d/1.conf\n",
	})
	c, err := readConf(m.o.Root, "/etc/asterisk", "a.conf")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"color": "blue", "name": "a;b", "q": "2", "z": ""} {
		if got := c.value("x", key); got != want {
			t.Errorf("x has %s = %q, want %q", key, got, want)
		}
	}
	if len(c.named("y")) != 0 {
		t.Error("a commented section was read")
	}
	if in, ok := c.reads("/etc/asterisk/a.d/voipd.conf"); !ok || in.line != 10 {
		t.Errorf("got %+v %v", in, ok)
	}
}
