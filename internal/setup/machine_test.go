package setup

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/voipd/voipd/internal/sim"
)

// machine is one that is laid out as files, with a fake PBX, a fake systemd and
// whatever database a test gives it.
type machine struct {
	t   *testing.T
	o   Options
	pbx *sim.PBX

	mu      sync.Mutex
	ran     []string
	enabled bool
	active  bool
	db      *sql.DB // nil: there is no client
	version string  // of Asterisk; empty: it does not run
	mute    string  // a class whose test events do not come
	broken  string  // a command that fails

	unsynced bool // nobody sets its clock
}

// newMachine lays files out; PORT in them is the fake PBX's.
func newMachine(t *testing.T, files map[string]string) *machine {
	t.Helper()
	pbx, err := sim.New(sim.Options{Secret: "SECRET1"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() { defer close(served); _ = pbx.Run(ctx) }()
	t.Cleanup(func() { cancel(); pbx.Close(); <-served })
	m := &machine{t: t, pbx: pbx, version: "20.5.0"}
	numbers := 0
	m.o = Options{Root: t.TempDir(), Run: m.run, Random: func() string { numbers++; return fmt.Sprintf("SECRET%d", numbers) }}
	_, port, err := net.SplitHostPort(pbx.Addr())
	if err != nil {
		t.Fatal(err)
	}
	m.write("/etc/passwd", fmt.Sprintf("root:x:%d:%d::/root:/bin/sh\nvoipd:x:64123:%d::/var/lib/voipd:/usr/sbin/nologin\n", os.Getuid(), os.Getgid(), os.Getgid()))
	m.write("/etc/group", fmt.Sprintf("voipd:x:%d:\n", os.Getgid()))
	m.write("/run/systemd/system/x", "")
	m.write("/etc/voipd/x", "")
	if err := os.Remove(m.o.at("/etc/voipd/x")); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		m.write(name, strings.ReplaceAll(text, "PORT", port))
	}
	return m
}

func (m *machine) write(name, text string) {
	m.t.Helper()
	path := m.o.at(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) read(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(m.o.at(name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(text)
}

// picture is every file of the machine with its mode and text.
func (m *machine) picture() map[string]string {
	m.t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(m.o.Root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, m.o.Root)
		if d.IsDir() {
			all[name+"/"] = info.Mode().String()
			return nil
		}
		text, err := os.ReadFile(path)
		all[name] = info.Mode().String() + "\n" + string(text)
		return err
	})
	if err != nil {
		m.t.Fatal(err)
	}
	delete(all, "/var/lib/voipd-init/")
	delete(all, "/var/lib/")
	delete(all, "/var/")
	return all
}

// run is the other side of the commands.
func (m *machine) run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	line := strings.Join(append([]string{name}, args...), " ")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ran = append(m.ran, line)
	if m.broken != "" && strings.Contains(line, m.broken) {
		return "", fmt.Errorf("%s: exit status 1: it is broken", line)
	}
	switch name {
	case "asterisk":
		return m.console(args[1])
	case "systemctl":
		return "", m.systemctl(args)
	case "timedatectl":
		return map[bool]string{true: "no\n", false: "yes\n"}[m.unsynced], nil
	case "mariadb":
		return m.statements(ctx, stdin)
	}
	return "", fmt.Errorf("%s: %w", name, fs.ErrNotExist)
}

// console is Asterisk's.
func (m *machine) console(command string) (string, error) {
	switch {
	case m.version == "":
		return "", errors.New("unable to connect to remote asterisk (does /var/run/asterisk/asterisk.ctl exist?)")
	case command == "core show version":
		return "Asterisk " + m.version + " built by root @ pbx on a x86_64", nil
	case strings.HasPrefix(command, "devstate change") && m.mute != "call":
		m.pbx.Emit("Event: DeviceStateChange", "Privilege: call,all", "Device: Custom:voipd-init", "State: INUSE")
	case strings.HasPrefix(command, "dialplan set global") && m.mute != "dialplan":
		m.pbx.Emit("Event: VarSet", "Privilege: dialplan,all", "Channel: none", "Variable: VOIPD_INIT", "Value: 1", "Uniqueid: none")
	case strings.HasPrefix(command, "manager show user"):
		return "       username: voipd\n      read perm: system,call,agent,dialplan\n", nil
	}
	return "", nil
}

func (m *machine) systemctl(args []string) error {
	no := errors.New("exit status 3")
	switch strings.Join(args, " ") {
	case "is-active --quiet voipd":
		if !m.active {
			return no
		}
	case "is-enabled --quiet voipd":
		if !m.enabled {
			return no
		}
	case "enable --now voipd":
		m.enabled, m.active = true, true
	case "disable --now voipd":
		m.enabled, m.active = false, false
	}
	return nil
}

// statements is the client of a database.
func (m *machine) statements(ctx context.Context, text string) (string, error) {
	if m.db == nil {
		return "", errors.New("mariadb: exit status 1: Can't connect to local server")
	}
	var said strings.Builder
	for _, statement := range strings.Split(text, ";") {
		if statement = strings.TrimSpace(statement); statement == "" {
			continue
		}
		rows, err := m.db.QueryContext(ctx, statement)
		if err != nil {
			return "", err
		}
		for rows.Next() {
			var value string
			if err := rows.Scan(&value); err != nil {
				return "", err
			}
			said.WriteString(value + "\n")
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return "", err
		}
	}
	return said.String(), nil
}

// init runs voipd init.
func (m *machine) init() (*Plan, *Result, error) {
	m.t.Helper()
	if _, err := Repair(m.t.Context(), m.o); err != nil {
		return nil, nil, err
	}
	plan, err := MakePlan(m.t.Context(), m.o)
	if err != nil {
		m.t.Fatal(err)
	}
	result, err := Apply(m.t.Context(), m.o, plan)
	return plan, result, err
}

const (
	asteriskConf = "[directories](!)\nastetcdir => /etc/asterisk\nastspooldir => /var/spool/asterisk\nastlogdir => /var/log/asterisk\n"
	// As FreePBX's framework ships it, with its own user.
	freepbxManager = ";\n; AMI - Asterisk Manager interface\n;\n[general]\nenabled = yes\nport = PORT\nbindaddr = 0.0.0.0\ndisplayconnects=no ;only effects 1.6+\n\n" +
		"[admin]\nsecret = adminsecret\ndeny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.0\nread = all\nwrite = all\nwritetimeout = 5000\n\n" +
		"#include manager_additional.conf\n#include manager_custom.conf\n"
	resODBC = "[asteriskcdrdb]\nenabled=>yes\ndsn=>MySQL-asteriskcdrdb\npooling=>no\npre-connect=>yes\nusername=>freepbxuser\npassword=>hidden\n"
	odbcINI = "[MySQL-asteriskcdrdb]\nDescription=MySQL connection to 'asteriskcdrdb' database\ndriver=MySQL\nserver=localhost\ndatabase=asteriskcdrdb\nPort=3306\nSocket=SOCKET\n"
)

func freepbx() map[string]string {
	return map[string]string{
		"/etc/freepbx.conf":                         "<?php\n$amp_conf['AMPDBUSER'] = 'freepbxuser';\n$amp_conf['AMPDBPASS'] = 'hidden';\n$amp_conf['AMPDBHOST'] = 'localhost';\n$amp_conf['AMPDBNAME'] = 'asterisk';\n",
		"/etc/amportal.conf":                        "AMPDBHOST=localhost\n",
		"/etc/asterisk/asterisk.conf":               asteriskConf,
		"/etc/asterisk/manager.conf":                freepbxManager,
		"/etc/asterisk/manager_additional.conf":     "; generated by FreePBX\n",
		"/etc/asterisk/manager_custom.conf":         "; yours\n[wallboard]\nsecret = other\nread = call", // without a line end
		"/etc/asterisk/extensions_additional.conf":  "[globals]\nMIXMON_DIR = /srv/monitor/\nMIXMON_FORMAT = wav\n#include globals_custom.conf\n",
		"/etc/asterisk/cel.conf":                    "[general]\nenable=yes\napps=all\nevents=all\ndateformat = %F %T\n#include cel_general_additional.conf\n",
		"/etc/asterisk/cel_odbc.conf":               "[cel]\nconnection=asteriskcdrdb\nloguniqueid=yes\ntable=cel\n",
		"/etc/asterisk/cdr_adaptive_odbc.conf":      "[asteriskcdrdb]\nconnection=asteriskcdrdb\nloguniqueid=yes\ntable=cdr\nalias start => calldate\n",
		"/etc/asterisk/res_odbc.conf":               "#include res_odbc_additional.conf\n#include res_odbc_custom.conf\n",
		"/etc/asterisk/res_odbc_additional.conf":    resODBC,
		"/etc/odbc.ini":                             odbcINI,
		"/etc/asterisk/cel_general_additional.conf": "",
	}
}

func issabel() map[string]string {
	files := freepbx()
	delete(files, "/etc/freepbx.conf")
	files["/etc/issabel.conf"] = "mysqlrootpwd=hidden\n"
	files["/etc/amportal.conf"] = "AMPDBHOST=localhost\nAMPDBENGINE=mysql\nAMPDBUSER=asteriskuser\n"
	delete(files, "/etc/asterisk/cdr_adaptive_odbc.conf")
	files["/etc/asterisk/cdr_mysql.conf"] = "[global]\nhostname = localhost\ndbname=asteriskcdrdb\npassword = hidden\nuser = asteriskuser\nuserfield=1\nport=3306\nsock=/var/lib/mysql/mysql.sock\nloguniqueid=yes\n"
	return files
}

func vitalpbx() map[string]string {
	return map[string]string{
		"/etc/asterisk/asterisk.conf":                           asteriskConf,
		"/etc/asterisk/manager.conf":                            "[general]\nenabled=yes\nport=PORT\nbindaddr=127.0.0.1\n\n#include vitalpbx/manager__*\n",
		"/etc/asterisk/vitalpbx/manager__10-general.conf":       "; generated\n",
		"/etc/asterisk/vitalpbx/manager__20-vitalpbx-user.conf": "[astmanager]\nsecret = hidden\nread = all\nwrite = all\n",
		"/etc/asterisk/cdr_adaptive_odbc.conf":                  "[asterisk]\nconnection=asterisk\ntable=cdr\nusegmtime=yes\n",
		"/etc/asterisk/res_odbc.conf":                           strings.ReplaceAll(resODBC, "asteriskcdrdb", "asterisk"),
		"/etc/odbc.ini":                                         "[MySQL-asterisk]\nDriver = MariaDB\nServer = db.example.com\nDatabase = asterisk\n",
	}
}

func debian() map[string]string {
	return map[string]string{
		"/etc/asterisk/asterisk.conf":         asteriskConf,
		"/etc/asterisk/manager.conf":          "[general]\nenabled = yes\nport = PORT\nbindaddr = 127.0.0.1\n#include \"manager.d/*.conf\" \n",
		"/etc/asterisk/manager.d/README.conf": "; put your users here\n",
		"/etc/asterisk/cel.conf":              "[general]\n;enable=yes\n",
		"/etc/asterisk/cdr.conf":              "[general]\n[csv]\nusegmtime=yes    ; log date/time in GMT\n",
		"/var/log/asterisk/cdr-csv/x":         "",
	}
}

// source is Asterisk from source with its samples: AMI is off.
func source() map[string]string {
	return map[string]string{
		"/etc/asterisk/asterisk.conf":  asteriskConf,
		"/etc/asterisk/manager.conf":   "[general]\nenabled = no\n;webenabled = yes\n\nport = PORT\nbindaddr = 0.0.0.0\n;--\n[mark]\nsecret = mysecret\n--;\n",
		"/etc/asterisk/cel.conf":       "[general]\nenable=yes\n",
		"/etc/asterisk/cel_pgsql.conf": "[global]\nhostname=localhost\nport=5432\ndbname=asterisk\npassword=hidden\nuser=asterisk\ntable=cel\n",
		"/etc/asterisk/cdr_pgsql.conf": "[global]\nhostname=localhost\nport=5432\ndbname=asterisk\npassword=hidden\nuser=asterisk\n",
	}
}
