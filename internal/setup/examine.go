package setup

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/voipd/voipd/internal/config"
)

// Finding is one thing on the machine that is not as it should be.
type Finding struct {
	What string `json:"what"` // what is wrong, and what it costs
	Do   string `json:"do"`   // the line to put where
}

// leastFree is how much room the database's disk should have, in bytes:
// conversions stop there, and the database itself needs some.
const leastFree = 256 << 20

// Examine looks at what the PBX does not tell over its interface: files, who may
// read them, clock and disk. It changes nothing.
func Examine(ctx context.Context, o Options, conf config.Config) ([]Finding, error) {
	o = o.with()
	x := &examiner{o: o, conf: conf}
	x.secrets()
	x.recordings()
	x.disk()
	x.clock(ctx)
	host, _, err := net.SplitHostPort(conf.Asterisk.Address)
	if ip := net.ParseIP(host); err != nil || conf.Asterisk.Interface != config.AMI || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return x.found, nil // the PBX's files are elsewhere
	}
	f, err := Detect(ctx, o)
	if err != nil {
		return x.found, err
	}
	if f.PBX != "" {
		x.user(f)
		x.zones(f)
	}
	return x.found, nil
}

type examiner struct {
	o     Options
	conf  config.Config
	found []Finding
}

func (x *examiner) find(do, what string, args ...any) {
	x.found = append(x.found, Finding{fmt.Sprintf(what, args...), do})
}

// user looks at the section of voipd's user in the files of AMI.
func (x *examiner) user(f *Found) {
	name := x.conf.Asterisk.Username
	for _, s := range f.manager.named(name) {
		at := place(s.file, s.line)
		if f.rewritten(s.file) {
			x.find(fmt.Sprintf("take the section [%s] out of %s, then: sudo voipd init (it goes to %s)", name, s.file, x.better(f)),
				"%s: the user %s stands in a file that %s writes anew: with the next change there it is gone, and voipd is let in no more", at, name, f.PBX)
		}
		if x.open(s.file) {
			x.find("sudo chmod o-rwx "+s.file, "%s: everybody on this machine can read the secret of %s", at, name)
		}
		for _, set := range s.settings {
			if strings.HasPrefix(strings.ToLower(set.key), "eventfilter") && !slices.Contains([]string{".*", "Event: .*"}, set.value) {
				x.find(fmt.Sprintf("take the line out of %s, then: sudo asterisk -rx 'manager reload'", s.file),
					"%s: %s = %s hides events from voipd: calls are told wrong, or the way through an IVR is missing", place(s.file, set.line), set.key, set.value)
			}
		}
	}
}

// better is where init would put the user.
func (x *examiner) better(f *Found) string {
	if file, _, _ := f.custom(x.o, f.manager); file != "" {
		return file
	}
	return path.Join(f.Etc, "voipd_manager.conf")
}

// open tells whether everybody may read a file.
func (x *examiner) open(file string) bool {
	info, err := os.Stat(x.o.at(file))
	if err != nil || info.Mode().Perm()&0o004 == 0 {
		return false
	}
	for dir := path.Dir(file); dir != "/" && dir != "."; dir = path.Dir(dir) {
		if info, err := os.Stat(x.o.at(dir)); err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
	}
	return true
}

// secrets looks at voipd's own files with secrets.
func (x *examiner) secrets() {
	files := []string{x.o.Config, x.conf.Asterisk.SecretFile}
	for _, b := range x.conf.Backfill {
		files = append(files, b.DSNFile)
	}
	for _, w := range x.conf.Webhooks {
		files = append(files, w.SecretFile)
	}
	slices.Sort(files)
	for _, file := range slices.Compact(files) {
		if file != "" && x.open(file) {
			x.find("sudo chown root:voipd "+file+" && sudo chmod 640 "+file, "%s: everybody on this machine can read it, and it holds secrets", file)
		}
	}
}

