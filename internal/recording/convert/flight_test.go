package convert_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/recording/convert/fake"
)

// hangs is a converter that has begun to write and then, with a process that it
// has started, holds the pipe "alive" open for ever.
const hangs = `printf RIFF >"$out"; exec 9>"$dir/alive"; sleep 1000 & sleep 1000`

// waits is a converter that makes its result when the pipe "go" says so.
const waits = `read line <"$dir/go"; ` + fake.Copy

// pipe makes a named pipe beside a program.
func pipe(t *testing.T, program, name string) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(program), name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// alive opens the pipe of a converter that hangs, once it does; reading from it
// ends when the last of its processes has.
func alive(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func runs(t *testing.T, program string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(program), "runs"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// faked is a desk whose converter makes a second of the tone.
func faked(t *testing.T, body string, change func(*convert.Options)) (*desk, string) {
	t.Helper()
	program := fake.FFmpeg(t, body)
	fake.Result(t, program, riff(1, 16, 8000, tone(8000), 16000))
	return newDesk(t, program, change), program
}

// gsmOf is a recording in GSM with so many frames.
func gsmOf(frames int) []byte {
	return []byte(strings.Repeat("\xd2"+strings.Repeat("\x00", 32), frames))
}

// TestKilledWhenNobodyWaits: the converter and what it has started are gone
// when Open returns, and so is what it wrote.
func TestKilledWhenNobodyWaits(t *testing.T) {
	d, program := faked(t, hangs, nil)
	held := pipe(t, program, "alive")
	src := d.source(d.recording("a.gsm", gsmOf(50)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := d.Open(ctx, src, convert.WAV); done <- err }()
	f := alive(t, held)
	if got := d.files(); len(got) != 1 {
		t.Errorf("while it goes on: %v", got)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if n, err := io.Copy(io.Discard, f); n != 0 || err != nil { // ends with the last process
		t.Errorf("read %d (%v)", n, err)
	}
	if got := d.files(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// TestLingering: a converter that ends and leaves something running has failed,
// and that is killed.
func TestLingering(t *testing.T) {
	d, program := faked(t, fake.Copy+`; exec 9>"$dir/alive"; sleep 1000 &`, nil)
	held := pipe(t, program, "alive")
	src := d.source(d.recording("a.gsm", gsmOf(50)))
	done := make(chan error, 1)
	go func() { _, err := d.Open(t.Context(), src, convert.WAV); done <- err }()
	f := alive(t, held)
	if err := <-done; !errors.Is(err, convert.ErrFailed) {
		t.Errorf("got %v", err)
	}
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Error(err)
	}
}

// TestClosed: what goes on is killed when voipd stops, and nothing begins.
func TestClosed(t *testing.T) {
	d, program := faked(t, hangs, nil)
	held := pipe(t, program, "alive")
	src := d.source(d.recording("a.gsm", gsmOf(50)))
	done := make(chan error, 1)
	go func() { _, err := d.Open(context.Background(), src, convert.WAV); done <- err }()
	f := alive(t, held)
	d.Close()
	if _, err := io.Copy(io.Discard, f); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, convert.ErrBusy) {
		t.Errorf("what went on: %v", err)
	}
	if _, err := d.Open(context.Background(), src, convert.WAV); !errors.Is(err, convert.ErrBusy) {
		t.Errorf("got %v", err)
	}
	if got := d.files(); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// TestShared: those who want the same share one conversion, in the cache and
// without one; it goes on when one of them leaves.
func TestShared(t *testing.T) {
	for name, keep := range map[string]int64{"kept": 1 << 20, "not kept": 0} {
		t.Run(name, func(t *testing.T) {
			d, program := faked(t, waits, func(o *convert.Options) { o.Keep = keep })
			start := pipe(t, program, "go")
			path := d.recording("a.gsm", gsmOf(50))
			const all = 5
			ctx, cancel := context.WithCancel(t.Context())
			left := make(chan error, 1)
			var listeners sync.WaitGroup
			for i := range all {
				src := d.source(path)
				if i == 0 {
					go func() { _, err := d.Open(ctx, src, convert.WAV); left <- err }()
					continue
				}
				listeners.Go(func() {
					s, err := d.Open(t.Context(), src, convert.WAV)
					if err != nil {
						t.Error(err)
						return
					}
					if n, err := io.Copy(io.Discard, s); n != 16044 || err != nil {
						t.Errorf("read %d bytes (%v)", n, err)
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			for d.Waiting() < all {
				runtime.Gosched()
			}
			cancel()
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("who left: %v", err)
			}
			if err := os.WriteFile(start, []byte("go\n"), 0); err != nil {
				t.Fatal(err)
			}
			listeners.Wait()
			if got := runs(t, program); len(got) != 1 {
				t.Errorf("converted %d times", len(got))
			}
			if got := d.files(); len(got) != min(1, int(keep)) {
				t.Errorf("in the cache: %v", got)
			}
		})
	}
}

// TestBounds: what each bound does when it is reached.
func TestBounds(t *testing.T) {
	t.Run("at once", func(t *testing.T) {
		d, program := faked(t, hangs, func(o *convert.Options) { o.AtOnce, o.Queue = 1, time.Millisecond })
		held := pipe(t, program, "alive")
		first, second := d.source(d.recording("a.gsm", gsmOf(50))), d.source(d.recording("b.gsm", gsmOf(50)))
		go d.Open(t.Context(), first, convert.WAV) // killed by Close
		alive(t, held)
		if _, err := d.Open(t.Context(), second, convert.WAV); !errors.Is(err, convert.ErrBusy) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("time", func(t *testing.T) {
		d, program := faked(t, hangs, func(o *convert.Options) { o.Within = 50 * time.Millisecond })
		pipe(t, program, "alive")
		if _, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV); !errors.Is(err, convert.ErrTooMuch) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("size", func(t *testing.T) {
		d, program := faked(t, fake.Copy+"; "+hangs, func(o *convert.Options) { o.Most = 3 })
		pipe(t, program, "alive")
		if _, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV); !errors.Is(err, convert.ErrTooMuch) {
			t.Errorf("got %v", err)
		}
		if got := d.files(); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	})
	t.Run("the disk", func(t *testing.T) {
		d, _ := faked(t, fake.Copy, func(o *convert.Options) { o.Leave = 1 << 60 })
		if _, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV); !errors.Is(err, convert.ErrNoRoom) {
			t.Errorf("got %v", err)
		}
		if got := d.files(); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	})
	t.Run("size at the end", func(t *testing.T) {
		d, _ := faked(t, fake.Copy, func(o *convert.Options) { o.Most = 1000 })
		if _, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV); !errors.Is(err, convert.ErrTooMuch) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("results without a name", func(t *testing.T) {
		d, _ := faked(t, fake.Copy, func(o *convert.Options) { o.Keep, o.Most = 0, 20000 })
		s, err := d.Open(t.Context(), d.source(d.recording("a.gsm", gsmOf(50))), convert.WAV)
		if err != nil {
			t.Fatal(err)
		}
		other := d.recording("b.gsm", gsmOf(50))
		if _, _, err := d.converted(other, convert.WAV); !errors.Is(err, convert.ErrBusy) {
			t.Errorf("while one is read: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := d.converted(other, convert.WAV); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestFailures: a converter that fails, says it has succeeded and has not, or
// cannot be started.
func TestFailures(t *testing.T) {
	for name, body := range map[string]string{
		"exit status": "echo 'bad  frame' >&2; exit 3", "nothing": "", "a header": `head -c 44 "$dir/result" >"$out"`,
		"a page": `echo '<html>' >"$out"`, "no file": `rm -f "$out"`, "killed": "kill -9 $$",
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := faked(t, body, nil)
			_, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV)
			if !errors.Is(err, convert.ErrFailed) || name == "exit status" && !strings.Contains(err.Error(), ": bad frame") {
				t.Errorf("got %v", err)
			}
			if got := d.files(); len(got) != 0 {
				t.Errorf("left: %v", got)
			}
		})
	}
	d, program := faked(t, "", nil)
	d.Prepare()
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.converted(d.recording("a.gsm", gsmOf(50)), convert.WAV); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("not there any more: %v", err)
	}
}

// TestCorrupt: real converters fed with what is no audio say so or make noise
// of it, and never read another file.
func TestCorrupt(t *testing.T) {
	d := newDesk(t, convert.Auto, nil)
	if len(d.programs) == 0 {
		t.Skip("neither ffmpeg nor sox is installed")
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, tone(8000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.converted(d.recording("a.WAV", []byte("RIFF\x00\x00\x00\x00WAVEjunkjunkjunkjunkjunkjunkjunkjunkjunk")), convert.WAV); !errors.Is(err, convert.ErrFailed) {
		t.Errorf("a WAV without a format: %v", err)
	}
	for name, text := range map[string]string{"list.ulaw": "ffconcat version 1.0\nfile " + secret + "\n", "list.sln": "#EXTM3U\n#EXTINF:1,\nfile://" + secret + "\n"} {
		path := d.recording(name, []byte(text))
		data, _, err := d.converted(path, convert.WAV)
		if most := len(text)*2 + 44; err != nil && !errors.Is(err, convert.ErrFailed) || len(data) > most {
			t.Errorf("%s: %d bytes, want %d at most (%v)", name, len(data), most, err)
		}
	}
}

// TestHostileNames: no part of a recording's name reaches a command line.
func TestHostileNames(t *testing.T) {
	d, program := faked(t, fake.Copy, nil)
	names := []string{"-i evil.gsm", "$(touch pwned).gsm", "`id`.gsm", "|evil.gsm", "concat:evil.gsm", "evil;rm -rf .gsm", "'evil\".gsm", "%devil.gsm", "-.gsm"}
	for _, name := range names {
		data, _, err := d.converted(d.recording(name, gsmOf(50)), convert.WAV)
		if err != nil || len(data) != 16044 {
			t.Errorf("%s: %d bytes, %v", name, len(data), err)
		}
	}
	got := runs(t, program)
	if len(got) != len(names) {
		t.Errorf("converted %d times", len(got))
	}
	for _, line := range got {
		if strings.Contains(line, "evil") || strings.ContainsAny(line, "$`|;'\"%") {
			t.Errorf("on a command line: %s", line)
		}
	}
	for _, file := range d.files() {
		if strings.Contains(filepath.Base(file), "evil") {
			t.Errorf("in the cache: %s", file)
		}
	}
}

// TestErasedMeanwhile: a recording that is erased while it is converted leaves
// nothing, whether what is being written is erased with it or is not seen.
func TestErasedMeanwhile(t *testing.T) {
	for name, forget := range map[string]bool{"forgotten": true, "by something else": false} {
		t.Run(name, func(t *testing.T) {
			d, program := faked(t, waits, nil)
			start := pipe(t, program, "go")
			path := d.recording("a.gsm", gsmOf(50))
			src := d.source(path)
			done := make(chan error, 1)
			go func() { _, err := d.Open(t.Context(), src, convert.WAV); done <- err }()
			goes, err := os.OpenFile(start, os.O_WRONLY, 0) // once the converter waits
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.library.Remove(path); err != nil {
				t.Fatal(err)
			}
			if forget {
				if n, err := convert.Forget(d.cache, path); n != 1 || err != nil {
					t.Errorf("forgot %d (%v), want the file that was being written", n, err)
				}
			}
			if _, err := goes.WriteString("go\n"); err != nil {
				t.Fatal(err)
			}
			goes.Close()
			if err := <-done; forget && !errors.Is(err, convert.ErrFailed) || !forget && !errors.Is(err, recording.ErrGone) {
				t.Errorf("got %v", err)
			}
			if got := d.files(); len(got) != 0 {
				t.Errorf("left: %v", got)
			}
		})
	}
}
