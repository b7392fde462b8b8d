package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/record"
)

// retryAfter is how many seconds later a conversion that had no place is worth
// asking for again.
const retryAfter = "5"

// sound is what a link gives.
type sound struct {
	io.ReadSeeker
	kind  string // content type
	name  string // for a download
	tag   string // of the content
	close func()
}

// source opens a recording. The error is a problem.
func (s *server) source(ctx context.Context, rec record.Recording) (convert.Source, error) {
	f, err := s.opt.Library.Open(rec.Path)
	if err != nil {
		return convert.Source{}, s.unavailable(ctx, err, rec)
	}
	audio, err := recording.Examine(f.Name, f, f.Info.Size())
	if err != nil {
		f.Close()
		return convert.Source{}, s.unavailable(ctx, err, rec)
	}
	return convert.Source{Path: rec.Path, File: f, Audio: audio}, nil
}

// sound gives a recording in the format that the request asks for. Where it
// asks for none, that is the recording as it is unless it can be turned into
// what browsers play.
func (s *server) sound(r *http.Request, src convert.Source, id string) (sound, error) {
	info := src.File.Info
	original := sound{src.File, src.Audio.Type, path.Base(src.File.Name), fmt.Sprintf("%s-%x-%x", id, info.Size(), info.ModTime().UnixNano()), func() {}}
	asked := r.URL.Query().Get("format")
	to, err := convert.Wanted(asked, src.Audio)
	if err != nil || to == convert.Original {
		return original, err
	}
	made, err := s.opt.Transcoder.Open(r.Context(), src, to)
	switch {
	case err == nil:
		name := strings.TrimSuffix(original.name, path.Ext(original.name)) + "." + string(to)
		return sound{made, to.Type(), name, id + "-" + made.Tag, func() { s.closed(made) }}, nil
	case asked == "" && errors.Is(err, convert.ErrNoConverter):
		return original, nil
	case asked == "" && !errors.Is(err, convert.ErrBusy) && !errors.Is(err, recording.ErrGone) && r.Context().Err() == nil:
		s.opt.Log.Warn("a recording that browsers do not play is served as it is", "path", src.Path, "error", err)
		return original, nil
	}
	return sound{}, err
}

func (s *server) closed(made *convert.Sound) {
	if err := made.Close(); err != nil {
		s.opt.Log.Warn("after serving a converted recording", "error", err)
	}
}

// available tells whether a recording can be had in a format, without
// converting it. The error is a problem.
func (s *server) available(ctx context.Context, rec record.Recording, asked string) error {
	src, err := s.source(ctx, rec)
	if err != nil {
		return err
	}
	defer src.File.Close()
	to, err := convert.Wanted(asked, src.Audio)
	if err == nil && to != convert.Original && !s.opt.Transcoder.Can(src.Audio.Coding, to) {
		err = convert.ErrNoConverter
	}
	if err != nil {
		return s.inconvertible(ctx, err, rec)
	}
	return nil
}

// noSound answers where a recording cannot be had in the format asked for.
func (s *server) noSound(w http.ResponseWriter, r *http.Request, err error, rec record.Recording) {
	if r.Context().Err() != nil {
		return // the client is gone; there is nobody to tell
	}
	if errors.Is(err, convert.ErrBusy) {
		w.Header().Set("Retry-After", retryAfter)
	}
	writeProblem(w, s.inconvertible(r.Context(), err, rec))
}

// inconvertible says why a recording cannot be had in a format.
func (s *server) inconvertible(ctx context.Context, err error, rec record.Recording) error {
	switch {
	case errors.Is(err, convert.ErrFormat):
		return problem(http.StatusBadRequest, "unknown-format", "Unknown format", fmt.Sprintf("format is one of %v.", convert.Formats()))
	case errors.Is(err, convert.ErrNoConverter):
		return problem(http.StatusNotImplemented, "no-converter", "Format not available",
			"No installed program makes that of this recording. On the machine of voipd: apt-get install ffmpeg, then restart voipd. format=original gives the file as it is.")
	case errors.Is(err, convert.ErrBusy):
		return problem(http.StatusServiceUnavailable, "converter-busy", "Too many conversions", "Other recordings are being converted. Ask again in some seconds.")
	case errors.Is(err, convert.ErrTooMuch):
		return problem(http.StatusUnprocessableEntity, "conversion-too-long", "Recording too long", "The recording is too long to be converted. format=original gives the file as it is.")
	case errors.Is(err, convert.ErrNoRoom):
		s.opt.Log.Warn("a recording cannot be converted", "path", rec.Path, "error", err)
		return problem(http.StatusInsufficientStorage, "conversion-no-room", "Disk nearly full", "The disk of voipd is nearly full, so nothing is converted. format=original gives the file as it is.")
	case errors.Is(err, convert.ErrFailed):
		s.opt.Log.Warn("a recording cannot be converted", "path", rec.Path, "error", err)
		return problem(http.StatusUnprocessableEntity, "conversion-failed", "Recording cannot be converted",
			"The converter made no sound of the recording; voipd's log says why. format=original gives the file as it is.")
	}
	return s.unavailable(ctx, err, rec)
}
