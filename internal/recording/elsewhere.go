package recording

import (
	"errors"
	"path"
	"slices"
	"strings"
)

// A recording seldom stays as the PBX made it: a script converts it to MP3 at
// night, or moves it into an archive. It is found again by its name, which has
// the channel's id in it: with another extension, and in each configured folder
// at the same place, at the top, or in the folder of the day in its name. What
// is called otherwise afterwards cannot be told to be the same.

// elsewhere are the names under which a recording may be found that is not at
// name any more, the likeliest first, name itself not among them.
func (l *Library) elsewhere(name string) []string {
	var paths []string
	for _, d := range l.dirs {
		if rel, ok := below(d.AsteriskPath, name); ok {
			paths = append(paths, rel)
		}
	}
	base := path.Base(name)
	if day := dayIn(base); day != "" {
		paths = append(paths, path.Join(day, base))
	}
	paths = append(paths, base)
	var names []string
	for _, rel := range paths {
		bare := strings.TrimSuffix(rel, path.Ext(rel))
		for _, ext := range append([]string{path.Ext(rel)}, extensions()...) {
			for _, d := range l.dirs {
				names = append(names, path.Join(d.AsteriskPath, bare+ext))
			}
		}
	}
	seen := map[string]bool{name: true}
	return slices.DeleteFunc(names, func(n string) bool {
		again := seen[n]
		seen[n] = true
		return again
	})
}

// extensions are what scripts convert recordings to.
func extensions() []string {
	return []string{".mp3", ".wav", ".WAV", ".ogg", ".opus", ".gsm", ".flac"}
}

// dayIn is the folder of the day that a file's name states as
// "…-20261122-192235-…"; empty where it states none.
func dayIn(base string) string {
	at, ok := stampIn(base)
	if !ok {
		return ""
	}
	return at.Format("2006/01/02")
}

// found opens the first of the names that is there.
func (l *Library) found(names []string) (File, bool) {
	for _, name := range names {
		f, err := l.at(name)
		if err == nil {
			return f, true
		}
		if !errors.Is(err, ErrGone) {
			continue // something is there that may not be served
		}
	}
	return File{}, false
}
