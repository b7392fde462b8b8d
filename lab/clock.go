//go:build lab

package lab

import (
	"fmt"
	"os"
	"time"
)

// clockFile is where libfaketime reads, once a second, how far the wall clock
// of an instance is ahead of this machine's.
func (in *Instance) clockFile() string { return "/run/asterisk-" + in.Name + "/clock" }

// clockEnv makes an instance ask libfaketime for the time. Its monotonic clock
// stays what it is: on a machine whose clock is set it does, too.
func (in *Instance) clockEnv() []string {
	return []string{"LD_PRELOAD=/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "FAKETIME_TIMESTAMP_FILE=" + in.clockFile(),
		"FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1"}
}

// SetClock sets the instance's wall clock that far ahead of this machine's, or
// behind; within a second it is so. Only of an instance started WithClock.
func (in *Instance) SetClock(ahead time.Duration) error {
	file := in.Path(in.clockFile())
	if err := os.WriteFile(file+".new", fmt.Appendf(nil, "%+d\n", int(ahead.Seconds())), 0o644); err != nil {
		return fmt.Errorf("set the clock of %s: %w", in.Name, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("set the clock of %s: %w", in.Name, err)
	}
	return nil
}
