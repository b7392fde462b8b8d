//go:build lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The versions that packages are made of for the tests. The second is later than
// any real one.
const (
	thisVersion = "0.0.1"
	nextVersion = "99.0.0"
)

// makePackages makes both versions for this machine's architecture, the first
// one twice: the same source gives the same bytes.
func makePackages(ctx context.Context, t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, p := range []struct{ version, out string }{{thisVersion, "this"}, {thisVersion, "again"}, {nextVersion, "next"}} {
		cmd := exec.CommandContext(ctx, "../packaging/build.sh", "amd64")
		cmd.Env = append(os.Environ(), "VERSION="+p.version, "OUT="+filepath.Join(dir, p.out))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("packaging/build.sh: %v\n%s", err, lastLines(out, 10))
		}
	}
	var sums [2]string
	for i, out := range []string{"this", "again"} {
		text, err := os.ReadFile(filepath.Join(dir, out, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(text)
	}
	if sums[0] != sums[1] {
		t.Errorf("two packages of one source differ:\n%s\n%s", sums[0], sums[1])
	}
	return dir
}

func packageOf(dir, out, version, format string) string {
	return filepath.Join(dir, out, "voipd_"+version+"_amd64."+format)
}

// layouts are /etc of other PBXs, as far as voipd init looks at it, and what
// FreePBX does to manager.conf.
func layouts() map[string]map[string]string {
	const freepbx = "[general]\nenabled = yes\nport = 5038\nbindaddr = 0.0.0.0\ndisplayconnects=no\n\n[admin]\nsecret = hidden\n" +
		"deny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.0\nread = all\nwrite = all\nwritetimeout = 5000\n\n#include manager_additional.conf\n#include manager_custom.conf\n"
	manager := map[string]string{"etc/asterisk/manager.conf": freepbx, "etc/asterisk/manager_additional.conf": "", "etc/asterisk/manager_custom.conf": "; yours"}
	with := func(files map[string]string) map[string]string {
		for name, text := range manager {
			files[name] = text
		}
		return files
	}
	return map[string]map[string]string{
		"FreePBX": with(map[string]string{"etc/freepbx.conf": "<?php\n$amp_conf['AMPDBHOST'] = 'localhost';\n"}),
		"Issabel": with(map[string]string{"etc/issabel.conf": "", "etc/amportal.conf": "AMPDBHOST=localhost\n"}),
		"VitalPBX": {
			"etc/asterisk/manager.conf":                            "[general]\nenabled = yes\nport = 5038\nbindaddr = 127.0.0.1\n\n#include vitalpbx/manager__*\n",
			"etc/asterisk/vitalpbx/manager__10-general.conf":       "; generated\n",
			"etc/asterisk/vitalpbx/manager__20-vitalpbx-user.conf": "[astmanager]\nsecret = hidden\nread = all\n",
		},
	}
}

// Lines of the shell that several steps share.
const (
	// The state of Asterisk's configuration and voipd's: names, modes, owners, sums.
	picture = `{ find /etc/asterisk /etc/voipd -printf '%p %m %u %g\n'; find /etc/asterisk /etc/voipd -type f -exec sha256sum {} +; } | sort`
	ask     = `token=$(sed -n 's/.*shown this once: //p' /root/said); get() { exec 3<>/dev/tcp/127.0.0.1/8780 && printf '%s HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer '$token'\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "$1" "${#2}" "$2" >&3 && cat <&3; }; `
	call    = "asterisk -rx 'channel originate Local/101@lab application Wait 2'"
	// The record of a call is read over HTTP, and its recording played by the link.
	played = ask + `record=$(get 'GET /v1/records?disposition=answered&limit=1') && grep -q '"state":"ready"' <<<"$record" && id=$(sed -n 's/.*"callId":"\([^"]*\)".*/\1/p' <<<"$record") && audio=$(sed -n 's/.*"recordings":\[{"id":"\([^"]*\)".*/\1/p' <<<"$record") && ` +
		`link=$(get 'POST /v1/call-link' "{\"call\":{\"callId\":\"$id\",\"recording\":\"$audio\"}}" | sed -n 's/.*"link":"\([^"]*\)".*/\1/p') && path=${link#http://*/} && get "GET /$(sed 's/\\u0026/\&/g' <<<"$path")" | grep -aq RIFF`
	again = `voipd init --yes >/root/again && grep -q 'Nothing is to be done' /root/again`
	// As FreePBX's framework does when the manager's password changes.
	rewrite = `sed -i -e 's/^secret.*/secret = changed/' -e '/^\[general\]/!s/^\[[^]]*\]/[admin]/' /etc/asterisk/manager.conf && asterisk -rx 'manager reload' && systemctl restart voipd && voipd doctor | grep -q '^AMI '`
)

// TestPackage makes packages and takes them through all that happens to them.
func TestPackage(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	if *captureFlag != "" || *morningFlag != "" || *onlyFlag != "" || *versionFlag != "16" {
		t.Skip("it is part of the whole run on Asterisk 16, which Debian has a release with")
	}
	if os.Geteuid() != 0 {
		t.Skip("machines and roots of their own need root")
	}
	packages := makePackages(ctx, t)
	t.Run("machine", func(t *testing.T) { packageOnMachine(ctx, t, packages) })
	t.Run("rpm", func(t *testing.T) { rpmInRoot(ctx, t, packages) })
	t.Run("deb", func(t *testing.T) { debInRoots(ctx, t, packages) })
}

// packageOnMachine installs the .deb on a bare machine with Debian's Asterisk,
// sets voipd up by one more command, makes a call, and takes it through everything
// that happens to a package; then the layouts of other PBXs.
func packageOnMachine(ctx context.Context, t *testing.T, packages string) {
	m := bootMachine(ctx, t, func(_ context.Context, t *testing.T, m *Machine) {
		for out, version := range map[string]string{"this": thisVersion, "next": nextVersion} {
			text, err := os.ReadFile(packageOf(packages, out, version, "deb"))
			if err != nil {
				t.Fatal(err)
			}
			put(t, m.Up("root", out, filepath.Base(packageOf(packages, out, version, "deb"))), string(text))
		}
		for name, files := range layouts() {
			for file, text := range files {
				put(t, m.Up("root/layouts", name, file), text)
			}
		}
	})
	if m == nil {
		return
	}
	install, upgrade := printed(t, "README.md", "On your PBX"), printed(t, "docs/upgrading.md", "Upgrading")
	back, remove := printed(t, "docs/upgrading.md", "Going back"), printed(t, "docs/upgrading.md", "Removing")
	if len(install) != 2 || len(upgrade) != 2 || len(back) != 5 || len(remove) != 2 {
		t.Fatalf("the pages print %q, %q, %q, %q", install, upgrade, back, remove)
	}
	began := time.Now()
	var took time.Duration
	steps := []packageStep{
		{"installed, and not started", "cd /root/this && " + install[0] + ` >/root/said 2>&1; grep -q 'Now: sudo voipd init' /root/said && ! systemctl is-active voipd`, "id voipd && getent group asterisk", 0},
		{"one command", picture + " >/root/before; echo yes | " + install[1] + " >/root/said", "systemctl is-active voipd && systemctl is-enabled voipd", 5 * time.Second},
		{"a call, its record and its recording over HTTP", call, played, 20 * time.Second},
		{"a second run changes nothing", picture + " >/root/one; " + again, picture + " | cmp - /root/one", 0},
		{"an upgrade", picture + " >/root/one; " + before + "cd /root/next && mkdir -p /var/backups && " + strings.Join(upgrade, " && "), another + " && " + picture + " | cmp - /root/one", 10 * time.Second},
		{"a downgrade is refused", "! dpkg -i /root/this/*.deb >/root/old 2>&1; grep -q 'is older than " + nextVersion + "' /root/old", "systemctl is-active voipd && dpkg -s voipd | grep -q '^Version: " + nextVersion + "'", 10 * time.Second},
		{"going back", "cd /root/this && " + strings.ReplaceAll(strings.Join(back, " && "), "voipd_OLD", "voipd_*"), "systemctl is-active voipd && dpkg -s voipd | grep -q '^Version: " + thisVersion + "' && " + ask + `get 'GET /v1/records?limit=1' | grep -q '"disposition":"answered"'`, 10 * time.Second},
		{"upgraded again", "dpkg -i /root/next/*.deb", "systemctl is-active voipd", 10 * time.Second},
		{"disabled stays disabled", "systemctl disable --now voipd; dpkg -i /root/next/*.deb", "! systemctl is-active voipd", 0},
		{"removed", "systemctl enable --now voipd && dpkg -r voipd", "! systemctl is-active voipd && ! command -v voipd && [ -e /var/lib/voipd/voipd.db ] && [ -e /etc/voipd/config.toml ]", 5 * time.Second},
		{"installed again", "dpkg -i /root/next/*.deb", "systemctl is-active voipd && " + ask + `get 'GET /v1/records?limit=1' | grep -q '"disposition":"answered"'`, 10 * time.Second},
		{"undone", "voipd init --undo", picture + " | cmp - /root/before && ! systemctl is-active voipd && [ ! -e /var/lib/voipd-init ]", 5 * time.Second},
	}
	for _, name := range []string{"FreePBX", "Issabel", "VitalPBX"} {
		steps = append(steps,
			packageStep{name, "cp -a /etc/asterisk /root/plain && cp -r /root/layouts/" + name + "/etc /  && chown -R asterisk: /etc/asterisk && asterisk -rx 'manager reload' && " +
				picture + " >/root/before && voipd init --yes >/root/said && grep -q 'Found " + name + "' /root/said", "systemctl is-active voipd", 5 * time.Second},
			packageStep{name + ": a call, its record and its recording", "rm -rf /var/spool/asterisk/monitor/*; " + call, played, 20 * time.Second},
			packageStep{name + ": a second run", picture + " >/root/one; " + again, picture + " | cmp - /root/one", 0})
		if name != "VitalPBX" {
			steps = append(steps, packageStep{name + " rewrites manager.conf", "cp -p /etc/asterisk/manager.conf /root/manager.conf && " + rewrite + " && cp -p /root/manager.conf /etc/asterisk/", "true", 0})
		}
		steps = append(steps, packageStep{name + ": undone", "voipd init --undo", picture + " | cmp - /root/before", 0},
			packageStep{name + ": gone", "rm -rf /etc/asterisk /etc/freepbx.conf /etc/issabel.conf /etc/amportal.conf && mv /root/plain /etc/asterisk && asterisk -rx 'manager reload'", "true", 0})
	}
	steps = append(steps, packageStep{"removed as printed", "voipd init --yes && " + strings.Join(remove, " && "), "! command -v voipd && [ -e /var/lib/voipd/voipd.db ] && ! systemctl is-active voipd", 0},
		packageStep{"purged", "dpkg -P voipd", "[ ! -e /var/lib/voipd ] && [ ! -e /etc/voipd ] && ! systemctl cat voipd && find /etc/systemd -name 'voipd*' | wc -l | grep -qx 0", 0})
	passed := 0
	for i, step := range steps {
		if t.Run(step.name, func(t *testing.T) { step.take(ctx, t, m) }) {
			passed++
		}
		if i == 2 {
			took = time.Since(began)
		}
	}
	if took > time.Minute {
		t.Errorf("from the package to a recording that is heard it took %v, more than a minute", took.Round(time.Second))
	}
	fmt.Printf("lab: the package on a bare machine: %d of %d steps passed; from dpkg -i to a recording heard %v\n", passed, len(steps), took.Round(100*time.Millisecond))
}

// packageStep is one thing that is done, and what has to hold then.
type packageStep struct {
	name, does, is string
	within         time.Duration // 0: at once
}

func (s packageStep) take(ctx context.Context, t *testing.T, m *Machine) {
	t.Helper()
	if out, err := m.Run(ctx, s.does); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := m.Await(ctx, max(s.within, time.Second), s.is); err != nil {
		log, _ := m.Run(ctx, "journalctl -u voipd --no-pager -n 30; cat /root/said")
		t.Fatalf("%v\n%s", err, log)
	}
}

// rpmInRoot installs the .rpm with its scripts into a root of its own, where
// systemctl only notes what it is told.
func rpmInRoot(ctx context.Context, t *testing.T, packages string) {
	if _, err := exec.LookPath("rpm"); err != nil {
		if out, err := exec.CommandContext(ctx, "apt-get", "install", "-y", "--no-install-recommends", "rpm").CombinedOutput(); err != nil {
			t.Fatalf("install rpm: %v\n%s", err, lastLines(out, 5))
		}
	}
	lower, err := openDir(t).Rootfs(ctx, machineVersion(), os.Stdout)
	if err != nil {
		t.Fatal(err)
	}
	up := t.TempDir()
	for name, text := range map[string]string{"up/usr/bin/systemctl": "#!/bin/sh\necho \"$*\" >>/systemctl.log\n", "up/run/systemd/system/x": ""} {
		put(t, filepath.Join(up, name), text)
	}
	script := fmt.Sprintf(`set -e
cd %q; mkdir -p root work
mount -t overlay -o lowerdir=%q,upperdir=$PWD/up,workdir=$PWD/work overlay root
mount --bind /dev root/dev
rpm="rpm --root $PWD/root --dbpath /var/lib/rpm --nodeps"
say() { echo "step: $1"; }
say install; $rpm -i %q >said 2>&1 || { cat said; exit 1; }; grep -q 'Now: sudo voipd init' said; grep -q '^voipd:' root/etc/passwd; [ "$(stat -c '%%a %%g' root/etc/voipd)" = "750 $(awk -F: '$1 == "voipd" {print $3}' root/etc/group)" ]
! grep -q start root/systemctl.log
mkdir -p root/var/lib/voipd; touch root/var/lib/voipd/voipd.db; echo '[asterisk]' >root/etc/voipd/config.toml; chmod 666 root/etc/voipd/config.toml
say upgrade; : >root/systemctl.log; $rpm -U %q; grep -qx 'try-restart voipd.service' root/systemctl.log; [ "$(stat -c %%a root/etc/voipd/config.toml)" = 640 ]
say downgrade; ! $rpm -U %q 2>said; grep -q 'newer than' said
say verify; $rpm -V voipd
say erase; : >root/systemctl.log; $rpm -e voipd >said; grep -qx 'stop voipd.service' root/systemctl.log; grep -q 'are kept' said; [ -e root/var/lib/voipd/voipd.db ]; [ -e root/etc/voipd/config.toml ]; [ ! -e root/usr/bin/voipd ]
say again; : >root/systemctl.log; $rpm -i %q; grep -qx 'start voipd.service' root/systemctl.log
`, up, lower, packageOf(packages, "this", thisVersion, "rpm"), packageOf(packages, "next", nextVersion, "rpm"), packageOf(packages, "this", thisVersion, "rpm"), packageOf(packages, "next", nextVersion, "rpm"))
	if out, err := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "bash", "-c", script).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fmt.Println("lab: the .rpm by rpm --root: installed, upgraded, a downgrade refused, erased, installed again")
}

