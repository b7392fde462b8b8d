package convert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/voipd/voipd/internal/recording"
)

const (
	// lookEvery is how often the size of what is being written is looked at.
	lookEvery = 100 * time.Millisecond
	// reapFor is how long after the end of a converter its standard error may be
	// held open by something that it has started.
	reapFor = time.Second
	// saidMost is how much of a converter's complaint is kept, in bytes.
	saidMost = 500
)

// run converts in into the file out, which is there and empty. Where ctx ends
// the program is killed with all that it has started, and has ended when run
// returns. The error is ErrFailed, ErrTooMuch, ErrNoRoom, ctx's cause or the
// system's.
func (t *Transcoder) run(ctx context.Context, p Program, in *os.File, a recording.Audio, to Format, out *os.File) error {
	ctx, cancel := context.WithTimeoutCause(ctx, t.opt.Within, fmt.Errorf("%w: it took %s", ErrTooMuch, t.opt.Within))
	defer cancel()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var said tail
	cmd := exec.CommandContext(ctx, p.Path, p.args(a, to, out.Name())...)
	cmd.Stdin, cmd.Stderr = in, &said
	cmd.Dir, cmd.Env = filepath.Dir(out.Name()), environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return killAll(cmd.Process.Pid) }
	cmd.WaitDelay = reapFor
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.kind, err)
	}
	go t.watch(ctx, stop, out)
	err := cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) { // something that it has started is still there, and keeps the group's number
		err = errors.Join(err, killAll(cmd.Process.Pid))
	}
	switch cause := context.Cause(ctx); {
	case cause != nil && err != nil:
		return fmt.Errorf("run %s: %w", p.kind, cause)
	case err != nil:
		return fmt.Errorf("run %s: %w: %w: %s", p.kind, ErrFailed, err, said.String())
	}
	return t.check(out, p)
}

// killAll kills a converter with all that it has started.
func killAll(group int) error {
	err := syscall.Kill(-group, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// watch stops a conversion whose result gets too large, for itself or for the
// disk.
func (t *Transcoder) watch(ctx context.Context, stop context.CancelCauseFunc, out *os.File) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := errors.Join(t.small(out), t.room()); err != nil {
			stop(err)
			return
		}
	}
}

// room tells whether the cache's disk has more space than has to stay free.
func (t *Transcoder) room() error {
	var disk syscall.Statfs_t
	if err := syscall.Statfs(t.opt.Dir, &disk); err != nil {
		return fmt.Errorf("look at the disk of converted recordings: %w", err)
	}
	if free := disk.Bavail * uint64(disk.Bsize); free < uint64(t.opt.Leave) {
		return fmt.Errorf("%w: %d MiB are free in %s, %d stay free", ErrNoRoom, free>>20, t.opt.Dir, t.opt.Leave>>20)
	}
	return nil
}

// small tells whether a result is not too large.
func (t *Transcoder) small(out *os.File) error {
	info, err := out.Stat()
	if err != nil {
		return fmt.Errorf("look at what was converted: %w", err)
	}
	if info.Size() > t.opt.Most {
		return fmt.Errorf("%w: it makes more than %d bytes", ErrTooMuch, t.opt.Most)
	}
	return nil
}

// check tells whether a program that says it has succeeded has made sound.
func (t *Transcoder) check(out *os.File, p Program) error {
	if err := t.small(out); err != nil {
		return err
	}
	info, err := out.Stat()
	if err != nil {
		return fmt.Errorf("look at what was converted: %w", err)
	}
	made, err := recording.Examine(out.Name(), out, info.Size())
	if errors.Is(err, recording.ErrNotAudio) || err == nil && made.Empty {
		return fmt.Errorf("run %s: %w: it made no sound of the recording", p.kind, ErrFailed)
	}
	return err
}

// tail keeps the end of what is written to it, on one line.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-saidMost):]
	return len(b), nil
}

func (t *tail) String() string { return strings.Join(strings.Fields(string(t.text)), " ") }
