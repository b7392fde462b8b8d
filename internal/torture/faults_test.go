package torture

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/sim"
)

// fault is something that goes wrong. What lasts has an end.
type fault struct {
	kind       string
	what       string // that fails: it fails in one way at a time
	begin, end func()
	deaf       bool // voipd hears nothing meanwhile
	rare       bool // a third as often: what CEL tells of calls around it can only be approximate
}

// process is voipd itself: the run starts it again.
const process = "voipd"

// faults are the kinds of faults that can be had here.
func (r *run) faults() []fault {
	v, pbx, disk := r.voipd, r.pbx, r.disk
	all := []fault{
		{"Asterisk crashed", "pbx", func() { pbx.Away(true); pbx.Crash() }, func() { pbx.Away(false) }, true, false},
		{"PBX away", "pbx", func() { pbx.Away(true) }, func() { pbx.Away(false) }, true, false},
		{"PBX slow", "slow", func() { pbx.SlowDown(sim.Slow{Piece: 64, Pause: 2 * time.Millisecond}) }, func() { pbx.SlowDown(sim.Slow{}) }, true, false},
		{"clock set ahead", "clock", func() { pbx.SetClock(time.Hour) }, func() { pbx.SetClock(0) }, false, true},
		{"clock set back", "clock", func() { pbx.SetClock(-time.Hour) }, func() { pbx.SetClock(0) }, false, true},
		{"garbage", "garbage", func() { pbx.Garble(garbage(r.random)) }, func() {}, true, false},
		{"link cut", "cut", pbx.Cut, func() {}, true, false},
		{"link frozen", "frozen", pbx.Hang, func() {}, true, false},
		{"login refused", "login", func() { pbx.RefuseLogins(true); pbx.Cut() }, func() { pbx.RefuseLogins(false) }, true, false},
		{"voipd killed", process, func() { v.end(syscall.SIGKILL) }, nil, true, false},
		{"voipd stopped", process, func() { v.end(syscall.SIGTERM) }, nil, true, false},
	}
	if disk.mounted {
		all = append(all, fault{"disk full", "disk", disk.fill, disk.empty, true, false})
	}
	return all
}

// garbage is what no PBX should send.
func garbage(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return strings.Repeat("\x00\xff~", 1+r.IntN(1000))
	case 1:
		return "Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: "
	case 2:
		return "\r\n\r\n\r\nnonsense without a colon\r\n\r\n"
	}
	return "Event: " + strings.Repeat("x", 300_000) + "\r\n"
}

// disk is where voipd's database is: a small one of its own, where that can be
// had (root on Linux).
type disk struct {
	dir     string
	mounted bool
	emptied time.Time // when it last had room again
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	d := &disk{dir: filepath.Join(t.TempDir(), "store")}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, "size=64m"); err != nil {
		fmt.Printf("torture: \"disk full\" is left out: a small disk cannot be mounted: %v\n", err)
		return d
	}
	d.mounted = true
	t.Cleanup(func() {
		if err := syscall.Unmount(d.dir, 0); err != nil {
			t.Errorf("unmount %s: %v", d.dir, err)
		}
	})
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.dir, "ballast") }

func (d *disk) fill() {
	f, err := os.Create(d.ballast())
	if err != nil {
		return // it is full as it is
	}
	defer f.Close()
	_, err = io.Copy(f, zeros{})
	if !errors.Is(err, syscall.ENOSPC) {
		fmt.Printf("torture: fill the disk: %v\n", err)
	}
}

func (d *disk) empty() {
	d.emptied = time.Now()
	_ = os.Remove(d.ballast()) // it may never have been made
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
