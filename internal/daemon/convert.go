package daemon

import (
	"context"
	"log/slog"

	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/internal/recording/convert"
)

// newTranscoder makes what converts recordings. Where it cannot work, records
// are kept all the same and recordings served as they are: the log says why.
func newTranscoder(ctx context.Context, c config.Config, library *recording.Library, log *slog.Logger) *convert.Transcoder {
	find := func() []convert.Program {
		programs, err := convert.Find(ctx, c.Recordings.Converter)
		if err != nil && ctx.Err() == nil {
			log.Error("a converter of recordings does not work (recordings.converter)", "error", err)
		}
		for _, p := range programs {
			log.Info("recordings that browsers do not play are converted", "by", p.Path, "into", p.Writes)
		}
		return programs
	}
	dir, err := c.CacheDir()
	if err == nil {
		var t *convert.Transcoder
		if t, err = convert.New(convert.Options{Programs: find, Library: library, Dir: dir, Keep: int64(c.Recordings.CacheMiB) << 20, Log: log}); err == nil {
			return t
		}
	}
	log.Error("recordings are served as they are: the cache of converted ones does not work (recordings.cache)", "error", err)
	return convert.Idle()
}

// forgetConverted deletes what was made of recordings that are deleted.
func forgetConverted(c config.Config, path string) error {
	dir, err := c.CacheDir()
	if err == nil {
		_, err = convert.Forget(dir, path)
	}
	return err
}
