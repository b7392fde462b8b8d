package recording

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"strings"
	"time"
)

// Audio is what a file's content says of it.
type Audio struct {
	Type   string        // content type
	Length time.Duration // of the sound; 0 where it cannot be told without decoding
	Empty  bool          // a header, or nothing, without sound
	Whole  bool          // the header agrees with the size; false while a WAV is being written
}

// rawFormats are formats without a header, by Asterisk's file names: content
// type and bytes per second.
func rawFormats() map[string]struct {
	kind string
	rate int64
} {
	type raw = struct {
		kind string
		rate int64
	}
	return map[string]raw{
		".gsm": {"audio/x-gsm", 1650}, ".ulaw": {"audio/basic", 8000}, ".ul": {"audio/basic", 8000}, ".pcm": {"audio/basic", 8000},
		".mu": {"audio/basic", 8000}, ".alaw": {"audio/x-alaw-basic", 8000}, ".al": {"audio/x-alaw-basic", 8000},
		".g722": {"audio/g722", 8000}, ".g729": {"audio/g729", 1000},
		".sln": {"audio/l16; rate=8000", 16000}, ".raw": {"audio/l16; rate=8000", 16000}, ".sln16": {"audio/l16; rate=16000", 32000},
	}
}

// Examine reads the beginning of a file and tells what audio it is: by its
// content where the format has a mark, else by its name. ErrNotAudio means that
// it is none.
func Examine(name string, f io.ReaderAt, size int64) (Audio, error) {
	head := make([]byte, 256)
	n, err := f.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return Audio{}, fmt.Errorf("read recording: %w", err)
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) >= 12 && string(head[8:12]) == "WAVE":
		return examineWAV(head, size), nil
	case bytes.HasPrefix(head, []byte("fLaC")):
		return Audio{Type: "audio/flac", Whole: true}, nil
	case bytes.HasPrefix(head, []byte("OggS")):
		return Audio{Type: "audio/ogg", Whole: true}, nil
	case bytes.HasPrefix(head, []byte("ID3")), len(head) > 1 && head[0] == 0xFF && head[1]&0xE6 == 0xE2:
		return Audio{Type: "audio/mpeg", Whole: true}, nil
	}
	ext := strings.ToLower(path.Ext(name))
	if size == 0 && (ext == ".wav" || ext == ".wav49" || ext == ".mp3" || ext == ".ogg") {
		return Audio{Type: "audio/wav", Empty: true, Whole: true}, nil
	}
	raw, ok := rawFormats()[ext]
	if !ok || ext == ".gsm" && n > 0 && head[0]>>4 != 0xD { // every GSM frame begins with 1101
		return Audio{}, fmt.Errorf("examine recording: %w", ErrNotAudio)
	}
	return Audio{Type: raw.kind, Length: seconds(size, raw.rate), Empty: size == 0, Whole: true}, nil
}

// examineWAV walks the chunks up to the data. WAV49 (GSM in WAV) has the same
// shape with 1625 bytes a second.
func examineWAV(head []byte, size int64) Audio {
	a := Audio{Type: "audio/wav"}
	var rate int64
	for at := int64(12); at+8 <= int64(len(head)); {
		id, n := string(head[at:at+4]), int64(binary.LittleEndian.Uint32(head[at+4:]))
		body := at + 8
		switch {
		case id == "fmt " && body+12 <= int64(len(head)):
			rate = int64(binary.LittleEndian.Uint32(head[body+8:]))
		case id == "data":
			sound := max(0, size-body)
			a.Empty = sound == 0
			// Asterisk writes the length when it closes the file, and rounds up.
			a.Whole = n >= sound-1 && n <= sound+1 || a.Empty
			a.Length = seconds(sound, rate)
			return a
		}
		at = body + n + n%2
	}
	a.Empty = size <= 44
	a.Whole = a.Empty
	return a
}

func seconds(n, rate int64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}
