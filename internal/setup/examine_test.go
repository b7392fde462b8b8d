package setup

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/config"
)

// TestExamine: each thing on the machine that is not right is told with the
// line to put where; a machine that init set up has none.
func TestExamine(t *testing.T) {
	const user = "\n[voipd]\nsecret = SECRET1\nread = call\neventfilter = !Event: Newexten\n"
	for name, c := range map[string]struct {
		files  map[string]string
		change func(*machine)
		want   []string // of what and what to do; none: nothing is found
	}{
		"as init leaves it": {freepbx(), func(m *machine) { m.set() }, nil},
		"a rewritten file": {freepbx(), func(m *machine) { m.append("/etc/asterisk/manager.conf", user) },
			[]string{"stands in a file that FreePBX writes anew", "it goes to /etc/asterisk/manager_custom.conf"}},
		"a filter": {debian(), func(m *machine) { m.write("/etc/asterisk/manager.d/mine.conf", user) },
			[]string{"/etc/asterisk/manager.d/mine.conf:5: eventfilter = !Event: Newexten hides events", "take the line out"}},
		"an open file": {debian(), func(m *machine) { m.write("/etc/asterisk/manager.d/mine.conf", user) },
			[]string{"everybody on this machine can read the secret of voipd", "sudo chmod o-rwx /etc/asterisk/manager.d/mine.conf"}},
		"an open secret": {debian(), func(m *machine) {
			m.write("/etc/voipd/ami.secret", "x")
			m.conf("[asterisk]\nsecret_file = \"/etc/voipd/ami.secret\"\n")
		}, []string{"/etc/voipd/ami.secret: everybody on this machine can read it", "chmod 640 /etc/voipd/ami.secret"}},
		"recordings": {debian(), func(m *machine) {
			m.write("/var/spool/asterisk/monitor/x.wav", "")
			m.chmod("/var/spool/asterisk/monitor", 0o700)
		}, []string{"voipd's user may not read /var/spool/asterisk/monitor", "chgrp asterisk"}},
		"not read":    {freepbx(), func(*machine) {}, []string{"CEL is written (table cel of asteriskcdrdb", "[[backfill]]"}},
		"zone":        {debian(), func(m *machine) { m.conf(cdrIn("Europe/Moscow")) }, []string{"usegmtime = yes", "zone = \"UTC\""}},
		"right zone":  {debian(), func(m *machine) { m.conf(cdrIn("UTC")) }, nil},
		"clock":       {debian(), func(m *machine) { m.conf(cdrIn("UTC")); m.unsynced = true }, []string{"clock is not set by the network", "set-ntp true"}},
		"PBX is away": {freepbx(), func(m *machine) { m.conf("[asterisk]\naddress = \"192.0.2.1:5038\"\n") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, c.files)
			c.change(m)
			conf := config.Default()
			if m.o.has(defaultConfig) {
				var err error
				if conf, err = config.Parse("config.toml", m.read(defaultConfig)); err != nil {
					t.Fatal(err)
				}
			}
			found, err := Examine(t.Context(), m.o, conf)
			if err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprintf("%+v", found)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("%q is not in %s", want, said)
				}
			}
			if len(c.want) == 0 && len(found) > 0 {
				t.Errorf("it finds %s", said)
			}
		})
	}
}

func cdrIn(zone string) string {
	return fmt.Sprintf("[[backfill]]\nkind = \"cdr\"\ndriver = \"csv\"\npath = \"/var/log/asterisk/cdr-csv/Master.csv\"\nzone = %q\n", zone)
}

// conf writes voipd's configuration as the package's tmpfiles leave it.
func (m *machine) conf(text string) {
	m.write(defaultConfig, text)
	m.chmod(defaultConfig, 0o640)
}

func (m *machine) chmod(name string, mode os.FileMode) {
	m.t.Helper()
	if err := os.Chmod(m.o.at(name), mode); err != nil {
		m.t.Fatal(err)
	}
}

// set runs init, and fills in what it left to the admin.
func (m *machine) set() {
	m.t.Helper()
	if _, _, err := m.init(); err != nil {
		m.t.Fatal(err)
	}
	m.conf(strings.ReplaceAll(m.read(defaultConfig), "# [[backfill]]\n# kind", "[[backfill]]\nkind"))
	m.conf(strings.ReplaceAll(strings.ReplaceAll(m.read(defaultConfig), "\n# driver", "\ndriver"), "\n# dsn_file", "\ndsn_file"))
}
