package convert_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
)

// desk is a Transcoder over a folder of recordings.
type desk struct {
	*convert.Transcoder
	t        *testing.T
	library  *recording.Library
	monitor  string
	cache    string
	programs []convert.Program
	now      time.Time
}

// newDesk makes one that converts by a program, or by what Find gives for Auto;
// change may change the options.
func newDesk(t *testing.T, program string, change func(*convert.Options)) *desk {
	t.Helper()
	d := &desk{t: t, monitor: t.TempDir(), cache: filepath.Join(t.TempDir(), "converted"), now: time.Unix(1_795_366_192, 0)}
	var err error
	if d.programs, err = convert.Find(t.Context(), program); err != nil {
		t.Fatal(err)
	}
	d.library = recording.New([]recording.Directory{{Path: d.monitor}})
	opt := convert.Options{Programs: func() []convert.Program { return d.programs }, Library: d.library, Dir: d.cache, Keep: 1 << 20, Queue: time.Minute,
		Now: func() time.Time { return d.now }}
	if change != nil {
		change(&opt)
	}
	if d.Transcoder, err = convert.New(opt); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// recording writes a recording and gives the PBX's name of it.
func (d *desk) recording(name string, data []byte) string {
	d.t.Helper()
	path := filepath.Join(d.monitor, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		d.t.Fatal(err)
	}
	return path
}

// source opens a recording as the API does.
func (d *desk) source(path string) convert.Source {
	d.t.Helper()
	f, err := d.library.Open(path)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { f.Close() })
	a, err := recording.Examine(f.Name, f, f.Info.Size())
	if err != nil {
		d.t.Fatal(err)
	}
	return convert.Source{Path: path, File: f, Audio: a}
}

// converted converts and gives all of the result, and its tag.
func (d *desk) converted(path string, to convert.Format) ([]byte, string, error) {
	d.t.Helper()
	s, err := d.Open(d.t.Context(), d.source(path), to)
	if err != nil {
		return nil, "", err
	}
	data, err := io.ReadAll(s)
	return data, s.Tag, errors.Join(err, s.Close())
}

// files are the names in the cache.
func (d *desk) files() []string {
	d.t.Helper()
	names, err := filepath.Glob(filepath.Join(d.cache, "*"))
	if err != nil {
		d.t.Fatal(err)
	}
	return names
}

// tone is a second of 440 Hz in 16 bit.
func tone(rate int) []byte {
	var b []byte
	for i := range rate {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(12000*math.Sin(2*math.Pi*440*float64(i)/float64(rate)))))
	}
	return b
}

// riff puts sound into a WAV file with this format tag; said is the length in
// the header.
func riff(tag, bits uint32, rate int, sound []byte, said int) []byte {
	var b bytes.Buffer
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+said))
	b.WriteString("WAVEfmt ")
	binary.Write(&b, binary.LittleEndian, []uint32{16, 1<<16 | tag, uint32(rate), uint32(rate) * bits / 8, bits<<16 | bits/8})
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(said))
	b.Write(sound)
	return b.Bytes()
}

// encoded is a second of the tone as ffmpeg or sox makes it; empty where
// neither that is installed can.
func encoded(t *testing.T, ffmpegArgs, soxArgs []string) []byte {
	t.Helper()
	for _, c := range []struct {
		name string
		args []string
	}{{"ffmpeg", slices.Concat([]string{"-loglevel", "error", "-f", "s16le", "-ar", "8000", "-i", "pipe:0"}, ffmpegArgs, []string{"pipe:1"})},
		{"sox", slices.Concat(strings.Fields("-V1 -t raw -e signed -b 16 -r 8000 -c 1 -"), soxArgs, []string{"-"})}} {
		path, err := exec.LookPath(c.name)
		if err != nil || c.name == "sox" && soxArgs == nil {
			continue
		}
		cmd := exec.Command(path, c.args...)
		cmd.Stdin = bytes.NewReader(tone(8000))
		data, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v", cmd.Args, err)
		}
		return data
	}
	return nil
}

// sample is a recording to convert.
type sample struct {
	name   string
	data   []byte
	length time.Duration
	pitch  float64 // Hz; 0: no tone
}

