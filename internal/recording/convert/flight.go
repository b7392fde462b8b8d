package convert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/voipd/voipd/internal/recording"
)

// flight is a conversion that goes on, with all who wait for it. t.mu is held
// for its fields but ended and cancel.
type flight struct {
	ended   chan struct{} // closed when made and err are set
	cancel  context.CancelFunc
	waiting int
	made    *result
	err     error
}

// fly converts, or waits for whoever does so already.
func (t *Transcoder) fly(ctx context.Context, j job) (*result, error) {
	f, err := t.board(j)
	if err != nil {
		return nil, err
	}
	select {
	case <-f.ended:
		return f.made, f.err
	case <-ctx.Done():
		t.leave(f, j.name)
		return nil, ctx.Err()
	}
}

// board takes a place in the flight of a job, which begins with the first.
func (t *Transcoder) board(j job) (*flight, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, ErrBusy
	}
	f := t.flights[j.name]
	if f == nil {
		ctx, cancel := context.WithCancel(t.work)
		f = &flight{ended: make(chan struct{}), cancel: cancel}
		t.flights[j.name] = f
		t.done.Go(func() {
			defer cancel()
			made, err := t.convert(ctx, j)
			if err != nil && t.work.Err() != nil {
				err = fmt.Errorf("%w: voipd stops: %w", ErrBusy, err)
			}
			t.land(f, j.name, made, err)
		})
	}
	f.waiting++
	return f, nil
}

// land hands a result, or the error, to all who wait.
func (t *Transcoder) land(f *flight, name string, made *result, err error) {
	t.mu.Lock()
	f.made, f.err = made, err
	if t.flights[name] == f {
		delete(t.flights, name)
	}
	nobody := f.waiting == 0
	if made != nil {
		made.users = max(1, f.waiting)
	}
	close(f.ended)
	t.mu.Unlock()
	if made != nil && nobody {
		t.letGo(made)
	}
}

// leave gives a place up. The last to leave stops the conversion and waits for
// its end; who comes then begins a new one.
func (t *Transcoder) leave(f *flight, name string) {
	t.mu.Lock()
	f.waiting--
	last := f.waiting == 0
	if last && t.flights[name] == f {
		delete(t.flights, name)
	}
	landed := false
	select {
	case <-f.ended:
		landed = true
	default:
	}
	t.mu.Unlock()
	switch {
	case landed && f.made != nil:
		t.letGo(f.made)
	case last && !landed:
		f.cancel()
		<-f.ended
	}
}

func (t *Transcoder) letGo(r *result) {
	if err := r.release(); err != nil {
		t.opt.Log.Warn("a converted recording that nobody waits for", "error", err)
	}
}

// convert makes the result of a job.
func (t *Transcoder) convert(ctx context.Context, j job) (made *result, err error) {
	if err := t.slot(ctx); err != nil {
		return nil, err
	}
	defer func() { <-t.slots }()
	in, err := t.opt.Library.Open(j.src.Path) // its own: who asked may close his
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if !same(in, j.src.File) {
		return nil, fmt.Errorf("%w: the recording changed meanwhile", ErrFailed)
	}
	if err := os.MkdirAll(t.opt.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the cache of recordings: %w", err)
	}
	if err := t.room(); err != nil {
		return nil, err
	}
	out, err := os.CreateTemp(t.opt.Dir, j.name+part) // for nobody else to read
	if err != nil {
		return nil, fmt.Errorf("make a file for the conversion: %w", err)
	}
	defer func() { // where it has its name, there is nothing left to remove
		err = errors.Join(err, remove(t.opt.Dir, filepath.Base(out.Name())))
		switch {
		case err != nil && made != nil:
			err, made = errors.Join(err, made.release()), nil
		case err != nil:
			out.Close()
		}
	}()
	begin := t.opt.Now()
	if err := t.run(ctx, j.program, in.File, j.src.Audio, j.to, out); err != nil {
		return nil, err
	}
	if made, err = t.keep(out, j); err == nil {
		t.opt.Log.Debug("converted a recording", "from", j.src.Audio.Coding, "to", j.to, "by", j.program.kind, "bytes", made.size, "took", t.opt.Now().Sub(begin))
	}
	return made, err
}

// slot waits until fewer than AtOnce conversions go on.
func (t *Transcoder) slot(ctx context.Context) error {
	wait := time.NewTimer(t.opt.Queue)
	defer wait.Stop()
	select {
	case t.slots <- struct{}{}:
		return nil
	case <-wait.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// same tells whether two open recordings are the same, unchanged.
func same(a, b recording.File) bool {
	return os.SameFile(a.Info, b.Info) && a.Info.Size() == b.Info.Size() && a.Info.ModTime().Equal(b.Info.ModTime())
}

// keep puts a result into the cache where it has room, and leaves it without a
// name where it has not. The results without a name are together no more than
// Most or, where it is more, one of them; else it is ErrBusy.
func (t *Transcoder) keep(out *os.File, j job) (*result, error) {
	info, err := out.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at what was converted: %w", err)
	}
	r := &result{t: t, file: out, size: info.Size()}
	if r.size <= t.opt.Keep { // else it gets no name
		if err := out.Sync(); err != nil { // a name must not outlive a power failure without what it names
			return nil, fmt.Errorf("keep a converted recording: %w", err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	room, err := t.shrink(r.size)
	if err != nil {
		return nil, err
	}
	if !room {
		if t.loose > 0 && t.loose+r.size > t.opt.Most {
			return nil, fmt.Errorf("%w: what was converted and is being read has no more room", ErrBusy)
		}
		t.loose += r.size
		return r, nil
	}
	now := t.opt.Now()
	if err := os.Chtimes(out.Name(), now, now); err != nil { // the age is told by this
		return nil, fmt.Errorf("keep a converted recording: %w", err)
	}
	if err := os.Rename(out.Name(), filepath.Join(t.opt.Dir, j.name)); err != nil {
		return nil, fmt.Errorf("keep a converted recording: %w", err)
	}
	if err := t.still(j); err != nil {
		return nil, errors.Join(err, remove(t.opt.Dir, j.name))
	}
	r.name = j.name
	t.reading[r.name]++
	return r, nil
}

// still looks, once its result has a name by which Forget finds it, whether the
// recording is still there: it may have been erased while it was converted.
func (t *Transcoder) still(j job) error {
	f, err := t.opt.Library.Open(j.src.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	if !same(f, j.src.File) {
		return fmt.Errorf("%w: the recording changed meanwhile", ErrFailed)
	}
	return nil
}
