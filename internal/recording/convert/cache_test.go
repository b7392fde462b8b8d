package convert_test

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/recording/convert/fake"
)

// size is that of a fake result.
const size = 16044

// TestCache: a result is made once, for its owner alone to read; another
// format, a changed recording or converter has another, with another tag.
func TestCache(t *testing.T) {
	d, program := faked(t, fake.Copy, nil)
	path := d.recording("in-79031234567.gsm", gsmOf(50))
	var tags []string
	convertIt := func(what string, to convert.Format, times int) {
		t.Helper()
		_, tag, err := d.converted(path, to)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := runs(t, program); len(got) != times {
			t.Errorf("%s: converted %d times, want %d", what, len(got), times)
		}
		if !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
		if len(tags) != times {
			t.Errorf("%s: %d tags, want %d", what, len(tags), times)
		}
	}
	convertIt("first", convert.WAV, 1)
	convertIt("again", convert.WAV, 1)
	convertIt("another format", convert.MP3, 2)
	d.recording("in-79031234567.gsm", gsmOf(60))
	convertIt("another size", convert.WAV, 3)
	if err := os.Chtimes(path, d.now, d.now); err != nil {
		t.Fatal(err)
	}
	convertIt("another time", convert.WAV, 4)
	for _, file := range d.files() {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 || strings.Contains(filepath.Base(file), "79031234567") {
			t.Errorf("%s: %v (%v)", file, info.Mode(), err)
		}
	}
	if info, err := os.Stat(d.cache); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v (%v)", info.Mode(), err)
	}
	other := newDesk(t, fake.FFmpeg(t, fake.Copy), nil)
	if _, tag, err := other.converted(other.recording("x.gsm", gsmOf(50)), convert.WAV); err == nil && slices.Contains(tags, tag) {
		t.Error("another converter has the same tag")
	}
}

// TestEviction: the longest unused goes; what is being read stays, and what has
// no room then is not kept.
func TestEviction(t *testing.T) {
	d, program := faked(t, fake.Copy, func(o *convert.Options) { o.Keep = 2*size + 100 })
	a, b, c := d.recording("a.gsm", gsmOf(50)), d.recording("b.gsm", gsmOf(50)), d.recording("c.gsm", gsmOf(50))
	made := 0
	listen := func(path string, converted bool) {
		t.Helper()
		d.now = d.now.Add(time.Second)
		if data, _, err := d.converted(path, convert.WAV); err != nil || len(data) != size {
			t.Fatalf("%s: %d bytes, %v", path, len(data), err)
		}
		if converted {
			made++
		}
		if got := len(runs(t, program)); got != made {
			t.Errorf("%s: converted %d times, want %d", path, got, made)
		}
	}
	listen(a, true)
	listen(b, true)
	listen(a, false)
	listen(c, true) // b goes
	listen(a, false)
	listen(b, true) // c goes
	listen(a, false)
	if got := d.files(); len(got) != 2 {
		t.Errorf("in the cache: %v", got)
	}
	var reading []*convert.Sound
	for _, path := range []string{a, b} {
		s, err := d.Open(t.Context(), d.source(path), convert.WAV)
		if err != nil {
			t.Fatal(err)
		}
		reading = append(reading, s)
	}
	listen(c, true) // no room
	listen(c, true)
	for _, s := range reading {
		if n, err := io.Copy(io.Discard, s); n != size || err != nil || s.Close() != nil {
			t.Errorf("read %d bytes (%v)", n, err)
		}
	}
	listen(c, true)
	listen(c, false)
}