func samples(t *testing.T) []sample {
	t.Helper()
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	ulaw := encoded(t, []string{"-f", "mulaw"}, []string{"-t", "ul"})
	alaw := encoded(t, []string{"-f", "alaw"}, []string{"-t", "al"})
	frames := bytes.Repeat([]byte{0x5a, 0xc3, 0x17, 0x88, 0xe1, 0x3c, 0x99, 0x42, 0x7b, 0xd0}, 100)
	return []sample{
		{"call.gsm", file("call.gsm"), 3060 * time.Millisecond, 0}, // of a real Asterisk, as the next
		{"call.WAV", file("call.WAV"), 3 * time.Second, 0},
		{"cut.WAV", bytes.Replace(file("call.WAV"), []byte("data\x0b\x13"), []byte("data\x00\x00"), 1), 3 * time.Second, 0}, // as Asterisk leaves it when it is killed
		{"tone.ulaw", ulaw, time.Second, 440}, {"tone.alaw", alaw, time.Second, 440},
		{"ulaw.wav", riff(7, 8, 8000, ulaw, 8000), time.Second, 440}, {"alaw.wav", riff(6, 8, 8000, alaw, 8000), time.Second, 440},
		{"tone.g722", file("tone.g722"), time.Second / 2, 440},
		{"noise.g729", frames, time.Second, 0},
		{"tone.sln", tone(8000), time.Second, 440}, {"tone.sln16", tone(16000), time.Second, 440}, {"tone.sln48", tone(48000), time.Second, 440},
		{"pcm.wav", riff(1, 16, 8000, tone(8000), 16000), time.Second, 440},
		{"tone.flac", encoded(t, []string{"-f", "flac"}, []string{"-t", "flac"}), time.Second, 440},
		{"tone.mp3", encoded(t, []string{"-ar", "16000", "-f", "mp3"}, []string{"-r", "16000", "-t", "mp3"}), 0, 440}, // through a pipe, it does not say its length
		{"vorbis.ogg", encoded(t, []string{"-c:a", "libvorbis", "-f", "ogg"}, []string{"-t", "vorbis"}), time.Second, 440},
		{"opus.ogg", encoded(t, []string{"-c:a", "libopus", "-f", "ogg"}, nil), time.Second, 440},
	}
}

// decoded are the samples of a converted file, at 8 kHz, and by how much their
// length may be wrong.
func decoded(t *testing.T, data []byte, format convert.Format) ([]int16, time.Duration) {
	t.Helper()
	within := 50 * time.Millisecond
	types := map[convert.Format]string{convert.WAV: "wav", convert.MP3: "mp3", convert.Opus: "ogg"}
	cmd := exec.Command("ffmpeg", "-loglevel", "error", "-f", types[format], "-i", "pipe:0", "-ar", "8000", "-ac", "1", "-f", "s16le", "pipe:1")
	if cmd.Err != nil { // sox makes no Opus, so it need not read it; it leaves in what encoders of MP3 add at both ends
		if format == convert.MP3 {
			within *= 3
		}
		cmd = exec.Command("sox", "-V1", "-t", types[format], "-", "-t", "raw", "-e", "signed", "-b", "16", "-r", "8000", "-c", "1", "-")
	}
	cmd.Stdin = bytes.NewReader(data)
	raw, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd.Args, err)
	}
	out := make([]int16, len(raw)/2)
	for i := range out {
		out[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return out, within
}

// heard tells how loud the samples are on the whole, of 32767, and the pitch in
// Hz of what is not silence.
func heard(samples []int16) (loud, pitch float64) {
	var sum float64
	var rises []int // where the tone goes up again
	below := false
	for i, s := range samples {
		sum += float64(s) * float64(s)
		if s < -2000 {
			below = true
		} else if s > 2000 && below {
			rises, below = append(rises, i), false
		}
	}
	if n := len(rises); n > 1 {
		pitch = float64(n-1) * 8000 / float64(rises[n-1]-rises[0])
	}
	return math.Sqrt(sum / float64(len(samples))), pitch
}

// TestRealConverters: each recording, by each installed program that can, into
// each format: it has the length, the loudness and the pitch of the recording.
func TestRealConverters(t *testing.T) {
	all := samples(t)
	for _, name := range []string{"ffmpeg", "sox"} {
		t.Run(name, func(t *testing.T) {
			path, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("%s is not installed (apt-get install ffmpeg sox libsox-fmt-all)", name)
			}
			d := newDesk(t, path, nil)
			for _, s := range all {
				for _, to := range []convert.Format{convert.WAV, convert.MP3, convert.Opus} {
					t.Run(s.name+" to "+string(to), func(t *testing.T) { d.sounds(t, s, to) })
				}
			}
		})
	}
}

