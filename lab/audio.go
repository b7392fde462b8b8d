//go:build lab

package lab

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"time"
)

// Bytes a second of the formats that Asterisk records in.
const (
	wavRate   = 16000 // 8000 samples of 16 bits
	gsmRate   = 1650  // 50 frames of 33 bytes
	wav49Rate = 1625  // 25 blocks of 65 bytes
)

// Header bytes before the sound.
const (
	wavHeader   = 44
	wav49Header = 60
)

// AudioLength tells what kind of recording the bytes are (wav, wav49, gsm) and
// how long it lasts.
func AudioLength(b []byte) (kind string, d time.Duration, err error) {
	seconds := func(bytes, rate int) time.Duration {
		return time.Duration(float64(max(0, bytes)) / float64(rate) * float64(time.Second))
	}
	switch {
	case len(b) >= wavHeader && string(b[:4]) == "RIFF" && string(b[8:12]) == "WAVE":
		switch tag := binary.LittleEndian.Uint16(b[20:]); tag {
		case 1:
			return "wav", seconds(len(b)-wavHeader, wavRate), nil
		case 49:
			return "wav49", seconds(len(b)-wav49Header, wav49Rate), nil
		default:
			return "", 0, fmt.Errorf("WAV with format tag %d", tag)
		}
	case len(b) == 0 || b[0]>>4 == 0xD: // the mark of each GSM frame
		return "gsm", seconds(len(b), gsmRate), nil
	default:
		return "", 0, fmt.Errorf("no audio: begins with %q", b[:min(len(b), 16)])
	}
}

// Audible tells whether there is sound in a recording: for linear WAV by its
// loudness, for the compressed ones by there being any block at all.
func Audible(name string, b []byte) bool {
	if !strings.HasSuffix(name, ".wav") {
		return len(b) > wav49Header
	}
	if len(b) <= wavHeader {
		return false
	}
	var sum float64
	samples := b[wavHeader:]
	for i := 0; i+1 < len(samples); i += 2 {
		s := float64(int16(binary.LittleEndian.Uint16(samples[i:])))
		sum += s * s
	}
	return math.Sqrt(sum/float64(len(samples)/2)) > 100
}

// alawTone makes raw A-law sound: a sine of the given frequency.
func alawTone(hz float64, d time.Duration) []byte {
	const rate = 8000
	b := make([]byte, int(d.Seconds()*rate))
	for i := range b {
		b[i] = alaw(int16(6000 * math.Sin(2*math.Pi*hz*float64(i)/rate)))
	}
	return b
}

// alaw encodes one sample by ITU-T G.711.
func alaw(s int16) byte {
	sign := byte(0x80)
	v := int(s)
	if v < 0 {
		sign, v = 0, -v-1
	}
	v >>= 3 // 13 bits
	exponent := 0
	for v > 0x1F && exponent < 7 {
		v >>= 1
		exponent++
	}
	var code byte
	if exponent == 0 {
		code = byte(v >> 1)
	} else {
		code = byte(exponent<<4) | byte(v&0x0F)
	}
	return (code | sign) ^ 0x55
}
