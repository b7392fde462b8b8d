package recording

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// pcm is how the samples of a WAV lie.
type pcm struct {
	channels, bits int
	float          bool
	at, size       int64 // of the samples in the file, in bytes
}

// Peaks gives the loudest sample of each of n equal parts of a WAV's sound, of all its
// channels: 0 is silence, 255 the loudest that there can be. Of less than n samples, and
// of none, it gives as many as there are. What is not PCM or floating point is
// ErrNotAudio. It reads the file from its beginning, until ctx ends.
func Peaks(ctx context.Context, f io.ReadSeeker, n int) ([]uint8, error) {
	p, err := pcmOf(f)
	if err != nil {
		return nil, fmt.Errorf("read the peaks of a recording: %w", err)
	}
	frame := int64(p.channels * p.bits / 8)
	frames := p.size / frame
	n = int(min(int64(n), frames))
	if _, err := f.Seek(p.at, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read the peaks of a recording: %w", err)
	}
	out, block := make([]uint8, n), make([]byte, frame*max(1, blockBytes/frame))
	for i := range out {
		loudest := 0
		for left := frame * (frames*int64(i+1)/int64(n) - frames*int64(i)/int64(n)); left > 0; {
			some := block[:min(left, int64(len(block)))]
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if _, err := io.ReadFull(f, some); err != nil {
				return nil, fmt.Errorf("read the peaks of a recording: %w", err)
			}
			loudest = max(loudest, p.loudness(some))
			left -= int64(len(some))
		}
		out[i] = uint8(min(255, loudest*255/math.MaxInt16))
	}
	return out, nil
}

// blockBytes are read at once.
const blockBytes = 128 << 10

// loudness is that of the loudest of some samples, up to 32768.
func (p *pcm) loudness(samples []byte) (loudest int) {
	switch width := p.bits / 8; {
	case p.float:
		for at := 0; at < len(samples); at += width {
			v := math.Abs(float64(math.Float32frombits(binary.LittleEndian.Uint32(samples[at:]))))
			if v > 0 { // and a number
				loudest = max(loudest, int(min(v, 1)*math.MaxInt16))
			}
		}
	case width == 1:
		for _, b := range samples { // eight bits have no sign
			v := (int(b) - 128) << 8
			loudest = max(loudest, v, -v)
		}
	default:
		for at := width - 2; at < len(samples); at += width { // by the two highest bytes
			v := int(int16(binary.LittleEndian.Uint16(samples[at:])))
			loudest = max(loudest, v, -v)
		}
	}
	return loudest
}

// mostChunks are looked at for the samples.
const mostChunks = 64

// pcmOf finds the samples of a WAV.
func pcmOf(f io.ReadSeeker) (p pcm, err error) {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return p, err
	}
	at := int64(12) // behind RIFF, the size and WAVE
	for range mostChunks {
		var head [8]byte
		if err := readAt(f, at, head[:]); err != nil {
			return p, err
		}
		id, n := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		at += 8
		switch {
		case id == "fmt ":
			chunk := make([]byte, min(n, 40))
			if err := readAt(f, at, chunk); err != nil {
				return p, err
			}
			if err := p.format(chunk); err != nil {
				return p, err
			}
		case id == "data" && p.channels > 0:
			p.at, p.size = at, min(n, end-at)
			return p, nil
		}
		at += n + n%2
	}
	return p, ErrNotAudio
}

func (p *pcm) format(chunk []byte) error {
	if len(chunk) < 16 || !playsInWAV(chunk) {
		return ErrNotAudio
	}
	tag := binary.LittleEndian.Uint16(chunk)
	if tag == 0xFFFE && len(chunk) >= 26 { // the extensible form
		tag = binary.LittleEndian.Uint16(chunk[24:])
	}
	p.channels, p.bits, p.float = int(binary.LittleEndian.Uint16(chunk[2:])), int(binary.LittleEndian.Uint16(chunk[14:])), tag == 3
	whole := p.bits == 8 || p.bits == 16 || p.bits == 24 || p.bits == 32
	if p.channels == 0 || p.channels > 32 || !whole || p.float && p.bits != 32 {
		return ErrNotAudio
	}
	return nil
}

// readAt fills b. A file that ends before is not audio.
func readAt(f io.ReadSeeker, at int64, b []byte) error {
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return err
	}
	_, err := io.ReadFull(f, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrNotAudio
	}
	return err
}