func (d *desk) sounds(t *testing.T, s sample, to convert.Format) {
	if len(s.data) == 0 {
		t.Skip("no installed program makes such a recording")
	}
	path := d.recording(s.name, s.data)
	if src := d.source(path); !d.Can(src.Audio.Coding, to) {
		t.Skipf("%s does not convert %s to %s", d.programs[0].Path, src.Audio.Coding, to)
	}
	data, _, err := d.converted(path, to)
	if err != nil {
		t.Fatal(err)
	}
	a, err := recording.Examine("x."+string(to), bytes.NewReader(data), int64(len(data)))
	if err != nil || !a.Plays || !a.Whole {
		t.Errorf("browsers do not play it: %+v (%v)", a, err)
	}
	sound, within := decoded(t, data, to)
	length := time.Duration(len(sound)) * time.Second / 8000
	if s.length != 0 && (length-s.length).Abs() > within {
		t.Errorf("it is %s long, want %s", length, s.length)
	}
	if to == convert.WAV && s.length != 0 && (a.Length-s.length).Abs() > 50*time.Millisecond {
		t.Errorf("it says it is %s long, want %s", a.Length, s.length)
	}
	loud, pitch := heard(sound)
	if loud < 50 || s.pitch > 0 && (loud < 2000 || math.Abs(pitch-s.pitch) > 5) {
		t.Errorf("it sounds wrong: loudness %.0f, pitch %.0f Hz, want %.0f Hz", loud, pitch, s.pitch)
	}
}

// TestWanted: what stays as it is and what is converted, by what is asked.
func TestWanted(t *testing.T) {
	gsm, pcm := recording.Audio{Coding: recording.GSM}, recording.Audio{Coding: recording.WAV, Plays: true}
	wav49 := recording.Audio{Coding: recording.WAV}
	mp3, opus := recording.Audio{Coding: recording.MP3, Plays: true}, recording.Audio{Coding: recording.Opus, Plays: true}
	for _, c := range []struct {
		asked string
		audio recording.Audio
		want  convert.Format
	}{
		{"", gsm, convert.WAV}, {"", pcm, convert.Original}, {"", wav49, convert.WAV}, {"", mp3, convert.Original},
		{"original", gsm, convert.Original}, {"wav", gsm, convert.WAV}, {"wav", wav49, convert.WAV}, {"wav", pcm, convert.Original},
		{"mp3", mp3, convert.Original}, {"mp3", pcm, convert.MP3}, {"opus", opus, convert.Original}, {"opus", gsm, convert.Opus},
		{"mp3", recording.Audio{Coding: recording.GSM, Empty: true}, convert.Original},
		{"flac", gsm, ""}, {"gsm", gsm, ""}, {"MP3", gsm, ""}, {"wav;rm", gsm, ""},
	} {
		got, err := convert.Wanted(c.asked, c.audio)
		if got != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, convert.ErrFormat) {
			t.Errorf("%q of %+v: got %q (%v), want %q", c.asked, c.audio, got, err, c.want)
		}
	}
}

// TestFind: what cannot be used is told, and what is not there is not.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	if all, err := convert.Find(t.Context(), convert.Auto); len(all) != 0 || err != nil {
		t.Errorf("nothing is installed: %v, %v", all, err)
	}
	for name, text := range map[string]string{"ffmpeg": "#!/bin/sh\nexit 1\n", "sox": "#!/bin/sh\necho AUDIO FILE FORMATS: al gsm wav\n", "lame": "#!/bin/sh\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	all, err := convert.Find(t.Context(), convert.Auto)
	if err == nil || len(all) != 1 || all[0].Path != dir+"/sox" || !slices.Equal(all[0].Writes, []convert.Format{convert.WAV}) ||
		!slices.Equal(all[0].Reads, []recording.Coding{recording.WAV, recording.GSM, recording.ALaw}) {
		t.Errorf("a bad ffmpeg and a small sox: %+v, %v", all, err)
	}
	for _, setting := range []string{dir + "/ffmpeg", dir + "/lame", dir + "/none/ffmpeg"} {
		if all, err := convert.Find(t.Context(), setting); err == nil {
			t.Errorf("%s: %+v", setting, all)
		}
	}
	if all, err := convert.Find(context.Background(), convert.Off); len(all) != 0 || err != nil {
		t.Errorf("off: %v, %v", all, err)
	}
}
