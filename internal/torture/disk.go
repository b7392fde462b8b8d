package torture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Disk is a small disk of its own, where that can be had (root on Linux).
type Disk struct {
	Dir     string
	mounted bool
	emptied time.Time // when it last had room again
}

// NewDisk makes the folder dir and mounts a disk of 64 MB there. Where that may
// not be, the error says so and the Disk is a plain folder, which cannot be
// filled.
func NewDisk(dir string) (*Disk, error) {
	d := &Disk{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return d, fmt.Errorf("make a small disk: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		return d, fmt.Errorf("make a small disk: mount: %w", err)
	}
	d.mounted = true
	return d, nil
}

// Close takes the disk away. Nobody may have a file open on it.
func (d *Disk) Close() error {
	if !d.mounted {
		return nil
	}
	if err := syscall.Unmount(d.Dir, 0); err != nil {
		return fmt.Errorf("take the small disk away: %w", err)
	}
	return nil
}

// Faults are what can go wrong with the disk.
func (d *Disk) Faults() []Fault {
	if !d.mounted {
		return nil
	}
	return []Fault{{Kind: DiskFull, What: "disk", Begin: d.fill, End: d.empty, Deaf: true}}
}

// DiskFull is the kind of the disk's fault.
const DiskFull = "disk full"

func (d *Disk) ballast() string { return filepath.Join(d.Dir, "ballast") }

func (d *Disk) fill() {
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

func (d *Disk) empty() {
	d.emptied = time.Now()
	_ = os.Remove(d.ballast()) // it may never have been made
}

// Tight tells whether there is, or was a moment ago, no room, so that voipd may
// have ended for it.
func (d *Disk) Tight(s *Storm) bool {
	return s.Lasts(DiskFull) || time.Since(d.emptied) < LongestFault
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
