//go:build lab

package lab

import (
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// tied is a process that dies with this one, however this one ends: the
// kernel kills it when the thread that started it is gone, and that thread is
// kept for as long as the process runs.
type tied struct {
	cmd    *exec.Cmd
	exited chan struct{} // closed when it is gone
	err    error         // how it ended; to be read after exited
}

func startTied(cmd *exec.Cmd) (*tied, error) {
	p := &tied{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Setpgid = true
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.exited)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// stop sends SIGTERM and waits; a process that stays longer than patience is
// killed, and that is an error.
func (p *tied) stop(patience time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it is gone
	select {
	case <-p.exited:
		return p.err
	case <-time.After(patience):
		p.kill()
		return fmt.Errorf("still there %v after SIGTERM", patience)
	}
}

// kill ends it at once, with everything it started.
func (p *tied) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // an error means that it is gone
	<-p.exited
}
