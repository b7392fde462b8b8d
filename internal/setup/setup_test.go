package setup

import (
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/databases"
)

// layouts are the PBXs of the README's table, with the file that the user of
// AMI goes to.
func layouts() map[string]struct {
	files map[string]string
	pbx   string
	user  string
} {
	return map[string]struct {
		files map[string]string
		pbx   string
		user  string
	}{
		"freepbx":  {freepbx(), FreePBX, "/etc/asterisk/manager_custom.conf"},
		"issabel":  {issabel(), Issabel, "/etc/asterisk/manager_custom.conf"},
		"vitalpbx": {vitalpbx(), VitalPBX, "/etc/asterisk/vitalpbx/manager__50-voipd-user.conf"},
		"debian":   {debian(), Asterisk, "/etc/asterisk/manager.d/voipd.conf"},
		"source":   {source(), Asterisk, "/etc/asterisk/voipd_manager.conf"},
	}
}

// TestLayouts: on each PBX the user goes where it stays, voipd is let in, the
// configuration loads, a second run changes nothing, and undo leaves every file
// as it was.
func TestLayouts(t *testing.T) {
	for name, c := range layouts() {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, c.files)
			before := m.picture()
			plan, result, err := m.init()
			if err != nil {
				t.Fatal(err)
			}
			if plan.Found.PBX != c.pbx {
				t.Errorf("it is held for %s, want %s", plan.Found.PBX, c.pbx)
			}
			tree, err := readConf(m.o.Root, "/etc/asterisk", "manager.conf")
			if err != nil {
				t.Fatal(err)
			}
			user := tree.named("voipd")
			if len(user) != 1 || user[0].file != c.user {
				t.Fatalf("the user stands in %+v, want it in %s alone", user, c.user)
			}
			for key, want := range map[string]string{"secret": "SECRET1", "read": readClasses, "write": writeClasses, "permit": loopback} {
				if got := tree.value("voipd", key); got != want {
					t.Errorf("%s = %s, want %s", key, got, want)
				}
			}
			if !yes(tree.value("general", "timestampevents")) || !yes(tree.value("general", "enabled")) {
				t.Error("AMI is off, or without times")
			}
			text := m.read("/etc/voipd/config.toml")
			if _, err := config.Parse("config.toml", text); err != nil {
				t.Error(err)
			}
			if strings.Contains(text, result.Token) || m.read("/etc/voipd/ami.secret") != "SECRET1\n" {
				t.Errorf("the configuration holds a token, or ami.secret no secret:\n%s", text)
			}
			if !m.active || !m.enabled {
				t.Error("voipd was not started")
			}
			m.golden(name, plan, result)

			during := m.picture()
			again, _, err := m.init()
			if err != nil || !again.Nothing() {
				t.Errorf("a second run: %v, wants %+v %+v", err, again.Changes, again.Steps)
			}
			if diff := cmp.Diff(during, m.picture()); diff != "" {
				t.Errorf("a second run changed:\n%s", diff)
			}
			if done, err := Undo(t.Context(), m.o); err != nil || len(done) == 0 {
				t.Errorf("undo: %v %v", done, err)
			}
			if diff := cmp.Diff(before, m.picture()); diff != "" {
				t.Errorf("undo left:\n%s", diff)
			}
			if m.active || m.enabled {
				t.Error("voipd still runs after undo")
			}
			if done, err := Undo(t.Context(), m.o); err != nil || len(done) != 0 {
				t.Errorf("undo again: %v %v", done, err)
			}
		})
	}
}

// golden compares what is planned and written with testdata.
func (m *machine) golden(name string, plan *Plan, result *Result) {
	m.t.Helper()
	_, port, _ := strings.Cut(m.pbx.Addr(), ":")
	var b strings.Builder
	if err := plan.Print(&b); err != nil {
		m.t.Fatal(err)
	}
	b.WriteString("--- then\n")
	if err := result.Print(&b, m.o); err != nil {
		m.t.Fatal(err)
	}
	b.WriteString("--- config.toml\n" + m.read("/etc/voipd/config.toml"))
	got := strings.ReplaceAll(b.String(), port, "5038")
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			m.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		m.t.Errorf("%s (write it anew with -update):\n%s", file, diff)
	}
}

