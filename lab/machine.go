//go:build lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// errNoSystemd: this machine does not let a systemd of its own live in
// namespaces.
var errNoSystemd = errors.New("systemd does not live here")

// Machine is a Debian machine of its own, with a living systemd that runs
// Asterisk from Debian's package. It has a network of its own, with nothing but
// loopback.
type Machine struct {
	dir     string // what it has written; removed in the end
	process *tied
	pid     int // of its systemd, as this machine counts
}

// machineVersion is the root file system of a Machine.
func machineVersion() Version {
	return Version{Name: "machine", Suite: "bullseye", Extra: "systemd-sysv,dbus,sudo"}
}

// NewMachine prepares a machine that is not booted yet: what is written below
// Up is there when it boots.
func NewMachine(d *Dir) (*Machine, error) {
	m := &Machine{dir: filepath.Join(d.Path, "machine")}
	if err := os.RemoveAll(m.dir); err != nil {
		return nil, fmt.Errorf("clear machine: %w", err)
	}
	// What would reach through to this machine, or wants what is not here.
	for _, unit := range []string{"systemd-sysctl.service", "systemd-modules-load.service", "systemd-remount-fs.service", "systemd-random-seed.service",
		"systemd-logind.service", "getty@tty1.service", "console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer",
		"dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount"} {
		path := m.Up("etc/systemd/system", unit)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, fmt.Errorf("prepare machine: %w", err)
		}
		if err := os.Symlink("/dev/null", path); err != nil {
			return nil, fmt.Errorf("prepare machine: %w", err)
		}
	}
	return m, nil
}

// Up is where a file of the machine is written before it boots.
func (m *Machine) Up(path ...string) string {
	return filepath.Join(append([]string{m.dir, "up"}, path...)...)
}

// Boot starts systemd on a root file system and waits until it has started
// everything. The error is errNoSystemd where it cannot live here.
func (m *Machine) Boot(ctx context.Context, root string) error {
	script, err := filepath.Abs("conf/machine/boot.sh")
	if err != nil {
		return fmt.Errorf("boot machine: %w", err)
	}
	said, err := os.Create(filepath.Join(m.dir, "boot.log"))
	if err != nil {
		return fmt.Errorf("boot machine: %w", err)
	}
	defer said.Close()
	cmd := exec.Command(script, root, m.dir)
	cmd.Stdout, cmd.Stderr = said, said
	if m.process, err = startTied(cmd); err != nil {
		return fmt.Errorf("boot machine: %w", err)
	}
	err = m.Await(ctx, 30*time.Second, "systemctl is-system-running --quiet || systemctl is-system-running | grep -qx degraded")
	if err != nil {
		log, _ := os.ReadFile(said.Name()) // what there is
		return fmt.Errorf("%w: %w: %s", errNoSystemd, err, lastLines(log, 5))
	}
	return nil
}

// find gives the process id of the machine's systemd.
func (m *Machine) find() (int, error) {
	if m.pid != 0 {
		return m.pid, nil
	}
	unshare := strconv.Itoa(m.process.cmd.Process.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", unshare, "task", unshare, "children"))
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		return 0, err
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return 0, err
	}
	if strings.TrimSpace(string(name)) != "systemd" {
		return 0, fmt.Errorf("it is still %s", name)
	}
	m.pid = pid
	return pid, nil
}

// Run runs a line of the shell in the machine, as root, and gives what it
// prints.
func (m *Machine) Run(ctx context.Context, line string) (string, error) {
	pid, err := m.find()
	if err != nil {
		return "", fmt.Errorf("no systemd yet: %w", err)
	}
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(pid), "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup", "--root", "--wd",
		"/usr/bin/env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "bash", "-c", line)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", line, err, lastLines(out, 10))
	}
	return string(out), err
}

// Await runs a line again and again until it succeeds.
func (m *Machine) Await(ctx context.Context, patience time.Duration, line string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	last := errors.New("it did not begin")
	for {
		_, err := m.Run(ctx, line)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-m.process.exited:
			return fmt.Errorf("the machine is down: %w", last)
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, last)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Close turns the machine off and removes what it has written.
func (m *Machine) Close() error {
	if m.process != nil {
		m.process.kill()
	}
	groups, err := filepath.Glob("/sys/fs/cgroup/*/voipd-lab")
	if err != nil {
		return fmt.Errorf("remove control groups: %w", err)
	}
	for _, group := range append(groups, "/sys/fs/cgroup/voipd-lab") {
		removeGroup(group)
	}
	return os.RemoveAll(m.dir)
}

// removeGroup removes a control group with those in it, for as long as the last
// of its processes needs to be gone. What stays costs nobody anything, and the
// next machine takes it.
func removeGroup(group string) {
	for range 30 {
		_ = exec.Command("find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";").Run()
		if _, err := os.Stat(group); err != nil {
			return
		}
		<-time.After(100 * time.Millisecond)
	}
}
