// Package packaging has the tests of what packages are made of; the laboratory
// installs them (lab/package_test.go).
package packaging_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVersion: the version stands in one place, and the latest heading of
// CHANGELOG.md is about it.
func TestVersion(t *testing.T) {
	number := regexp.MustCompile(`(?m)^const number = "(\d+\.\d+\.\d+)"$`).FindStringSubmatch(read(t, "../cmd/voipd/version.go"))
	heading := regexp.MustCompile(`(?m)^## (\S+) \(\d{4}-\d\d-\d\d\)$`).FindStringSubmatch(read(t, "../CHANGELOG.md"))
	if number == nil || heading == nil || number[1] != heading[1] {
		t.Errorf("version.go has %v, CHANGELOG.md %v", number, heading)
	}
}

// TestNothingIsMissing: what the packages take from the tree is there, and the
// configuration that voipd init writes is not among it.
func TestNothingIsMissing(t *testing.T) {
	text := read(t, "nfpm.yaml")
	sources := regexp.MustCompile(`src: "?([^",}]+)"?`).FindAllStringSubmatch(text, -1)
	if len(sources) < 10 {
		t.Fatalf("only %d sources were found", len(sources))
	}
	for _, s := range sources {
		if strings.HasPrefix(s[1], "bin/stage/") { // build.sh lays it out
			continue
		}
		if found, err := filepath.Glob(filepath.Join("..", s[1])); err != nil || len(found) == 0 {
			t.Errorf("%s is not there (%v)", s[1], err)
		}
	}
	if regexp.MustCompile(`dst: "?/etc`).MatchString(text) {
		t.Error("something goes to /etc: dpkg would ask about it at each upgrade")
	}
}

// host is a machine of files for a maintainer script, whose other commands only
// note what they are told.
type host struct {
	t    *testing.T
	root string
}

func newHost(t *testing.T, files ...string) *host {
	h := &host{t, t.TempDir()}
	for _, f := range append(files, "bin/x", "etc/x", "var/lib/x") {
		h.write(f, "")
	}
	for _, name := range []string{"systemctl", "deb-systemd-invoke", "getent", "groupadd", "useradd", "chown", "systemd-sysusers"} {
		// What fails is what the test has put there as bin/fails/COMMAND ARGUMENT.
		h.write("bin/"+name, "#!/bin/sh\necho \""+name+" $*\" >>'"+h.root+"/log'\n[ ! -e \"$0.fails.$1\" ]\n")
	}
	h.write("bin/dpkg", "#!/bin/sh\n# --compare-versions A gt B, by sort\n[ \"$2\" != \"$4\" ] && [ \"$(printf '%s\\n%s\\n' \"$2\" \"$4\" | sort -V | tail -n 1)\" = \"$2\" ]\n")
	return h
}

func (h *host) write(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		h.t.Fatal(err)
	}
}

// run runs a script as dpkg or rpm would, with its absolute paths below the
// host's root.
func (h *host) run(script string, args ...string) (said string, err error) {
	h.t.Helper()
	text := strings.Replace(read(h.t, script), "@USERS@\n", read(h.t, "users.sh"), 1)
	text = strings.ReplaceAll(text, "@VERSION@", "1.2.0-1")
	text = regexp.MustCompile(`(^|[\s'"=])/(etc|var|run|usr/lib)/`).ReplaceAllString(text, "${1}"+h.root+"/$2/")
	h.write("script", text)
	c := exec.CommandContext(h.t.Context(), "sh", append([]string{filepath.Join(h.root, "script")}, args...)...)
	c.Env = []string{"PATH=" + h.root + "/bin:/usr/bin:/bin", "LC_ALL=C"}
	if h.has("allowed") {
		c.Env = append(c.Env, "VOIPD_DOWNGRADE=1")
	}
	out, err := c.CombinedOutput()
	log, _ := os.ReadFile(filepath.Join(h.root, "log")) // none: nothing was told
	return string(out) + string(log), err
}

func (h *host) has(name string) bool {
	_, err := os.Stat(filepath.Join(h.root, name))
	return err == nil
}

