// Package convert turns recordings that browsers cannot play (GSM, µ-law,
// A-law, G.722 …) into what they can, by ffmpeg or sox where one is installed,
// and keeps the results for a while in a folder of bounded size.
//
// A result is a whole file, so that it is served as any other: with ranges, a
// length and a validator. Nothing of a recording outlives it here: see Forget.
package convert

import (
	"errors"
	"slices"

	"github.com/voipd/voipd/internal/recording"
)

// Format is what a listener may ask for.
type Format string

// The formats. Original is the file as it is; Opus comes in an Ogg.
const (
	Original Format = "original"
	WAV      Format = "wav" // PCM, 16 bit, at the rate of the recording
	MP3      Format = "mp3" // 16 kHz, variable bit rate
	Opus     Format = "opus"
)

// Formats lists them all, in the order in which they are told.
func Formats() []Format { return []Format{Original, WAV, MP3, Opus} }

// Type is the content type of a converted file.
func (f Format) Type() string {
	switch f {
	case WAV:
		return "audio/wav"
	case MP3:
		return "audio/mpeg"
	case Opus:
		return "audio/ogg; codecs=opus"
	}
	return "application/octet-stream"
}

// Why a recording is not converted. Each has its own answer in the API.
var (
	// ErrFormat: no such format.
	ErrFormat = errors.New("no such format")
	// ErrNoConverter: no program is there that reads the one and writes the other.
	ErrNoConverter = errors.New("no installed program converts that")
	// ErrBusy: too many conversions go on. Asking again in some seconds helps.
	ErrBusy = errors.New("too many conversions go on")
	// ErrFailed: the program did not make sound of it.
	ErrFailed = errors.New("the conversion failed")
	// ErrTooMuch: the conversion would take longer, or more space, than is allowed.
	ErrTooMuch = errors.New("the recording is too long to be converted")
	// ErrNoRoom: the conversion would take the disk's last space, which the
	// database may need.
	ErrNoRoom = errors.New("the disk of converted recordings is nearly full")
)

// Wanted decides in what format a recording is served. asked is what the
// listener said; empty: what browsers play, which is the original where they
// play that. What is in the right format already stays as it is, and so does a
// file without sound. The error is ErrFormat.
func Wanted(asked string, a recording.Audio) (Format, error) {
	to := Format(asked)
	switch {
	case asked == "":
		to = WAV
		if a.Plays {
			to = Original
		}
	case !slices.Contains(Formats(), to):
		return "", ErrFormat
	}
	if a.Empty || a.Plays && a.Coding == recording.Coding(to) {
		return Original, nil
	}
	return to, nil
}
