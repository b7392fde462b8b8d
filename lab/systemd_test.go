//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// machineDialplan answers 101 and records a tone.
const machineDialplan = `[lab]
exten => 101,1,Answer()
 same => n,MixMonitor(lab-${UNIQUEID}.wav)
 same => n,Milliwatt()
`

// TestSystemd installs voipd on a machine with a living systemd and Debian's
// Asterisk, by the commands of the README as they are printed there, and lets
// systemd do what it is there for.
func TestSystemd(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if *captureFlag != "" || *morningFlag != "" || *onlyFlag != "" || *versionFlag != "16" {
		t.Skip("it is part of the whole run on Asterisk 16, which Debian has a release with")
	}
	m := bootMachine(ctx, t, install)
	if m == nil {
		return
	}
	// What "make install" does last where systemd runs.
	if _, err := m.Run(ctx, "/src/scripts/install.sh '' /etc"); err != nil {
		t.Fatal(err)
	}
	byHand := printed(t, "README.md", "By hand")
	if len(byHand) < 7 || byHand[0] != "make build && sudo make install" {
		t.Fatalf("the README installs by %q", byHand)
	}
	for _, line := range byHand[1:] { // the first is done
		out, err := m.Run(ctx, line)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(line, "voipd doctor") && !strings.HasPrefix(out, "AMI ") {
			t.Errorf("doctor says:\n%s", out)
		}
	}
	each := strings.Join(printedCommands(t), " && ")
	steps := []struct {
		name, does, is string
		within         time.Duration
	}{
		{"the unit runs", "true", "systemctl is-active voipd", 5 * time.Second},
		{"a call is recorded, and its file readable", "asterisk -rx 'channel originate Local/101@lab application Wait 2'",
			`voipd records --json | grep -q '"disposition":"answered".*"state":"ready"'`, 20 * time.Second},
		{"what else is printed for admins", each, "true", time.Second},
		{"killed", before + "kill -9 $(cat /run/before)", another, 10 * time.Second},
		{"frozen: the watchdog", dropIn("WatchdogSec=2") + " && " + before + "kill -STOP $(cat /run/before)", another, 20 * time.Second},
		{"the secret as a credential", "chmod 600 /etc/voipd/ami.secret && chown root: /etc/voipd/ami.secret && sed -i '/ami.secret/s/^/# /' /etc/voipd/config.toml && " +
			dropIn("LoadCredential=ami-secret:/etc/voipd/ami.secret"), health + ` | grep -q '"status":"ok"'`, 10 * time.Second},
		{"doctor with the credential", "true", "systemd-run -qP --wait -p LoadCredential=ami-secret:/etc/voipd/ami.secret /usr/local/bin/voipd doctor | grep -q '^AMI '", 20 * time.Second},
		{"stopped", "systemctl stop voipd", "systemctl show -p Result -p ActiveState voipd | tr '\n' ' ' | grep -q 'Result=success ActiveState=inactive'", 5 * time.Second},
		{"another one over it", "systemctl start voipd && /src/scripts/install.sh '' /etc | grep -qx 'Now: systemctl restart voipd'", "systemctl is-active voipd", 5 * time.Second},
		{"removed", strings.Join(printed(t, "docs/keeping.md", "Removing voipd"), " && "), "! systemctl cat voipd && ! command -v voipd && [ -e /var/lib/voipd/voipd.db ]", 5 * time.Second},
	}
	passed := 0
	for _, step := range steps {
		ok := t.Run(step.name, func(t *testing.T) {
			if _, err := m.Run(ctx, step.does); err != nil {
				t.Fatal(err)
			}
			if err := m.Await(ctx, step.within, step.is); err != nil {
				log, _ := m.Run(ctx, "journalctl -u voipd --no-pager -n 30")
				t.Fatalf("%v\n%s", err, log)
			}
		})
		if ok {
			passed++
		}
	}
	fmt.Printf("lab: installed as the README says, on a machine with a living systemd: %d of %d steps passed\n", passed, len(steps))
}