// debInRoots installs the .deb with its scripts into roots of other Debians, where
// systemctl only notes what it is told: the machine of packageOnMachine is Debian 11.
func debInRoots(ctx context.Context, t *testing.T, packages string) {
	dir := openDir(t)
	for _, v := range []Version{{Name: "bookworm", Suite: "bookworm", Extra: "init-system-helpers", Bare: true}, Versions()[0]} {
		t.Run(v.Suite, func(t *testing.T) {
			lower, err := dir.Rootfs(ctx, v, os.Stdout)
			if err != nil {
				t.Fatal(err)
			}
			up := t.TempDir()
			for name, text := range map[string]string{
				"up/usr/bin/systemctl": "#!/bin/sh\necho \"$*\" >>/systemctl.log\n[ \"$1 $2\" != 'is-active --quiet' ] || [ -e /active ]\n",
				// With a policy the real one asks systemd for more than it notes.
				"up/usr/bin/deb-systemd-invoke": "#!/bin/sh\nexec systemctl \"$@\"\n", "up/run/systemd/system/x": "",
			} {
				put(t, filepath.Join(up, name), text)
			}
			for out, version := range map[string]string{"this": thisVersion, "next": nextVersion} {
				text, err := os.ReadFile(packageOf(packages, out, version, "deb"))
				if err != nil {
					t.Fatal(err)
				}
				put(t, filepath.Join(up, "up/root", out+".deb"), string(text))
			}
			script := fmt.Sprintf(`set -e
cd %q; mkdir -p root work
mount -t overlay -o lowerdir=%q,upperdir=$PWD/up,workdir=$PWD/work overlay root
mount --bind /dev root/dev
inside() { chroot root /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
say() { echo "step: $1"; }
say install; inside dpkg -i /root/this.deb >said 2>&1 || { cat said; exit 1; }; grep -q 'Now: sudo voipd init' said; grep -q '^voipd:' root/etc/passwd; grep -q '^asterisk:' root/etc/group
[ "$(stat -c '%%a %%g' root/etc/voipd)" = "750 $(awk -F: '$1 == "voipd" {print $3}' root/etc/group)" ]; ! grep -q ' start ' root/systemctl.log; inside voipd --version
mkdir -p root/var/lib/voipd; touch root/var/lib/voipd/voipd.db root/active; echo '[asterisk]' >root/etc/voipd/config.toml
say upgrade; inside dpkg -i /root/next.deb >said 2>&1; grep -qx 'restart voipd.service' root/systemctl.log
say downgrade; ! inside dpkg -i /root/this.deb >said 2>&1; grep -q 'is older than' said
say remove; inside dpkg -r voipd >said 2>&1; grep -qx 'stop voipd.service' root/systemctl.log; [ -e root/etc/voipd/config.toml ]
say again; rm root/active; inside dpkg -i /root/next.deb >said 2>&1; grep -qx 'start voipd.service' root/systemctl.log
say purge; inside dpkg -P voipd >said 2>&1; [ ! -e root/etc/voipd ]; [ ! -e root/var/lib/voipd ]; [ ! -e root/usr/bin/voipd ]; inside dpkg --audit
`, up, lower)
			if out, err := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "bash", "-c", script).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			fmt.Printf("lab: the .deb on %s: installed, upgraded, a downgrade refused, removed, installed again, purged\n", v.Suite)
		})
	}
}
