package config

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// KeepOwner gives a file the owner that another one had.
func KeepOwner(f *os.File, had fs.FileInfo) error {
	s, ok := had.Sys().(*syscall.Stat_t)
	if !ok || int(s.Uid) == os.Getuid() && int(s.Gid) == os.Getgid() {
		return nil
	}
	if err := f.Chown(int(s.Uid), int(s.Gid)); err != nil {
		return fmt.Errorf("keep the owner: %w", err)
	}
	return nil
}