// TestSweep: what nobody has asked for in a day goes; files that are not the
// cache's stay.
func TestSweep(t *testing.T) {
	d, program := faked(t, fake.Copy, nil)
	for _, name := range []string{"a.gsm", "b.gsm"} {
		if _, _, err := d.converted(d.recording(name, gsmOf(50)), convert.WAV); err != nil {
			t.Fatal(err)
		}
	}
	mine := filepath.Join(d.cache, "mine.wav")
	if err := os.WriteFile(mine, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(20 * time.Hour)
	if _, _, err := d.converted(filepath.Join(d.monitor, "a.gsm"), convert.WAV); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		later time.Duration
		left  int
	}{{0, 3}, {5 * time.Hour, 2}, {20 * time.Hour, 1}} {
		d.now = d.now.Add(step.later)
		if err := d.Sweep(); err != nil {
			t.Fatal(err)
		}
		if got := d.files(); len(got) != step.left {
			t.Errorf("%s later: %v, want %d", step.later, got, step.left)
		}
	}
	if got := d.files(); !slices.Equal(got, []string{mine}) || len(runs(t, program)) != 2 {
		t.Errorf("left: %v", got)
	}
}

// TestLeftovers: what a killed voipd had not finished goes at the start, and
// what is more than may be kept now.
func TestLeftovers(t *testing.T) {
	d, program := faked(t, fake.Copy, nil)
	path := d.recording("a.gsm", gsmOf(50))
	if _, _, err := d.converted(path, convert.WAV); err != nil {
		t.Fatal(err)
	}
	kept := d.files()[0]
	if err := os.WriteFile(kept+".123.part", []byte("RIFF"), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := convert.Options{Dir: d.cache, Keep: 1 << 20, Now: func() time.Time { return d.now }}
	if _, err := convert.New(opt); err != nil || !slices.Equal(d.files(), []string{kept}) {
		t.Errorf("left: %v (%v)", d.files(), err)
	}
	opt.Keep = 0
	if _, err := convert.New(opt); err != nil || len(d.files()) != 0 {
		t.Errorf("left, though nothing is to be kept: %v (%v)", d.files(), err)
	}
	if _, err := convert.New(convert.Options{Dir: "converted"}); err == nil {
		t.Error("a folder that is where voipd happens to be started")
	}
	if got := runs(t, program); len(got) != 1 {
		t.Errorf("converted %d times", len(got))
	}
}

// TestEmptyResult: what a power failure left empty is not served, but made again.
func TestEmptyResult(t *testing.T) {
	d, program := faked(t, fake.Copy, nil)
	path := d.recording("a.gsm", gsmOf(50))
	listen := func(what string, times int) {
		t.Helper()
		if data, _, err := d.converted(path, convert.WAV); err != nil || len(data) != size {
			t.Errorf("%s: %d bytes, %v", what, len(data), err)
		}
		if got := runs(t, program); len(got) != times {
			t.Errorf("%s: converted %d times, want %d", what, len(got), times)
		}
	}
	listen("first", 1)
	if err := os.Truncate(d.files()[0], 0); err != nil {
		t.Fatal(err)
	}
	listen("empty", 2)
	listen("made again", 2)
	if err := os.Truncate(d.files()[0], 0); err != nil {
		t.Fatal(err)
	}
	src := d.source(path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), src, convert.WAV); err == nil || len(d.files()) != 0 {
		t.Errorf("empty, and the recording is gone: %v, left %v", err, d.files())
	}
}

// TestForget: everything that was made of one recording goes, and nothing else.
func TestForget(t *testing.T) {
	d, _ := faked(t, fake.Copy, nil)
	if n, err := convert.Forget(d.cache, "a.gsm"); n != 0 || err != nil {
		t.Errorf("no cache yet: %d, %v", n, err)
	}
	gone, stays := d.recording("1.gsm", gsmOf(50)), d.recording("11.gsm", gsmOf(50))
	for _, to := range []convert.Format{convert.WAV, convert.MP3, convert.Opus} {
		for _, path := range []string{gone, stays} {
			if _, _, err := d.converted(path, to); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := convert.Forget(d.cache, gone); n != 3 || err != nil || len(d.files()) != 3 {
		t.Errorf("forgot %d (%v), left %v", n, err, d.files())
	}
	if n, err := convert.Forget(d.cache, gone); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
}
