package sim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

const (
	sampleRate     = 8000 // Hz, telephone quality, as Asterisk's own recordings
	bytesPerSecond = 2 * sampleRate
	headerSize     = 44 // of a WAV file; one that long has no sound
)

// every is how often a growing recording is written to, in the PBX's time.
const every = 200 * time.Millisecond

// record writes one recording of a play as Asterisk does: the file is there when MixMonitor begins, grows while the
// call talks, and is whole when its channel hangs up. When that life of Asterisk's ends, it stays as it is.
func (p *PBX) record(c *Capture, r recording, rewrite *strings.Replacer, begin time.Time, life <-chan struct{}) error {
	from, to := begin.Add(r.from), begin.Add(r.to)
	if !p.until(from, life) {
		return nil
	}
	name := c.file(r, rewrite)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return fmt.Errorf("make directory: %w", err)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // the last write's error counts
	whole := r.bytes
	if whole == nil {
		whole = r.made()
	}
	written := 0
	for at := from; ; at = at.Add(every) {
		last := !at.Before(to)
		if last {
			at = to
		}
		if !p.until(at, life) {
			return nil
		}
		upTo := r.grown(len(whole), to.Sub(at))
		if _, err := f.Write(whole[written:max(upTo, written)]); err != nil {
			return err
		}
		written = max(upTo, written)
		if last {
			return f.Close()
		}
	}
}

// grown is how much of the file is there when the recording has this long to go: the header from the beginning, the
// sound in its last seconds.
func (r recording) grown(size int, toGo time.Duration) int {
	if size <= headerSize || toGo <= 0 {
		return size
	}
	part := 1 - toGo.Seconds()/max(r.seconds, 0.001)
	n := headerSize + int(max(part, 0)*float64(size-headerSize))
	return n - n%2 // whole samples
}

// made is a file of the recording's length: in GSM of silence, else a WAV file of tones.
func (r recording) made() []byte {
	if path.Ext(r.base) != ".gsm" {
		return tones(r)
	}
	if !r.audible {
		return nil
	}
	const framesPerSecond = 50
	frame := append([]byte{0xd8, 0x20, 0xa2, 0xe1, 0x5a}, bytes.Repeat([]byte{0x50, 0x00, 0x49, 0x24, 0x92, 0x49, 0x24}, 4)...)
	return bytes.Repeat(frame, int(r.seconds*framesPerSecond))
}

// tones makes a WAV file of the recording's length: two voices by turns, a second each.
func tones(r recording) []byte {
	samples := 0
	if r.audible {
		samples = int(r.seconds * sampleRate)
	}
	b := make([]byte, 0, headerSize+2*samples)
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(headerSize-8+2*samples))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1) // PCM
	b = binary.LittleEndian.AppendUint16(b, 1) // one channel
	b = binary.LittleEndian.AppendUint32(b, sampleRate)
	b = binary.LittleEndian.AppendUint32(b, bytesPerSecond)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*samples))
	for i := range samples {
		t := float64(i) / sampleRate
		pitch := 330.0
		if int(t)%2 == 1 {
			pitch = 494
		}
		// Rises and falls within each second, so that it sounds like somebody and does not click.
		loud := math.Sin(math.Pi * (t - math.Floor(t)))
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(6000*loud*math.Sin(2*math.Pi*pitch*t))))
	}
	return b
}
