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
	Coding Coding        // how the sound is coded
	Rate   int           // samples a second where the format has no header and several rates; else 0
	Plays  bool          // every browser plays it
	Length time.Duration // of the sound; 0 where it cannot be told without decoding
	Empty  bool          // a header, or nothing, without sound
	Whole  bool          // the header agrees with the size; false while a WAV is being written
}

// Coding names what a file is for whoever has to decode it: a container that
// says itself what is in it, or a format without a header.
type Coding string

// The codings that Examine tells apart.
const (
	WAV    Coding = "wav"
	MP3    Coding = "mp3"
	FLAC   Coding = "flac"
	Vorbis Coding = "vorbis" // in Ogg
	Opus   Coding = "opus"   // in Ogg
	Ogg    Coding = "ogg"    // with something else in it, such as Speex
	GSM    Coding = "gsm"    // without a header, as all that follow
	ULaw   Coding = "ulaw"
	ALaw   Coding = "alaw"
	G722   Coding = "g722"
	G729   Coding = "g729"
	SLN    Coding = "sln" // 16 bit, little endian
)

// raw is a format without a header.
type raw struct {
	kind   string // content type
	rate   int64  // bytes per second
	coding Coding
}

// rawFormats are formats without a header, by Asterisk's file names.
func rawFormats() map[string]raw {
	formats := map[string]raw{
		".gsm": {"audio/x-gsm", 1650, GSM}, ".ulaw": {"audio/basic", 8000, ULaw}, ".ul": {"audio/basic", 8000, ULaw}, ".pcm": {"audio/basic", 8000, ULaw},
		".mu": {"audio/basic", 8000, ULaw}, ".alaw": {"audio/x-alaw-basic", 8000, ALaw}, ".al": {"audio/x-alaw-basic", 8000, ALaw}, ".alw": {"audio/x-alaw-basic", 8000, ALaw},
		".g722": {"audio/g722", 8000, G722}, ".g729": {"audio/g729", 1000, G729},
		".sln": {"audio/l16; rate=8000", 16000, SLN}, ".raw": {"audio/l16; rate=8000", 16000, SLN},
	}
	for _, kilohertz := range []int64{12, 16, 24, 32, 44, 48, 96, 192} { // Asterisk's slinear formats
		rate := kilohertz * 1000
		if kilohertz == 44 {
			rate = 44100
		}
		formats[fmt.Sprintf(".sln%d", kilohertz)] = raw{fmt.Sprintf("audio/l16; rate=%d", rate), 2 * rate, SLN}
	}
	return formats
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
		return Audio{Type: "audio/flac", Coding: FLAC, Plays: true, Whole: true}, nil
	case bytes.HasPrefix(head, []byte("OggS")):
		coding, plays := inOgg(head)
		return Audio{Type: "audio/ogg", Coding: coding, Plays: plays, Whole: true}, nil
	case bytes.HasPrefix(head, []byte("ID3")), len(head) > 1 && head[0] == 0xFF && head[1]&0xE6 == 0xE2:
		return Audio{Type: "audio/mpeg", Coding: MP3, Plays: true, Whole: true}, nil
	}
	ext := strings.ToLower(path.Ext(name))
	if size == 0 && (ext == ".wav" || ext == ".wav49" || ext == ".mp3" || ext == ".ogg") {
		return Audio{Type: "audio/wav", Coding: WAV, Plays: true, Empty: true, Whole: true}, nil
	}
	format, ok := rawFormats()[ext]
	if !ok || ext == ".gsm" && n > 0 && head[0]>>4 != 0xD { // every GSM frame begins with 1101
		return Audio{}, fmt.Errorf("examine recording: %w", ErrNotAudio)
	}
	a := Audio{Type: format.kind, Coding: format.coding, Length: seconds(size, format.rate), Empty: size == 0, Whole: true}
	if a.Coding == SLN {
		a.Rate = int(format.rate / 2)
	}
	return a, nil
}

// inOgg tells what is in an Ogg file by its first packet, and whether browsers
// play it.
func inOgg(head []byte) (Coding, bool) {
	const packet = 28 // behind the header of a page of one segment
	first := head[min(packet, len(head)):]
	switch {
	case bytes.HasPrefix(first, []byte("OpusHead")):
		return Opus, true
	case bytes.HasPrefix(first, []byte("\x01vorbis")):
		return Vorbis, true
	}
	return Ogg, false
}

// examineWAV walks the chunks up to the data. WAV49 (GSM in WAV) has the same
// shape with 1625 bytes a second.
func examineWAV(head []byte, size int64) Audio {
	a := Audio{Type: "audio/wav", Coding: WAV, Plays: true}
	var rate int64
	for at := int64(12); at+8 <= int64(len(head)); {
		id, n := string(head[at:at+4]), int64(binary.LittleEndian.Uint32(head[at+4:]))
		body := at + 8
		switch {
		case id == "fmt " && body+12 <= int64(len(head)):
			rate = int64(binary.LittleEndian.Uint32(head[body+8:]))
			a.Plays = playsInWAV(head[body:min(body+n, int64(len(head)))])
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

// playsInWAV tells from a WAV's fmt chunk whether browsers play what is in it:
// PCM and floating point, plain or in the extensible form. Some play A-law and
// µ-law as well; not all do, so that they do not count.
func playsInWAV(chunk []byte) bool {
	const pcm, float, extensible, subformat = 1, 3, 0xFFFE, 24
	if len(chunk) < 2 {
		return true // there is nothing better to make of it
	}
	tag := binary.LittleEndian.Uint16(chunk)
	if tag == extensible && len(chunk) >= subformat+2 {
		tag = binary.LittleEndian.Uint16(chunk[subformat:])
	}
	return tag == pcm || tag == float
}

func seconds(n, rate int64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}