// recordings looks whether voipd's user may read the folders. Who asks is root,
// who may read everything.
func (x *examiner) recordings() {
	uid, gid, err := x.o.voipd()
	if err != nil {
		return // voipd is no service here
	}
	groups := append(x.o.members("voipd"), gid)
	if id, _, err := x.o.ids("/etc/group", "asterisk"); err == nil {
		groups = append(groups, id) // the unit's SupplementaryGroups
	}
	for _, d := range x.conf.Recordings.Directories {
		for dir, need := path.Clean(d.Path), fs.FileMode(0o5); ; dir, need = path.Dir(dir), 0o1 {
			info, err := os.Stat(x.o.at(dir))
			if err == nil && !may(info, uid, groups, need) {
				owned, group := owner(info)
				x.find(fmt.Sprintf("sudo chgrp asterisk %s && sudo chmod g+rx %s", dir, dir),
					"recordings in %s cannot be served: voipd's user may not read %s (mode %o, owner %d, group %d)", d.Path, dir, info.Mode().Perm(), owned, group)
				break
			}
			if dir == "/" {
				break
			}
		}
	}
}

// may tells whether a user has rights (4 to read, 1 to enter) by a mode.
func may(info fs.FileInfo, uid int, groups []int, need fs.FileMode) bool {
	owned, group := owner(info)
	mode := info.Mode().Perm()
	switch {
	case owned == uid:
		mode >>= 6
	case slices.Contains(groups, group):
		mode >>= 3
	}
	return mode&need == need
}

// disk looks at the room where the database is.
func (x *examiner) disk() {
	dir := path.Dir(x.conf.Store.Path)
	var s syscall.Statfs_t
	if err := syscall.Statfs(x.o.at(dir), &s); err != nil {
		return // it comes with the first start
	}
	if free := s.Bavail * uint64(s.Bsize); free < leastFree {
		x.find("make room there, or move [store] path", "%s has %d MiB free: when the disk is full, records wait in memory", dir, free>>20)
	}
}

// clock asks systemd whether this machine's is set by the network.
func (x *examiner) clock(ctx context.Context) {
	said, err := x.o.Run(ctx, "", "timedatectl", "show", "--property=NTPSynchronized", "--value")
	if err == nil && strings.TrimSpace(said) == "no" {
		x.find("sudo timedatectl set-ntp true", "this machine's clock is not set by the network: times of calls drift, and links to recordings end at the wrong time")
	}
}

// zones compares in which zone CEL and CDR are written with how they are read,
// and looks whether they are read at all.
func (x *examiner) zones(f *Found) {
	for _, s := range f.Sources {
		at := slices.IndexFunc(x.conf.Backfill, func(b config.Backfill) bool { return b.Kind == s.Kind })
		if at < 0 {
			x.find("the block [[backfill]] of config.example.toml, with kind = \""+s.Kind+"\" and driver = \""+s.Driver+"\"",
				"%s is written (%s, by %s) and not read: calls that voipd misses are lost", strings.ToUpper(s.Kind), s.where(), s.From)
			continue
		}
		b := x.conf.Backfill[at]
		utc := b.Zone == "UTC" || b.Zone == "Etc/UTC"
		switch {
		case s.Zone == "UTC" && !utc && !localUTC(b):
			x.find("zone = \"UTC\" in the [[backfill]] block of "+b.Name, "%s says usegmtime = yes: %s is written in UTC, and read in %s: what it repairs is hours off", s.From, strings.ToUpper(s.Kind), cmp.Or(b.Zone, "this machine's zone"))
		case s.Zone == "" && utc && !localUTC(config.Backfill{}) && s.Kind == "cdr":
			x.find("take zone = \"UTC\" out of the [[backfill]] block of "+b.Name, "%s does not say usegmtime = yes: CDR is written in this machine's zone, and read as UTC: what it repairs is hours off", s.From)
		}
	}
}

// localUTC tells whether dates of a source are read in UTC anyway.
func localUTC(b config.Backfill) bool {
	zone, err := b.Location()
	return err == nil && (zone.String() == "UTC" || zone.String() == "Local" && isUTC())
}

// isUTC tells whether this machine's zone is UTC all year.
func isUTC() bool {
	for _, month := range []time.Month{time.January, time.July} {
		if _, offset := time.Date(2026, month, 1, 0, 0, 0, 0, time.Local).Zone(); offset != 0 {
			return false
		}
	}
	return true
}