// printedCommands are the other commands of the README and of the pages for
// admins, as root gives them.
func printedCommands(t *testing.T) []string {
	t.Helper()
	lines := []string{
		"cd /root",
		`printf '[[backfill]]\nname = "cdr"\nkind = "cdr"\ndriver = "csv"\npath = "/var/log/asterisk/cdr-csv/Master.csv"\n' >>/etc/voipd/config.toml`,
		`call=$(voipd records --json | head -n 1 | sed 's/.*"callId":"\([0-9.]*\)".*/\1/')`,
	}
	for _, page := range []struct{ file, section string }{
		{"README.md", "Calls that voipd missed"}, {"README.md", "Keeping and erasing"}, {"README.md", "When something looks wrong"},
		{"docs/keeping.md", "Backup"}, {"docs/keeping.md", "How long things are kept"}, {"docs/keeping.md", "Forgetting a person"}, {"docs/webhooks.md", "Webhooks"},
	} {
		commands := printed(t, page.file, page.section)
		if len(commands) == 0 {
			t.Fatalf("%s has no commands in %q", page.file, page.section)
		}
		for _, command := range commands {
			command = strings.ReplaceAll(command, "CALLID", `"$call"`)
			switch {
			case strings.HasPrefix(command, "sudo mysql"): // there is none
				continue
			case strings.Contains(command, " forget "): // asks
				command = "echo yes | " + command
			case strings.Contains(command, " capture "): // until Ctrl-C
				command = strings.Replace(command, "sudo ", "sudo timeout --signal=INT --preserve-status 1 ", 1)
			}
			lines = append(lines, command)
		}
	}
	return lines
}

// printed are the commands in one section of a page.
func printed(t *testing.T, file, section string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\n## "+section+"\n")
	body, _, _ = strings.Cut(body, "\n## ")
	var commands []string
	for line := range strings.Lines(body) {
		line, indented := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "    ")
		first, _, _ := strings.Cut(line, " ")
		if line, _, _ = strings.Cut(line, " #"); indented && slices.Contains([]string{"sudo", "voipd", "printf", "make"}, first) {
			commands = append(commands, line)
		}
	}
	return commands
}

const (
	before  = "systemctl show -p MainPID --value voipd >/run/before; "
	another = `systemctl is-active voipd && [ "$(systemctl show -p MainPID --value voipd)" != "$(cat /run/before)" ]`
	health  = `exec 3<>/dev/tcp/127.0.0.1/8780 && printf 'GET /v1/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3 && cat <&3`
)

// dropIn changes the unit as "systemctl edit" would, and restarts it.
func dropIn(setting string) string {
	return fmt.Sprintf("mkdir -p /etc/systemd/system/voipd.service.d && printf '[Service]\\n%s\\n' >/etc/systemd/system/voipd.service.d/lab.conf && systemctl daemon-reload && systemctl restart voipd", setting)
}

// bootMachine boots a machine with Debian's Asterisk on which prepare has put
// files; nil where none can live, which it prints.
func bootMachine(ctx context.Context, t *testing.T, prepare func(context.Context, *testing.T, *Machine)) *Machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a machine of its own needs root")
	}
	dir := openDir(t)
	root, err := dir.Rootfs(ctx, machineVersion(), os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMachine(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	put(t, m.Up("etc/asterisk/extensions.conf"), machineDialplan)
	put(t, m.Up("etc/hostname"), "pbx\n")
	put(t, m.Up("etc/hosts"), "127.0.0.1 localhost pbx\n") // sudo looks its own name up
	prepare(ctx, t, m)
	switch err := m.Boot(ctx, root); {
	case errors.Is(err, errNoSystemd):
		fmt.Println("lab: left out: a machine with a living systemd:", err)
		return nil
	case err != nil:
		t.Fatal(err)
	}
	return m
}

// install is "make install" for a machine that is not booted yet.
func install(ctx context.Context, t *testing.T, m *Machine) {
	t.Helper()
	if out, err := exec.CommandContext(ctx, "make", "-C", "..", "install", "DESTDIR="+m.Up()).CombinedOutput(); err != nil {
		t.Fatalf("make install: %v\n%s", err, lastLines(out, 10))
	}
	text, err := os.ReadFile("../scripts/install.sh")
	if err != nil {
		t.Fatal(err)
	}
	put(t, m.Up("src/scripts/install.sh"), string(text))
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}
