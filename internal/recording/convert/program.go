package convert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/recording"
)

// The programs that are understood.
const (
	ffmpeg = "ffmpeg"
	sox    = "sox"
)

// The settings that Find knows beside the path of a program.
const (
	Auto = "auto" // ffmpeg, sox or both, where they are in PATH
	Off  = "off"  // none
)

// probeFor is how long a program may take to say what it can do.
const probeFor = 10 * time.Second

// Program is an installed converter.
type Program struct {
	Path   string
	Writes []Format           // what it can make
	Reads  []recording.Coding // of what
	kind   string             // ffmpeg or sox
	id     string             // tells one version of it from another
}

// Find looks for converters: setting is Auto, Off or the path of an ffmpeg or
// sox, told apart by the name of its file. With Auto, what is not installed is
// no error; the error tells of what is there and does not work, and what works
// is given all the same, the preferred one first.
func Find(ctx context.Context, setting string) ([]Program, error) {
	if setting == Off {
		return nil, nil
	}
	if setting != Auto {
		p, err := examine(ctx, setting)
		if err != nil {
			return nil, err
		}
		return []Program{p}, nil
	}
	var all []Program
	var failed error
	for _, name := range []string{ffmpeg, sox} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue // not installed
		}
		p, err := examine(ctx, path)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		all = append(all, p)
	}
	return all, failed
}

// Kind is the program that a path names: "ffmpeg", "sox" or, where it is
// neither, "".
func Kind(path string) string {
	for _, kind := range []string{ffmpeg, sox} {
		if strings.HasPrefix(filepath.Base(path), kind) {
			return kind
		}
	}
	return ""
}

// examine asks a program what it can do: both are built with and without MP3
// and others.
func examine(ctx context.Context, path string) (Program, error) {
	p := Program{Path: path, kind: Kind(path)}
	info, err := os.Stat(path)
	if err != nil {
		return p, fmt.Errorf("look for the converter: %w", err)
	}
	p.id = fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())
	args := []string{"--help"}
	switch p.kind {
	case ffmpeg:
		args = []string{"-hide_banner", "-loglevel", "error", "-encoders"}
	case "":
		return p, fmt.Errorf("look for the converter: %s is neither ffmpeg nor sox by its name", path)
	}
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.WaitDelay = environment(), time.Second
	said, err := cmd.Output()
	if err != nil {
		return p, fmt.Errorf("ask %s what it can do: %w", path, err)
	}
	words := strings.Fields(string(said))
	if p.kind == ffmpeg {
		p.ffmpegCan(words)
	} else {
		p.soxCan(words)
	}
	return p, nil
}

// ffmpegCan notes what an ffmpeg with these encoders can do. Every build reads
// everything.
func (p *Program) ffmpegCan(encoders []string) {
	p.Reads = []recording.Coding{recording.WAV, recording.MP3, recording.FLAC, recording.Vorbis, recording.Opus, recording.Ogg,
		recording.GSM, recording.ULaw, recording.ALaw, recording.G722, recording.G729, recording.SLN}
	for _, can := range []struct {
		encoder string
		to      Format
	}{{"pcm_s16le", WAV}, {"libmp3lame", MP3}, {"libopus", Opus}} {
		if slices.Contains(encoders, can.encoder) {
			p.Writes = append(p.Writes, can.to)
		}
	}
}

// soxCan notes what a sox with these file formats can do. It knows no G.722 and
// no G.729; Debian's reads no Opus and writes none.
func (p *Program) soxCan(formats []string) {
	for _, can := range []struct {
		format string
		coding recording.Coding
	}{{"wav", recording.WAV}, {"mp3", recording.MP3}, {"flac", recording.FLAC}, {"vorbis", recording.Vorbis},
		{"gsm", recording.GSM}, {"ul", recording.ULaw}, {"al", recording.ALaw}, {"s16", recording.SLN}} {
		if slices.Contains(formats, can.format) {
			p.Reads = append(p.Reads, can.coding)
		}
	}
	for _, to := range []Format{WAV, MP3} {
		if slices.Contains(formats, string(to)) {
			p.Writes = append(p.Writes, to)
		}
	}
}

// can tells whether the program makes the one of the other.
func (p *Program) can(from recording.Coding, to Format) bool {
	return slices.Contains(p.Reads, from) && slices.Contains(p.Writes, to)
}

// environment is all that a converter sees of voipd's: nothing of its secrets.
func environment() []string { return []string{"LC_ALL=C"} }

// args is the command line that reads a recording from standard input and
// writes the file out, an absolute path of this package's own making. No name
// of a recording is in it, and no format is guessed: a file that claims to be a
// list of other files is just bad audio.
func (p *Program) args(a recording.Audio, to Format, out string) []string {
	if p.kind == sox {
		return slices.Concat([]string{"-V1", "-q", "-R", "-D"}, soxInput(a), []string{"-"}, soxOutput(to), []string{out})
	}
	return slices.Concat(
		[]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe"}, ffmpegInput(a), []string{"-i", "pipe:0"},
		[]string{"-map", "0:a:0", "-map_metadata", "-1", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1"}, ffmpegOutput(to),
		[]string{"-protocol_whitelist", "file", "-y", "file:" + out})
}

func ffmpegInput(a recording.Audio) []string {
	switch a.Coding {
	case recording.WAV:
		if !a.Whole { // the header's length is that of a file that was never closed
			return []string{"-ignore_length", "1", "-f", "wav"}
		}
		return []string{"-f", "wav"}
	case recording.Vorbis, recording.Opus:
		return []string{"-f", "ogg"}
	case recording.ULaw:
		return []string{"-f", "mulaw", "-ar", "8000"}
	case recording.ALaw:
		return []string{"-f", "alaw", "-ar", "8000"}
	case recording.SLN:
		return []string{"-f", "s16le", "-ar", strconv.Itoa(a.Rate)}
	}
	return []string{"-f", string(a.Coding)} // it says its rate, or has but one
}

func ffmpegOutput(to Format) []string {
	switch to {
	case MP3: // 16 kHz: MPEG-1 and 2 have no lower rate, and telephones no higher sound
		return []string{"-c:a", "libmp3lame", "-ar", "16000", "-q:a", "5", "-f", "mp3"}
	case Opus: // more effort than 2 costs a busy PBX more time than it wins quality of a telephone's sound
		return []string{"-c:a", "libopus", "-application", "voip", "-b:a", "24k", "-compression_level", "2", "-f", "ogg"}
	}
	return []string{"-c:a", "pcm_s16le", "-f", "wav"}
}

func soxInput(a recording.Audio) []string {
	switch a.Coding {
	case recording.WAV:
		if !a.Whole {
			return []string{"--ignore-length", "-t", "wav"}
		}
		return []string{"-t", "wav"}
	case recording.GSM:
		return []string{"-t", "gsm", "-r", "8000", "-c", "1"}
	case recording.ULaw:
		return []string{"-t", "ul", "-r", "8000", "-c", "1"}
	case recording.ALaw:
		return []string{"-t", "al", "-r", "8000", "-c", "1"}
	case recording.SLN:
		return []string{"-t", "raw", "-e", "signed-integer", "-b", "16", "-L", "-r", strconv.Itoa(a.Rate), "-c", "1"}
	}
	return []string{"-t", string(a.Coding)}
}

func soxOutput(to Format) []string {
	if to == MP3 {
		return []string{"-t", "mp3", "-r", "16000", "-C", "-5.2"} // variable bit rate of quality 5
	}
	return []string{"-t", "wav", "-e", "signed-integer", "-b", "16"}
}
