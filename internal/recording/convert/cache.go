package convert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// unusedFor is how long a result is kept that nobody asks for. A recording that
// something else than voipd has deleted can be asked for no more, so what was
// made of it goes in that time.
const unusedFor = 24 * time.Hour

// A result's name is a hash of the PBX's name of the recording, by which it is
// found when that is erased, and one of everything that the result depends on.
// part is behind the name of a file that is being made.

// nameOf is the name of a recording's result.
func nameOf(path, tag string, to Format) string { return stem(path) + "-" + tag + "." + string(to) }

// stem begins the names of everything that was made of a recording.
func stem(path string) string { return hash(path) }

// part ends the name of a file that is being made, for os.CreateTemp.
const part = ".*.part"

// ours are the names that are written here: nothing else is ever deleted.
func ours() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9a-f]{32}-[0-9a-f]{32}\.(?:wav|mp3|opus)(?:\.[0-9]+\.part)?$`)
}

// hash is half a SHA-256 of the parts, each with its length before it.
func hash(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Forget deletes everything in the folder dir that was made of the recording
// that the PBX calls path, and tells how many files that were. It works beside
// a voipd that runs, also in another process: delete the recording first, as a
// conversion that goes on meanwhile keeps its result only where the recording
// is still there.
func Forget(dir, path string) (int, error) {
	all, err := list(dir)
	n, prefix := 0, stem(path)+"-"
	for _, e := range all {
		if !strings.HasPrefix(e.name, prefix) {
			continue
		}
		if gone := remove(dir, e.name); gone != nil {
			err = errors.Join(err, gone)
			continue
		}
		n++
	}
	return n, err
}

// entry is a file in the cache.
type entry struct {
	name string
	size int64
	used time.Time
}

// list gives the files of the cache, the one that was used longest ago first. A
// folder that is not there is empty.
func list(dir string) ([]entry, error) {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list converted recordings: %w", err)
	}
	var all []entry
	name := ours()
	for _, f := range files {
		if !name.MatchString(f.Name()) {
			continue
		}
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // erased meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list converted recordings: %w", err)
		}
		all = append(all, entry{f.Name(), info.Size(), info.ModTime()})
	}
	slices.SortFunc(all, func(a, b entry) int { return a.used.Compare(b.used) })
	return all, nil
}

// remove deletes a file of the cache; that it is gone already is no error.
func remove(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete a converted recording: %w", err)
	}
	return nil
}

// clearParts deletes what a voipd that was killed had not finished.
func clearParts(dir string) error {
	all, err := list(dir)
	for _, e := range all {
		if strings.HasSuffix(e.name, ".part") {
			err = errors.Join(err, remove(dir, e.name))
		}
	}
	return err
}

// Sweep deletes what nobody has asked for in a day, and the longest unused of
// what is more than may be kept.
func (t *Transcoder) Sweep() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opt.Dir == "" {
		return nil
	}
	_, err := t.shrink(0)
	return err
}

// shrink makes room for so many bytes and tells whether there is enough. What
// is being read stays, so that what is deleted is free at once. t.mu is held.
func (t *Transcoder) shrink(room int64) (bool, error) {
	all, err := list(t.opt.Dir)
	if err != nil {
		return false, err
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return strings.HasSuffix(e.name, ".part") }) // bounded by Most
	left := room
	for _, e := range all {
		left += e.size
	}
	if room > t.opt.Keep {
		return false, nil // nothing is thrown away for what has no room anyway
	}
	for _, e := range all {
		old := t.opt.Now().Sub(e.used) > unusedFor
		if t.reading[e.name] > 0 || left <= t.opt.Keep && !old {
			continue
		}
		if err := remove(t.opt.Dir, e.name); err != nil {
			return false, err
		}
		left -= e.size
	}
	return left <= t.opt.Keep, nil
}