// TestFreePBXRewritesManagerConf plays what FreePBX's framework does to
// manager.conf when its password is changed: voipd's user survives it.
func TestFreePBXRewritesManagerConf(t *testing.T) {
	m := newMachine(t, freepbx())
	if _, _, err := m.init(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(m.read("/etc/asterisk/manager.conf"), "\n") {
		switch {
		case strings.HasPrefix(line, "secret"):
			line = "secret = changed"
		case strings.HasPrefix(line, "[") && line != "[general]":
			line = "[admin]"
		}
		out = append(out, line)
	}
	m.write("/etc/asterisk/manager.conf", strings.Join(out, "\n"))
	tree, err := readConf(m.o.Root, "/etc/asterisk", "manager.conf")
	if err != nil {
		t.Fatal(err)
	}
	if got := tree.value("voipd", "secret"); got != "SECRET1" {
		t.Errorf("the user's secret is %q", got)
	}
	if plan, err := MakePlan(t.Context(), m.o); err != nil || !plan.Nothing() {
		t.Errorf("init wants to do %+v (%v)", plan.Changes, err)
	}
	if _, err := Undo(t.Context(), m.o); err != nil { // manager.conf is not its concern
		t.Error(err)
	}
}

// TestRefused: what stands in the way is said with what to do, and nothing is
// written.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*machine)
		want   string
	}{
		"no Asterisk":   {func(m *machine) { m.remove("/etc/asterisk", "/etc/freepbx.conf", "/etc/amportal.conf") }, "voipd init --remote HOST"},
		"it is down":    {func(m *machine) { m.version = "" }, "systemctl start asterisk"},
		"too old":       {func(m *machine) { m.version = "11.25.3" }, "voipd needs Asterisk 12 or newer"},
		"no user":       {func(m *machine) { m.write("/etc/passwd", "") }, "install the package"},
		"bad file":      {func(m *machine) { m.write("/etc/voipd/config.toml", "[asterisk]\nadress = 1\n") }, "adress"},
		"in a bad file": {func(m *machine) { m.append("/etc/asterisk/manager.conf", "[voipd]\nsecret = x\n") }, "FreePBX rewrites that file: take the section [voipd] out"},
		"no include":    {func(m *machine) { m.write("/etc/asterisk/manager.conf", "[general]\nenabled = yes\nport = 1\n") }, "#include manager_custom.conf"},
		"other secret": {func(m *machine) {
			m.append("/etc/asterisk/manager_custom.conf", "\n[voipd]\nsecret = x\n")
			m.write("/etc/voipd/ami.secret", "y\n")
		}, "holds another secret"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, freepbx())
			c.change(m)
			before := m.picture()
			_, _, err := m.init()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if diff := cmp.Diff(before, m.picture()); diff != "" {
				t.Errorf("it wrote:\n%s", diff)
			}
		})
	}
}

func (m *machine) append(name, text string) { m.t.Helper(); m.write(name, m.read(name)+text) }

func (m *machine) remove(names ...string) {
	m.t.Helper()
	for _, name := range names {
		if err := os.RemoveAll(m.o.at(name)); err != nil {
			m.t.Fatal(err)
		}
	}
}

// TestFailed: where the PBX does not let voipd in, or a class of events does
// not come, all is taken back.
func TestFailed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*machine)
		want   string
	}{
		"another secret": {func(m *machine) { m.o.Random = func() string { return "WRONG" } }, "refused"},
		"no call events": {func(m *machine) { m.mute = "call" }, "class call did not come"},
		"no reload":      {func(m *machine) { m.broken = "manager reload" }, "it is broken"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, debian())
			c.change(m)
			before := m.picture()
			_, _, err := m.init()
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "was taken back") {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if diff := cmp.Diff(before, m.picture()); diff != "" {
				t.Errorf("it left:\n%s", diff)
			}
		})
	}
}

