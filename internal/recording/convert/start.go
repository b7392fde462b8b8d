package convert

import (
	"context"
	"log/slog"

	"github.com/voipd/voipd/internal/recording"
)

// Settings of a Transcoder, as the configuration has them.
type Settings struct {
	Converter string                 // as for [Find]
	Dir       func() (string, error) // gives the folder of what was converted
	Keep      int64                  // bytes that are kept there
}

// Forget is [Forget] in the folder of these settings. A folder that there cannot be
// is an error.
func (s Settings) Forget(path string) error {
	dir, err := s.Dir()
	if err == nil {
		_, err = Forget(dir, path)
	}
	return err
}

// Start makes a Transcoder. Where it cannot work, recordings are served as they
// are: the log says why.
func Start(ctx context.Context, set Settings, library *recording.Library, log *slog.Logger) *Transcoder {
	find := func() []Program {
		programs, err := Find(ctx, set.Converter)
		if err != nil && ctx.Err() == nil {
			log.Error("a converter of recordings does not work (recordings.converter)", "error", err)
		}
		for _, p := range programs {
			log.Info("recordings that browsers do not play are converted", "by", p.Path, "into", p.Writes)
		}
		return programs
	}
	dir, err := set.Dir()
	if err == nil {
		var t *Transcoder
		if t, err = New(Options{Programs: find, Library: library, Dir: dir, Keep: set.Keep, Log: log}); err == nil {
			return t
		}
	}
	log.Error("recordings are served as they are: the cache of converted ones does not work (recordings.cache)", "error", err)
	return Idle()
}
