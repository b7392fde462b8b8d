package recording_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/voipd/voipd/internal/recording"
)

// wave is a WAV with these samples, and a chunk before them that nobody asked for.
func wave(tag, channels, bits uint16, samples any) []byte {
	var sound, b bytes.Buffer
	put := func(to *bytes.Buffer, all ...any) {
		for _, v := range all {
			_ = binary.Write(to, binary.LittleEndian, v) // to memory
		}
	}
	put(&sound, samples)
	b.WriteString("RIFF....WAVELIST\x03\x00\x00\x00abc\x00fmt ")
	put(&b, uint32(16), tag, channels, uint32(8000), uint32(8000*uint32(channels*bits/8)), channels*bits/8, bits)
	b.WriteString("data")
	put(&b, uint32(sound.Len()))
	b.Write(sound.Bytes())
	return b.Bytes()
}

func TestPeaks(t *testing.T) {
	const full, half = math.MaxInt16, math.MaxInt16 / 2
	whole := wave(1, 1, 16, []int16{0, full, half, 0})
	for name, row := range map[string]struct {
		file []byte
		n    int
		want []uint8
	}{
		"sixteen bits":            {whole, 2, []uint8{255, 127}},
		"the loudest is negative": {wave(1, 1, 16, []int16{math.MinInt16, 0}), 1, []uint8{255}},
		"two channels":            {wave(1, 2, 16, []int16{0, full, half, 0}), 2, []uint8{255, 127}},
		"eight bits":              {wave(1, 1, 8, []uint8{128, 255, 64, 128}), 2, []uint8{253, 127}},
		"24 bits":                 {wave(1, 1, 24, []uint8{0, 0, 0, 0, 0, 0x40}), 2, []uint8{0, 127}},
		"floating point":          {wave(3, 1, 32, []float32{0.5, 2, float32(math.NaN()), 0}), 2, []uint8{255, 0}},
		"fewer samples":           {whole, 600, []uint8{0, 255, 127, 0}},
		"parts that differ":       {wave(1, 1, 16, []int16{0, full, half}), 2, []uint8{0, 255}},
		"silence":                 {wave(1, 1, 16, []int16{0, 0}), 1, []uint8{0}},
		"no sound":                {wave(1, 1, 16, []int16{}), 5, []uint8{}},
		"cut off":                 {whole[:len(whole)-4], 2, []uint8{0, 255}},
	} {
		got, err := recording.Peaks(t.Context(), bytes.NewReader(row.file), row.n)
		if err != nil || !slices.Equal(got, row.want) {
			t.Errorf("%s: %v (%v), want %v", name, got, err, row.want)
		}
	}
	for name, file := range map[string][]byte{"µ-law": wave(7, 1, 8, []uint8{1}), "nothing": nil, "no samples": whole[:40], "no channels": wave(1, 0, 16, []int16{1}), "twelve bits": wave(1, 1, 12, []int16{1})} {
		if got, err := recording.Peaks(t.Context(), bytes.NewReader(file), 5); !errors.Is(err, recording.ErrNotAudio) {
			t.Errorf("%s: %v (%v)", name, got, err)
		}
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := recording.Peaks(over, bytes.NewReader(whole), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits any more: %v", err)
	}
}

func FuzzPeaks(f *testing.F) {
	f.Add(wave(1, 2, 16, []int16{1, 2, 3, 4}))
	f.Add(wave(3, 1, 32, []float32{1}))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := recording.Peaks(t.Context(), bytes.NewReader(file), 100)
		if err == nil && len(got) > 100 {
			t.Errorf("%d peaks", len(got))
		}
	})
}

func BenchmarkPeaks(b *testing.B) {
	hour := wave(1, 1, 16, make([]int16, 3600*8000))
	b.SetBytes(int64(len(hour)))
	for b.Loop() {
		if _, err := recording.Peaks(b.Context(), bytes.NewReader(hour), 600); err != nil {
			b.Fatal(err)
		}
	}
}
