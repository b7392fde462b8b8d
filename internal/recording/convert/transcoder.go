package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/recording"
)

// Options of a Transcoder. The zero value of a bound stands for the default.
type Options struct {
	Programs func() []Program   // as Find gives them, asked for once, when they are needed; nil: nothing is converted
	Library  *recording.Library // opens the recordings
	Dir      string             // the cache's folder, absolute; made if it is not there
	Keep     int64              // bytes that the cache may hold; 0: a result goes when it was read
	AtOnce   int                // conversions at once; 0: 2
	Queue    time.Duration      // how long a conversion waits for others before it is ErrBusy; 0: 10 s
	Within   time.Duration      // how long one may take before it is ErrTooMuch; 0: 45 s, in which ffmpeg converts hours of speech
	Most     int64              // bytes that one may make before it is ErrTooMuch; 0: 512 MiB
	Leave    int64              // bytes of the cache's disk that stay free, else it is ErrNoRoom; 0: 256 MiB
	Now      func() time.Time   // nil: time.Now
	Log      *slog.Logger       // nil: none
}

// Transcoder converts recordings, each once for all who ask at the same time.
// Make one with New; it may be used by several goroutines at once.
type Transcoder struct {
	opt      Options
	programs func() []Program
	slots    chan struct{} // holds one for each conversion that goes on
	work     context.Context
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight // conversions that go on, by the result's name
	reading map[string]int     // how often each file of the cache is open
	loose   int64              // bytes of results that are open and not in the cache
}

// New makes a Transcoder, and clears the cache of what a killed voipd has left.
func New(opt Options) (*Transcoder, error) {
	opt.AtOnce, opt.Queue = cmp.Or(opt.AtOnce, 2), cmp.Or(opt.Queue, 10*time.Second)
	opt.Within, opt.Most = cmp.Or(opt.Within, 45*time.Second), cmp.Or(opt.Most, 512<<20)
	opt.Leave = cmp.Or(opt.Leave, 256<<20)
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Programs == nil {
		opt.Programs = func() []Program { return nil }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	t := &Transcoder{opt: opt, slots: make(chan struct{}, opt.AtOnce), flights: map[string]*flight{}, reading: map[string]int{}}
	t.work, t.stop = context.WithCancel(context.Background())
	t.programs = sync.OnceValue(opt.Programs)
	if !filepath.IsAbs(opt.Dir) {
		return nil, fmt.Errorf("clear the cache of recordings: %s is not absolute", opt.Dir)
	}
	if err := clearParts(opt.Dir); err != nil {
		return nil, err
	}
	return t, t.Sweep()
}

// Idle is a Transcoder that converts nothing.
func Idle() *Transcoder {
	return &Transcoder{stop: func() {}, programs: func() []Program { return nil }}
}

// Prepare looks for the converters now, so that the first listener does not
// wait for it.
func (t *Transcoder) Prepare() { t.programs() }

// Close kills what goes on and waits for its end. Conversions asked for
// afterwards are ErrBusy; what is open stays open.
func (t *Transcoder) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.stop()
	t.done.Wait()
}

// Source is a recording that is to be converted.
type Source struct {
	Path  string         // as the PBX names it
	File  recording.File // what the Library has opened; it stays the caller's
	Audio recording.Audio
}

// Can tells whether a recording can be had in a format.
func (t *Transcoder) Can(from recording.Coding, to Format) bool {
	_, ok := t.program(from, to)
	return ok
}

// program is the first that makes the one of the other.
func (t *Transcoder) program(from recording.Coding, to Format) (Program, bool) {
	for _, p := range t.programs() {
		if p.can(from, to) {
			return p, true
		}
	}
	return Program{}, false
}

// Open gives a recording in another format: from the cache, or converted now.
// It waits for that, and where ctx ends before, and nobody else waits for the
// same, the conversion is killed and has ended when Open returns. The error is
// ErrNoConverter, ErrBusy, ErrFailed, ErrTooMuch, ErrNoRoom, recording.ErrGone,
// ctx's or the system's.
func (t *Transcoder) Open(ctx context.Context, src Source, to Format) (*Sound, error) {
	p, ok := t.program(src.Audio.Coding, to)
	if !ok {
		return nil, fmt.Errorf("convert %s to %s: %w", src.Audio.Coding, to, ErrNoConverter)
	}
	tag := hash(src.File.Name, strconv.FormatInt(src.File.Info.Size(), 10), strconv.FormatInt(src.File.Info.ModTime().UnixNano(), 10), string(to), p.id)
	j := job{src: src, to: to, program: p, name: nameOf(src.Path, tag, to)}
	kept, err := t.kept(j.name)
	if err != nil {
		return nil, err
	}
	if kept == nil {
		if kept, err = t.fly(ctx, j); err != nil {
			return nil, fmt.Errorf("convert %s to %s: %w", src.Audio.Coding, to, err)
		}
	}
	return &Sound{ReadSeeker: io.NewSectionReader(kept.file, 0, kept.size), Tag: tag, close: sync.OnceValue(kept.release)}, nil
}

// Sound is a converted recording. Close it.
type Sound struct {
	io.ReadSeeker
	Tag   string // differs where the recording, the format or the converter does
	close func() error
}

// Close closes the file.
func (s *Sound) Close() error { return s.close() }

// job is one conversion.
type job struct {
	src     Source
	to      Format
	program Program
	name    string // of the result in the cache
}

// result is an open file, which one or more Sounds read.
type result struct {
	t     *Transcoder
	file  *os.File
	size  int64
	name  string // in the cache; empty: it is not there, and gone when it is closed
	users int    // t.mu is held for it
}

// release ends one use; the last closes the file.
func (r *result) release() error {
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	if r.users--; r.users > 0 {
		return nil
	}
	if r.name == "" {
		r.t.loose -= r.size
	} else if r.t.reading[r.name]--; r.t.reading[r.name] == 0 {
		delete(r.t.reading, r.name)
	}
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("close a converted recording: %w", err)
	}
	return nil
}

// kept opens what the cache has; nil: it has not. A file without a byte is what
// a power failure left of a result, and is removed.
func (t *Transcoder) kept(name string) (*result, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	path := filepath.Join(t.opt.Dir, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open a converted recording: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("open a converted recording: %w", err)
	}
	if info.Size() == 0 {
		f.Close()
		return nil, remove(t.opt.Dir, name)
	}
	now := t.opt.Now()
	if err := os.Chtimes(path, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) { // erased meanwhile: this reader still has it
		t.opt.Log.Warn("cannot note that a converted recording is used", "error", err)
	}
	t.reading[name]++
	return &result{t: t, file: f, size: info.Size(), name: name, users: 1}, nil
}