// TestScripts: what each maintainer script does, by what it finds.
func TestScripts(t *testing.T) {
	const systemd, conf, db = "run/systemd/system/x", "etc/voipd/config.toml", "var/lib/voipd/voipd.db"
	const stopped, disabled = "bin/systemctl.fails.is-active", "bin/systemctl.fails.is-enabled"
	for _, c := range []struct {
		name   string
		script string
		args   []string
		files  []string
		says   []string
		not    []string
		fails  bool
		kept   string // is there afterwards
		gone   string
	}{
		{name: "deb: first install", script: "deb/postinst", args: []string{"configure", ""}, files: []string{systemd, stopped, disabled},
			says: []string{"Now: sudo voipd init", "daemon-reload", "systemd-sysusers"}, not: []string{"deb-systemd-invoke"}},
		{name: "deb: without systemd, and sysusers makes nobody", script: "deb/postinst", args: []string{"configure", ""},
			files: []string{"bin/getent.fails.group", "bin/getent.fails.passwd"}, says: []string{"groupadd --system asterisk", "useradd --system --gid voipd"}, not: []string{"systemctl"}},
		{name: "deb: upgrade of one that runs", script: "deb/postinst", args: []string{"configure", "1.1.0-1"}, files: []string{systemd, conf}, says: []string{"deb-systemd-invoke restart voipd.service"}, not: []string{"sudo voipd init"}},
		{name: "deb: upgrade of one that is disabled", script: "deb/postinst", args: []string{"configure", "1.1.0-1"}, files: []string{systemd, conf, stopped, disabled}, not: []string{"deb-systemd-invoke"}},
		{name: "deb: installed again", script: "deb/postinst", args: []string{"configure", ""}, files: []string{systemd, conf, stopped}, says: []string{"deb-systemd-invoke start voipd.service"}},
		{name: "deb: it does not start", script: "deb/postinst", args: []string{"configure", ""}, files: []string{systemd, conf, stopped, "bin/deb-systemd-invoke.fails.start"}, says: []string{"voipd did not start"}},
		{name: "deb: an upgrade was called off", script: "deb/postinst", args: []string{"abort-upgrade", "1.1.0-1"}, files: []string{systemd, conf, stopped}, says: []string{"deb-systemd-invoke start"}, not: []string{"sudo voipd init"}},
		{name: "deb: upgrade", script: "deb/preinst", args: []string{"upgrade", "1.1.0-1"}, files: []string{db}},
		{name: "deb: the same again", script: "deb/preinst", args: []string{"upgrade", "1.2.0-1"}, files: []string{db}},
		{name: "deb: downgrade", script: "deb/preinst", args: []string{"upgrade", "1.10.0-1"}, files: []string{db}, says: []string{"1.2.0-1 is older than 1.10.0-1", "VOIPD_DOWNGRADE=1"}, fails: true},
		{name: "deb: downgrade without a database", script: "deb/preinst", args: []string{"upgrade", "1.10.0-1"}},
		{name: "deb: downgrade, wanted", script: "deb/preinst", args: []string{"upgrade", "1.10.0-1"}, files: []string{db, "allowed"}},
		{name: "deb: remove", script: "deb/prerm", args: []string{"remove"}, files: []string{systemd, "var/lib/voipd-init/done.json"}, says: []string{"deb-systemd-invoke stop voipd.service", "voipd init --undo"}},
		{name: "deb: voipd goes on while it is upgraded", script: "deb/prerm", args: []string{"upgrade", "1.3.0-1"}, files: []string{systemd}, not: []string{"stop"}},
		{name: "deb: removed", script: "deb/postrm", args: []string{"remove"}, files: []string{systemd, conf, db}, says: []string{"daemon-reload"}, kept: conf},
		{name: "deb: purged", script: "deb/postrm", args: []string{"purge"}, files: []string{conf, db, "etc/asterisk/x"}, gone: conf, not: []string{"still stand"}},
		{name: "deb: purged, the database", script: "deb/postrm", args: []string{"purge"}, files: []string{conf, db}, gone: db},
		{name: "rpm: first install", script: "rpm/post", args: []string{"1"}, files: []string{systemd, disabled}, says: []string{"Now: sudo voipd init"}, not: []string{"start voipd"}},
		{name: "rpm: installed again", script: "rpm/post", args: []string{"1"}, files: []string{systemd, conf}, says: []string{"systemctl start voipd.service"}},
		{name: "rpm: upgrade, the new one", script: "rpm/post", args: []string{"2"}, files: []string{systemd, conf}, not: []string{"systemctl start", "restart"}},
		{name: "rpm: upgrade, the old one goes", script: "rpm/preun", args: []string{"1"}, files: []string{systemd}, not: []string{"stop"}},
		{name: "rpm: upgrade, the old one is gone", script: "rpm/postun", args: []string{"1"}, files: []string{systemd}, says: []string{"systemctl try-restart voipd.service"}},
		{name: "rpm: erased", script: "rpm/preun", args: []string{"0"}, files: []string{systemd, "var/lib/voipd-init/done.json"}, says: []string{"systemctl stop voipd.service", "voipd init --undo", "are kept"}},
		{name: "rpm: erased, after", script: "rpm/postun", args: []string{"0"}, files: []string{systemd, conf}, says: []string{"daemon-reload"}, not: []string{"restart"}, kept: conf},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.files...)
			said, err := h.run(c.script, c.args...)
			if (err != nil) != c.fails {
				t.Errorf("it ends with %v:\n%s", err, said)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in\n%s", want, said)
				}
			}
			for _, no := range c.not {
				if strings.Contains(said, no) {
					t.Errorf("%q is in\n%s", no, said)
				}
			}
			if c.kept != "" && !h.has(c.kept) {
				t.Errorf("%s is gone", c.kept)
			}
			if c.gone != "" && h.has(c.gone) {
				t.Errorf("%s is still there", c.gone)
			}
		})
	}
}

// TestPurgeNamesWhatIsLeft: without --undo the PBX keeps voipd's user; who purges
// is told where.
func TestPurgeNamesWhatIsLeft(t *testing.T) {
	h := newHost(t)
	h.write("etc/asterisk/manager_custom.conf", "; >>> voipd init\n[voipd]\n; <<< voipd init\n")
	said, err := h.run("deb/postrm", "purge")
	if err != nil || !strings.Contains(said, "still stand in:\n"+h.root+"/etc/asterisk/manager_custom.conf") {
		t.Errorf("got %v:\n%s", err, said)
	}
}
