package api_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/internal/recording/convert/fake"
)

// peaksOf are those behind a link.
func (o *office) peaksOf(link string) (status int, all []int, text string) {
	o.t.Helper()
	status, header, body := o.do("GET", strings.Replace(link, "?", "/peaks?", 1), "")
	var got struct{ Peaks []int }
	if err := json.Unmarshal(body, &got); err != nil || status == 200 && (header.Get("ETag") == "" || header.Get("Content-Type") != "application/json") {
		o.t.Errorf("%s: %v %v", body, header, err)
	}
	return status, got.Peaks, string(body)
}

// TestPeaks: a recording has an outline behind its link, which is kept while the file
// stays as it is.
func TestPeaks(t *testing.T) {
	o := newOffice(t)
	wave := o.audio("x")
	link := o.recorded("1.1", "loud.wav", wave)
	flat := slices.Repeat([]int{7}, 600) // of samples of 513 and 1027
	if status, all, text := o.peaksOf(link); status != 200 || !slices.Equal(all, flat) {
		t.Fatalf("%d %s", status, text)
	}
	// The same size and time: nobody reads the file again.
	path := filepath.Join(o.dir, "loud.wav")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	change := func(at time.Time) {
		t.Helper()
		silent := slices.Concat(wave[:44], make([]byte, len(wave)-44))
		if err := os.WriteFile(path, silent, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	change(info.ModTime())
	if _, all, text := o.peaksOf(link); !slices.Equal(all, flat) {
		t.Errorf("they are not kept: %s", text)
	}
	change(info.ModTime().Add(time.Second))
	if _, all, text := o.peaksOf(link); !slices.Equal(all, make([]int, 600)) {
		t.Errorf("of another file: %s", text)
	}
}

// TestPeaksOfConverted: what is no PCM is converted for it, where that can be done.
func TestPeaksOfConverted(t *testing.T) {
	o := newOffice(t)
	o.converting(convert.Off, nil)
	link := o.recorded("1.1", "in-101.gsm", gsm())
	if status, _, text := o.peaksOf(link); status != 501 || !strings.Contains(text, "no-converter") {
		t.Errorf("without a converter: %d %s", status, text)
	}
	program := fake.FFmpeg(t, fake.Copy)
	fake.Result(t, program, o.audio("pcm"))
	o.converting(program, nil)
	if status, all, text := o.peaksOf(link); status != 200 || len(all) != 600 || all[0] != 7 {
		t.Errorf("%d %s", status, text)
	}
}

// TestNoPeaks: a link that does not work gives no peaks either.
func TestNoPeaks(t *testing.T) {
	o := newOffice(t)
	link := o.recorded("1.1", "loud.wav", o.audio("x"))
	o.recorded("1.2", "none.wav", []byte("no audio"))
	for name, row := range map[string]struct {
		link   string
		status int
		kind   string
	}{
		"forged":           {strings.Replace(link, "signature=", "signature=00", 1), 403, "link-invalid"},
		"of another call":  {strings.Replace(link, "1.1", "1.2", 1), 403, "link-invalid"},
		"another question": {link + "&size=9", 422, "bad-request"},
	} {
		if status, _, text := o.peaksOf(row.link); status != row.status || !strings.Contains(text, row.kind) {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if err := os.Remove(filepath.Join(o.dir, "loud.wav")); err != nil {
		t.Fatal(err)
	}
	if status, _, text := o.peaksOf(link); status != 410 {
		t.Errorf("the file is gone: %d %s", status, text)
	}
}
