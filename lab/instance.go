//go:build lab

package lab

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed conf
var confFiles embed.FS

// Instance is one running Asterisk in a chroot, with folders of its own.
type Instance struct {
	Name string // "pbx" or "net"
	Root string // the chroot
	Addr string // where its AMI listens

	process *tied
	clock   bool // it can be set
}

// folders that an instance writes to, below the chroot. They are emptied
// before a run and removed after it.
func instanceFolders(name string) []string {
	return []string{
		"etc/asterisk-" + name, "var/lib/asterisk-" + name, "var/spool/asterisk-" + name,
		"run/asterisk-" + name, "var/log/asterisk-" + name,
	}
}

// Option is how an Instance differs from the usual.
type Option func(*Instance)

// WithClock gives an instance a clock of its own, for SetClock.
func WithClock(in *Instance) { in.clock = true }

// StartInstance writes conf/NAME into the chroot, starts Asterisk on it and
// waits until its AMI answers.
func StartInstance(ctx context.Context, root, name, amiAddr string, options ...Option) (*Instance, error) {
	in := &Instance{Name: name, Root: root, Addr: amiAddr}
	for _, o := range options {
		o(in)
	}
	if err := in.prepare(); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", name, err)
	}
	if in.clock {
		if err := in.SetClock(0); err != nil {
			return nil, err
		}
	}
	if err := in.start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := in.await(ctx); err != nil {
		in.Stop()
		return nil, fmt.Errorf("start %s: %w\n%s", name, err, in.logTail())
	}
	return in, nil
}

func (in *Instance) prepare() error {
	if err := in.clear(); err != nil {
		return err
	}
	for _, dir := range append(instanceFolders(in.Name),
		"var/lib/asterisk-"+in.Name+"/moh", "var/lib/asterisk-"+in.Name+"/keys", "var/spool/asterisk-"+in.Name+"/monitor",
		"var/spool/asterisk-"+in.Name+"/voicemail", "var/spool/asterisk-"+in.Name+"/outgoing",
		"var/spool/asterisk-"+in.Name+"/tmp", "var/spool/asterisk-"+in.Name+"/recording",
		"var/log/asterisk-"+in.Name+"/cdr-custom", "var/log/asterisk-"+in.Name+"/cel-custom") {
		if err := os.MkdirAll(filepath.Join(in.Root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := in.writeHosts(); err != nil {
		return err
	}
	src := "conf/" + in.Name
	err := fs.WalkDir(confFiles, src, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := confFiles.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(in.Root, "etc/asterisk-"+in.Name, d.Name()), b, 0o644)
	})
	if err != nil {
		return err
	}
	moh := filepath.Join(in.Root, "var/lib/asterisk-"+in.Name, "moh/tone.alaw")
	return os.WriteFile(moh, alawTone(620, 10*time.Second), 0o644)
}

// writeHosts lets the machine's own name resolve inside the chroot, which has
// no name server: Asterisk looks it up at every call.
func (in *Instance) writeHosts() error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	hosts := "127.0.0.1 localhost " + name + " A.ROOT-SERVERS.NET\n"
	return os.WriteFile(filepath.Join(in.Root, "etc/hosts"), []byte(hosts), 0o644)
}

func (in *Instance) clear() error {
	for _, dir := range instanceFolders(in.Name) {
		if err := os.RemoveAll(filepath.Join(in.Root, dir)); err != nil {
			return err
		}
	}
	return nil
}

func (in *Instance) start() error {
	out, err := os.Create(in.Path("/var/log/asterisk-" + in.Name + "/stdout"))
	if err != nil {
		return err
	}
	cmd := exec.Command("/usr/sbin/asterisk", "-C", "/etc/asterisk-"+in.Name+"/asterisk.conf", "-f", "-n")
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC", "LANG=C.UTF-8", "HOME=/root"}
	if in.clock {
		cmd.Env = append(cmd.Env, in.clockEnv()...)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: in.Root}
	in.process, err = startTied(cmd)
	out.Close() // the process has its own by now
	return err
}

// await logs in to the AMI until that works.
func (in *Instance) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := DialAMI(in.Addr, harnessUser, nil)
		if err == nil {
			defer c.Close()
			return in.awaitBooted(ctx, c)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("its AMI does not answer: %w", err)
		case <-in.process.exited:
			return fmt.Errorf("it ended at once")
		case <-tick.C:
		}
	}
}

// awaitBooted waits for the end of start-up: the AMI answers before the last
// module is loaded.
func (in *Instance) awaitBooted(ctx context.Context, c *AMI) error {
	out, err := c.Command(ctx, "core waitfullybooted")
	if err != nil {
		return err
	}
	if !strings.Contains(out, "fully booted") {
		return fmt.Errorf("core waitfullybooted answers %q", out)
	}
	return nil
}

// Path is where a path of the instance's world lies in ours.
func (in *Instance) Path(inside string) string { return filepath.Join(in.Root, inside) }

// Stop ends the instance and waits until it is gone. It may be called twice.
func (in *Instance) Stop() {
	if in.process != nil {
		_ = in.process.stop(3 * time.Second) // how it ended is of no interest
	}
}

// Remove stops the instance and deletes everything that it wrote.
func (in *Instance) Remove() error {
	in.Stop()
	return in.clear()
}

func (in *Instance) logTail() string {
	var all []byte
	for _, name := range []string{"stdout", "full"} {
		if b, err := os.ReadFile(in.Path("/var/log/asterisk-" + in.Name + "/" + name)); err == nil {
			all = append(all, b...)
		}
	}
	return lastLines(all, 30)
}