// TestEdited: undo leaves a file that was edited since, says how to go on, and
// takes the rest back.
func TestEdited(t *testing.T) {
	m := newMachine(t, freepbx())
	before := m.read("/etc/asterisk/manager_custom.conf")
	if _, _, err := m.init(); err != nil {
		t.Fatal(err)
	}
	m.append("/etc/asterisk/manager_custom.conf", "[mine]\nsecret = later\n")
	m.append("/etc/voipd/config.toml", "# mine\n")
	_, err := Undo(t.Context(), m.o)
	if err == nil || !strings.Contains(err.Error(), "take these lines out yourself") || !strings.Contains(err.Error(), "rm /etc/voipd/config.toml") {
		t.Fatalf("got %v", err)
	}
	if strings.Contains(err.Error(), "SECRET") {
		t.Errorf("a secret is shown: %v", err)
	}
	if m.o.has("/etc/voipd/ami.secret") || m.active || !strings.Contains(m.read("/etc/asterisk/manager_custom.conf"), "later") {
		t.Error("the rest was not taken back, or an edit was lost")
	}
	m.write("/etc/asterisk/manager_custom.conf", before+"[mine]\nsecret = later\n")
	m.remove("/etc/voipd/config.toml")
	if _, err := Undo(t.Context(), m.o); err != nil {
		t.Errorf("after the lines were taken out: %v", err)
	}
	if m.o.has("/var/lib/voipd-init") {
		t.Error("a list is left")
	}
}

