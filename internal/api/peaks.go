package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
	"github.com/voipd/voipd/record"
)

const (
	// peaksOf a recording there are: as many as a player is wide.
	peaksOf = 600
	// peaksKept are those of so many recordings, at some 600 bytes each; beyond, those
	// that nobody has asked for longest are read anew.
	peaksKept = 1000
	// peaksFor is how long they are kept: a recording that was erased leaves nothing.
	peaksFor = time.Hour
	// peakReaders read files at once; others wait.
	peakReaders = 2
)

// peaks remembers the peaks of recordings, by the tags of what their links give.
type peaks struct {
	kept    *lru.Cache[string, keptPeaks]
	reading chan struct{}
}

type keptPeaks struct {
	all  []uint8
	made time.Time
}

func newPeaks() peaks {
	kept, _ := lru.New[string, keptPeaks](peaksKept) // it fails for no room alone
	return peaks{kept, make(chan struct{}, peakReaders)}
}

// known are peaks that are kept and not too old.
func (p *peaks) known(tag string) ([]uint8, bool) {
	k, ok := p.kept.Get(tag)
	return k.all, ok && time.Since(k.made) < peaksFor
}

// of gives the peaks of a recording. open opens its sound as a WAV; it is called where
// they are not kept.
func (p *peaks) of(ctx context.Context, tag string, open func() (io.ReadSeeker, func(), error)) ([]uint8, error) {
	if all, ok := p.known(tag); ok {
		return all, nil
	}
	select {
	case p.reading <- struct{}{}:
		defer func() { <-p.reading }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if all, ok := p.known(tag); ok { // by whom it waited for
		return all, nil
	}
	in, done, err := open()
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := recording.Peaks(ctx, in, peaksOf)
	switch {
	case errors.Is(err, recording.ErrNotAudio): // samples of a width that nobody writes
		err = fmt.Errorf("%w: %w", convert.ErrNoConverter, err)
	case err == nil:
		p.kept.Add(tag, keptPeaks{all, time.Now()})
	}
	return all, err
}

// servePeaks answers with the peaks of a recording, for a waveform.
func (s *server) servePeaks(w http.ResponseWriter, r *http.Request, rec record.Recording) {
	src, err := s.source(r.Context(), rec)
	if err != nil {
		writeProblem(w, err)
		return
	}
	defer src.File.Close()
	info := src.File.Info
	tag := fmt.Sprintf("%s-%x-%x", rec.ID, info.Size(), info.ModTime().UnixNano())
	all, err := s.peaks.of(r.Context(), tag, func() (io.ReadSeeker, func(), error) {
		if src.Audio.Coding == recording.WAV && src.Audio.Plays {
			return src.File, func() {}, nil
		}
		made, err := s.opt.Transcoder.Open(r.Context(), src, convert.WAV)
		if err != nil {
			return nil, nil, err
		}
		return made, func() { s.closed(made) }, nil
	})
	if err != nil {
		s.noSound(w, r, err, rec)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("ETag", `"`+tag+`-peaks"`)
	h.Set("Cache-Control", "private, max-age=3600")
	levels := make([]int, len(all)) // bytes would be base64
	for i, v := range all {
		levels[i] = int(v)
	}
	_ = json.NewEncoder(w).Encode(struct {
		Peaks []int `json:"peaks"`
	}{levels}) // the client may be gone; there is nobody to tell
}
