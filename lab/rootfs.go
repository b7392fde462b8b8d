//go:build lab

package lab

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// DefaultDir is where the laboratory lives unless VOIPD_LAB_DIR names
// another folder. It writes nowhere else.
const DefaultDir = "/var/tmp/voipd-lab"

// Version is one Asterisk to test against: a suite of Debian, or of Ubuntu, that
// packages it.
type Version struct {
	Name   string // "22": names the cached root file system
	Suite  string // the suite with that Asterisk
	Mirror string // of Ubuntu, whose suites have it in universe; empty: this machine's mirror of Debian
	Script string // debootstrap script for a suite that an older debootstrap does not know; empty: its own
	Extra  string // packages besides asterisk, separated by commas
	Bare   bool   // without asterisk: the suite has none
}

// Versions lists every Asterisk the laboratory can run. The office runs on
// the chosen one; phones and network always run on Versions[0].
func Versions() []Version {
	return []Version{
		{Name: "22", Suite: "forky", Script: "sid", Extra: "ubuntu-keyring"}, // by which 20 and 18 are checked
		{Name: "20", Suite: "noble", Mirror: ubuntu, Script: "jammy", Extra: "libperl5.38t64,libgpgme11t64"},
		{Name: "18", Suite: "jammy", Mirror: ubuntu},
		{Name: "16", Suite: "bullseye", Extra: "asterisk-voicemail"},
	}
}

// ubuntu has the versions that no suite of Debian has.
const ubuntu = "http://archive.ubuntu.com/ubuntu"

// VersionNamed returns the version called name, an error if there is none.
func VersionNamed(name string) (Version, error) {
	for _, v := range Versions() {
		if v.Name == name {
			return v, nil
		}
	}
	return Version{}, fmt.Errorf("lab: no Asterisk version %q", name)
}

// Dir is a laboratory folder that this process holds alone.
type Dir struct {
	Path string
	lock *os.File
}

// OpenDir makes the folder if needed and locks it. A second laboratory on the
// same folder fails at once: two of them would share addresses and spoil each
// other silently. Close gives it back.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, fmt.Errorf("lab folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lab folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lab folder %s is in use by another run; wait for it, or set VOIPD_LAB_DIR", path)
		}
		return nil, fmt.Errorf("lock lab folder: %w", err)
	}
	d := &Dir{Path: path, lock: f}
	if err := d.endLeftovers(); err != nil {
		f.Close()
		return nil, err
	}
	return d, nil
}

// Close gives the folder back.
func (d *Dir) Close() error { return d.lock.Close() }

// endLeftovers kills what a run that was itself killed left behind: processes
// whose root directory is one of this folder's root file systems. The lock is
// held, so they belong to nobody.
func (d *Dir) endLeftovers() error {
	procs, err := filepath.Glob("/proc/[0-9]*/root")
	if err != nil {
		return fmt.Errorf("look for leftovers: %w", err)
	}
	for _, link := range procs {
		root, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(root, d.Path+"/rootfs-") {
			continue // gone meanwhile, or not ours
		}
		var pid int
		if _, err := fmt.Sscanf(link, "/proc/%d/root", &pid); err != nil {
			continue
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("end leftover process %d: %w", pid, err)
		}
	}
	return nil
}