// TestCutShort: a run that ends after any of its steps is taken back at the next
// start, whole.
func TestCutShort(t *testing.T) {
	whole := newMachine(t, freepbx())
	plan, err := MakePlan(t.Context(), whole.o)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(plan.Changes) + 1 {
		m := newMachine(t, freepbx())
		before := m.picture()
		plan, err := MakePlan(t.Context(), m.o)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := plan.entries(m.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := (journal{m.o.with()}).register(entries); err != nil {
			t.Fatal(err)
		}
		for _, c := range plan.Changes[:n] {
			if err := c.apply(m.o); err != nil {
				t.Fatal(err)
			}
		}
		if n < len(plan.Changes) { // killed while it wrote
			m.write(draftOf(plan.Changes[n].File), "half")
		}
		if dry, err := MakePlan(t.Context(), m.o); err != nil || !dry.CutShort {
			t.Errorf("after %d steps a plan does not say that a run was cut (%v)", n, err)
		}
		if cut, err := Repair(t.Context(), m.o); !cut || err != nil {
			t.Errorf("after %d steps: %v %v", n, cut, err)
		}
		if diff := cmp.Diff(before, m.picture()); diff != "" {
			t.Errorf("after %d steps there is left:\n%s", n, diff)
		}
	}
}

// TestReader makes the database user on a real MariaDB: it may read CEL and CDR,
// and nothing else; undo drops it.
func TestReader(t *testing.T) {
	admin := databases.MariaDB(t)
	db, err := sql.Open("mysql", admin)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, statement := range []string{"CREATE TABLE cdr (uniqueid VARCHAR(32))", "CREATE TABLE cel (uniqueid VARCHAR(32))", "CREATE TABLE secrets (x INT)"} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	socket, _, _ := strings.Cut(strings.TrimPrefix(admin, "root@unix("), ")")
	files := freepbx()
	files["/etc/odbc.ini"] = strings.ReplaceAll(odbcINI, "SOCKET", socket)
	m := newMachine(t, files)
	m.write(socket, "") // the real one is outside of the machine's files
	m.db = db
	before := m.picture()
	if _, _, err := m.init(); err != nil {
		t.Fatal(err)
	}
	conf, err := config.Parse("config.toml", m.read("/etc/voipd/config.toml"))
	if err != nil || len(conf.Backfill) != 2 {
		t.Fatalf("got %+v (%v)", conf.Backfill, err)
	}
	reader, err := sql.Open("mysql", strings.TrimSpace(m.read("/etc/voipd/cdr.dsn")))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for statement, may := range map[string]bool{"SELECT COUNT(*) FROM cdr": true, "SELECT COUNT(*) FROM cel": true, "SELECT COUNT(*) FROM secrets": false, "DELETE FROM cdr": false} {
		if _, err := reader.ExecContext(t.Context(), statement); (err == nil) != may {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if _, err := Undo(t.Context(), m.o); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, m.picture()); diff != "" {
		t.Errorf("undo left:\n%s", diff)
	}
	var users int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM mysql.user WHERE user = 'voipd'").Scan(&users); err != nil || users != 0 {
		t.Errorf("%d users are left (%v)", users, err)
	}
}

// TestOwnConfiguration: one that is there is kept, and filled in around.
func TestOwnConfiguration(t *testing.T) {
	m := newMachine(t, debian())
	own := "[asterisk]\naddress = \"" + m.pbx.Addr() + "\"\nsecret = \"SECRET1\"\n"
	m.write("/etc/voipd/config.toml", own)
	plan, _, err := m.init()
	if err != nil {
		t.Fatal(err)
	}
	if m.read("/etc/voipd/config.toml") != own || m.o.has("/etc/voipd/ami.secret") {
		t.Error("the configuration was touched")
	}
	if !slices.ContainsFunc(plan.Advice, func(s string) bool { return strings.Contains(s, "voipd token new") }) {
		t.Errorf("no word about a token: %q", plan.Advice)
	}
	if !strings.Contains(m.read("/etc/asterisk/manager.d/voipd.conf"), "secret = SECRET1") {
		t.Error("the user has another secret than the configuration")
	}
}

// TestJSONHoldsNoSecret: neither what is printed nor what a program reads shows
// a secret before there is one to show.
func TestJSONHoldsNoSecret(t *testing.T) {
	m := newMachine(t, freepbx())
	plan, err := MakePlan(t.Context(), m.o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plan)
	if err != nil || strings.Contains(string(text), "SECRET") || !strings.Contains(string(text), "manager_custom.conf") {
		t.Errorf("got %s (%v)", text, err)
	}
}

// TestRemote: a PBX elsewhere is told of, logged in to, and written down.
func TestRemote(t *testing.T) {
	m := newMachine(t, nil)
	m.o.Remote, m.o.Secret = m.pbx.Addr(), "SECRET1"
	plan, _, err := m.init()
	if err != nil {
		t.Fatal(err)
	}
	said := plan.Instructions(m.o)
	for _, want := range []string{"permit = 127.0.0.1/255.255.255.255", readClasses, "Event: Newexten", "SECRET1"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	conf, err := config.Parse("config.toml", m.read("/etc/voipd/config.toml"))
	if err != nil || conf.Asterisk.Address != m.pbx.Addr() {
		t.Errorf("got %+v (%v)", conf.Asterisk, err)
	}
}

// TestARI: the user of ARI, its HTTP server, and the linkedid in each event.
func TestARI(t *testing.T) {
	files := debian()
	files["/etc/asterisk/ari.conf"] = "[general]\nenabled = yes\n"
	ask := make(chan string, 1)
	pbx := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		ask <- user + ":" + secret + r.URL.Path
	}))
	defer pbx.Close()
	_, port, _ := strings.Cut(pbx.Listener.Addr().String(), ":")
	files["/etc/asterisk/http.conf"] = "[general]\n;enabled=yes\nbindaddr=127.0.0.1\nbindport=" + port + "\n"
	m := newMachine(t, files)
	m.o.ARI = true
	before := m.picture()
	if _, _, err := m.init(); err != nil {
		t.Fatal(err)
	}
	if asked := <-ask; asked != "voipd:SECRET1/ari/asterisk/info" {
		t.Errorf("ARI was asked by %s", asked)
	}
	ari, err := readConf(m.o.Root, "/etc/asterisk", "ari.conf")
	if err != nil || ari.value("voipd", "password") != "SECRET1" || ari.value("general", "channelvars") != "CHANNEL(linkedid)" {
		t.Errorf("got %+v (%v)", ari, err)
	}
	http, err := readConf(m.o.Root, "/etc/asterisk", "http.conf")
	if err != nil || !yes(http.value("general", "enabled")) {
		t.Errorf("got %+v (%v)", http, err)
	}
	conf, err := config.Parse("config.toml", m.read("/etc/voipd/config.toml"))
	if err != nil || conf.Asterisk.Interface != config.ARI {
		t.Errorf("got %+v (%v)", conf.Asterisk, err)
	}
	if plan, err := MakePlan(t.Context(), m.o); err != nil || !plan.Nothing() {
		t.Errorf("a second run wants %+v (%v)", plan.Changes, err)
	}
	if _, err := Undo(t.Context(), m.o); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, m.picture()); diff != "" {
		t.Errorf("undo left:\n%s", diff)
	}
}