// Rootfs returns the root file system with Asterisk v, made by debootstrap if
// it is not there yet, or was made with other packages (about a minute and 350 MB; later runs find it in no
// time). Progress goes to log.
func (d *Dir) Rootfs(ctx context.Context, v Version, log io.Writer) (string, error) {
	root := filepath.Join(d.Path, "rootfs-"+v.Name)
	include := strings.TrimSuffix("asterisk,ca-certificates,libfaketime,"+v.Extra, ",")
	if v.Bare {
		include = v.Extra
	}
	if had, err := os.ReadFile(filepath.Join(root, complete)); err == nil && string(had) == include {
		return root, nil
	}
	if err := needDebootstrap(ctx, log); err != nil {
		return "", err
	}
	from, err := d.archive(ctx, v, log)
	if err != nil {
		return "", err
	}
	partial := root + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", fmt.Errorf("clear half-made root: %w", err)
	}
	args := []string{"--variant=minbase", "--include=" + include}
	args = append(args, from.options...)
	args = append(args, v.Suite, partial, from.mirror)
	if v.Script != "" {
		args = append(args, "/usr/share/debootstrap/scripts/"+v.Script)
	}
	fmt.Fprintf(log, "lab: making %s (once, about a minute)\n", filepath.Base(root))
	if out, err := exec.CommandContext(ctx, "debootstrap", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("debootstrap %s: %w\n%s", v.Suite, err, lastLines(out, 15))
	}
	return root, finishRootfs(partial, root, include)
}

// archive is where a suite comes from.
type archive struct {
	mirror  string
	options []string // of debootstrap
}

// archive tells where v comes from. The keys of Ubuntu's are in the root of the
// first version.
func (d *Dir) archive(ctx context.Context, v Version, log io.Writer) (archive, error) {
	if v.Mirror == "" {
		mirror, err := aptMirror(ctx)
		return archive{mirror: mirror}, err
	}
	root, err := d.Rootfs(ctx, Versions()[0], log)
	return archive{v.Mirror, []string{"--components=main,universe", "--keyring=" + root + "/usr/share/keyrings/ubuntu-archive-keyring.gpg"}}, err
}

// complete is the file in a root that names what it was made with.
const complete = ".complete"

// finishRootfs drops what nobody needs, quiets the resolver, and only then
// gives the root its final name.
func finishRootfs(partial, root, include string) error {
	debs, err := filepath.Glob(filepath.Join(partial, "var/cache/apt/archives/*.deb"))
	if err != nil {
		return fmt.Errorf("clear package cache: %w", err)
	}
	for _, deb := range debs {
		if err := os.Remove(deb); err != nil {
			return fmt.Errorf("clear package cache: %w", err)
		}
	}
	if err := os.RemoveAll(filepath.Join(partial, "var/lib/apt/lists")); err != nil {
		return fmt.Errorf("clear package lists: %w", err)
	}
	// An empty resolv.conf: pjproject then asks no name server for anything.
	for name, text := range map[string]string{"etc/resolv.conf": "", complete: include} {
		if err := os.WriteFile(filepath.Join(partial, name), []byte(text), 0o644); err != nil {
			return fmt.Errorf("finish root: %w", err)
		}
	}
	if err := os.RemoveAll(root); err != nil {
		return fmt.Errorf("replace root: %w", err)
	}
	return os.Rename(partial, root)
}

func needDebootstrap(ctx context.Context, log io.Writer) error {
	if _, err := exec.LookPath("debootstrap"); err == nil {
		return nil
	}
	fmt.Fprintln(log, "lab: installing debootstrap")
	install := func() ([]byte, error) {
		cmd := exec.CommandContext(ctx, "apt-get", "install", "-y", "--no-install-recommends", "debootstrap")
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return cmd.CombinedOutput()
	}
	if _, err := install(); err == nil {
		return nil
	}
	// A fresh machine has no package lists yet.
	if out, err := exec.CommandContext(ctx, "apt-get", "update").CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get update: %w\n%s", err, lastLines(out, 10))
	}
	if out, err := install(); err != nil {
		return fmt.Errorf("apt-get install debootstrap: %w\n%s", err, lastLines(out, 10))
	}
	return nil
}

// aptMirror is the Debian mirror that this machine's apt already uses.
func aptMirror(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(REPO_URI)", "Created-By: Packages", "Label: Debian").Output()
	if err != nil {
		return "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	sc := bufio.NewScanner(bytes.NewReader(out))
	for sc.Scan() {
		if uri := strings.TrimSpace(sc.Text()); uri != "" {
			return uri, nil
		}
	}
	return "", errors.New("apt on this machine knows no Debian mirror (run apt-get update first)")
}

func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}
