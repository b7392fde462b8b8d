package recording

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/voipd/voipd/record"
)

// CEL and CDR do not know every recording: one that app_queue, a phone, AMI or
// ARI starts has no CEL row, and CDR has a bare name, if any. But in FreePBX,
// Issabel and most dialplans a recording's name holds the id of a channel of the
// call, and it lies in the folder of the day, YYYY/MM/DD, or of its hour below
// that (MikoPBX), or directly below the monitor folder. There it is looked for: name.go says which name fits.

// Call is a call whose recordings are looked for on the disk.
type Call struct {
	Record *record.Record // is given what is found
	IDs    []string       // of the call's channels
}

const (
	// atOnce is how many names of a folder are in memory at a time.
	atOnce = 1024
	// mostNamed bounds the files of one call; what is beyond is left, and the
	// error says so.
	mostNamed = 64
	// mostDays bounds the folders of days that are looked into for one call;
	// one that lasts longer is looked for in the first of its days alone.
	mostDays = 8
	// shortestID is how long an id has to be to be looked for: a shorter one is
	// in too many names by chance. Asterisk's have a dozen characters and more.
	shortestID = 8
	// mostErrors is how many of what went wrong one error tells of.
	mostErrors = 5
	// longestName is how long, in bytes, a file's name can be.
	longestName = 255
)

// Find adds to the records of calls, in part told by CEL or CDR, the recordings
// with sound that are on the disk under a name with the id of one of their
// channels, or of a call that went into them. A file that the record has
// already, be it converted or moved, is no other recording; where the record
// names a place at which it is not, as CDR does, it now names where it is.
//
// Each folder is listed once for all of the calls, and only names that fit are
// kept: a folder with a million files costs each Find a second or two, and no
// memory. Folders and files that cannot be read are told by the error; what
// was found elsewhere is added all the same.
func (l *Library) Find(ctx context.Context, calls []Call) error {
	s := &search{library: l, wanted: map[string][]int{}, named: make([][]string, len(calls))}
	days := map[string]bool{".": true}
	for i, c := range calls {
		s.want(i, c)
		for _, day := range daysOf(&c.Record.Details) {
			days[day] = true
		}
	}
	if len(s.wanted) == 0 {
		return nil
	}
	var all []error
	for _, d := range l.dirs {
		for _, day := range slices.Sorted(maps.Keys(days)) {
			if err := s.list(ctx, d, day); err != nil && !errors.Is(err, ErrGone) {
				all = append(all, fmt.Errorf("look for recordings in %s: %w", path.Join(d.Path, day), err))
			}
			if ctx.Err() != nil {
				return some(all)
			}
		}
	}
	for i, c := range calls {
		if len(s.named[i]) > mostNamed {
			all = append(all, fmt.Errorf("look for recordings: more than %d files are named after the call %s: the rest is left", mostNamed, c.Record.CallID))
			s.named[i] = s.named[i][:mostNamed]
		}
		if err := l.add(c.Record, s.named[i]); err != nil {
			all = append(all, err)
		}
	}
	return some(all)
}

// some is what went wrong, the first few of it.
func some(all []error) error {
	if n := len(all) - mostErrors; n > 0 {
		all = append(all[:mostErrors:mostErrors], fmt.Errorf("look for recordings: %d more like these", n))
	}
	return errors.Join(all...)
}

// daysOf are the folders of the days of a call, and of the days before and
// behind it: what the PBX's clock calls a day may begin up to fourteen hours
// from ours.
func daysOf(d *record.Details) []string {
	var days []string
	end := d.EndedAt.UTC().AddDate(0, 0, 1)
	for day := d.StartedAt.UTC().AddDate(0, 0, -1).Truncate(24 * time.Hour); !day.After(end) && len(days) < mostDays; day = day.AddDate(0, 0, 1) {
		days = append(days, day.Format("2006/01/02"))
	}
	return days
}

// search is one look for the recordings of some calls.
type search struct {
	library *Library
	wanted  map[string][]int      // the calls that have something to do with an id
	long    [longestName + 1]bool // whether an id of such a length is wanted
	named   [][]string            // for each call the files that fit, as the PBX names them
}

func (s *search) want(i int, c Call) {
	for _, id := range slices.Concat([]string{c.Record.CallID}, c.Record.Details.Absorbed, c.IDs) {
		if len(id) < shortestID || len(id) > longestName {
			continue
		}
		s.long[len(id)] = true
		if !slices.Contains(s.wanted[id], i) {
			s.wanted[id] = append(s.wanted[id], i)
		}
	}
}

// list looks through the folder of a day, and those of its hours, which MikoPBX
// has.
func (s *search) list(ctx context.Context, d Directory, day string) error {
	hours, err := s.listOne(ctx, d, day)
	for _, hour := range hours {
		if _, failed := s.listOne(ctx, d, hour); failed != nil && !errors.Is(failed, ErrGone) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

// listOne looks through one folder, and gives those of hours in it.
func (s *search) listOne(ctx context.Context, d Directory, day string) (hours []string, err error) {
	folder, err := openFolder(d.Path, day)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(atOnce)
		for _, name := range names {
			if day != "." && len(name) == 2 && strings.Trim(name, "0123456789") == "" && name < "24" {
				hours = append(hours, path.Join(day, name))
			}
			for _, i := range s.wanted[idIn(name, s.has)] {
				if len(s.named[i]) <= mostNamed {
					s.named[i] = append(s.named[i], path.Join(d.AsteriskPath, day, name))
				}
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return hours, nil
		case err != nil:
			return hours, fmt.Errorf("list folder: %w", err)
		case ctx.Err() != nil:
			return hours, ctx.Err()
		}
	}
}

// has tells whether an id is wanted. Most of what is asked for has a length that
// no id has, which is seen sooner.
func (s *search) has(id string) bool {
	return len(id) <= longestName && s.long[len(id)] && s.wanted[id] != nil
}

// openFolder opens a folder below dir, refusing symbolic links on the way.
func openFolder(dir, rel string) (*os.File, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, missing("open recordings folder", err)
	}
	defer root.Close()
	if rel != "." {
		if err := noLinks(root, rel); err != nil {
			return nil, err
		}
	}
	f, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, missing("open recordings folder", err)
	}
	return f, nil
}

// add adds what the files hold to a record. Those of one stem are one recording.
func (l *Library) add(r *record.Record, names []string) error {
	byStem := map[string][]string{}
	for _, name := range names {
		stem := record.Stem(name)
		byStem[stem] = append(byStem[stem], name)
	}
	var all []error
	for _, stem := range slices.Sorted(maps.Keys(byStem)) {
		known := slices.IndexFunc(r.Details.Recordings, func(rec record.Recording) bool { return rec.Stem() == stem })
		if known >= 0 && l.there(r.Details.Recordings[known].Path) {
			continue
		}
		rec, ok, err := l.first(&r.Details, byStem[stem])
		switch {
		case err != nil:
			all = append(all, err)
		case !ok:
		case known >= 0: // who told of it knows when it began
			had := &r.Details.Recordings[known]
			had.ID, had.Path, had.Found = rec.ID, rec.Path, true
		default:
			r.Details.Recordings = append(r.Details.Recordings, rec)
		}
	}
	slices.SortStableFunc(r.Details.Recordings, func(a, b record.Recording) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return errors.Join(all...)
}

func (l *Library) there(name string) bool {
	f, err := l.Open(name)
	if err != nil {
		return false
	}
	f.Close()
	return true
}

// first is the recording in the likeliest of some files of one stem, if there is
// sound in any: what the PBX wrote before what a script made of it.
func (l *Library) first(d *record.Details, names []string) (rec record.Recording, ok bool, err error) {
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(made(a), made(b)), cmp.Compare(a, b)) })
	for _, name := range names {
		f, err := l.at(name)
		switch {
		case errors.Is(err, ErrGone), errors.Is(err, ErrRefused): // it went, or is no file or no name that may be served
			continue
		case err != nil:
			return rec, false, err
		}
		audio, err := Examine(name, f, f.Info.Size())
		f.Close()
		switch {
		case errors.Is(err, ErrNotAudio):
			continue
		case err != nil:
			return rec, false, err
		case !audio.Empty:
			at, talk := heard(d, name, f.Info.ModTime(), audio.Length)
			return record.Recording{ID: record.RecordingID(name), Path: name, At: at, State: record.Announced, Talk: talk, Found: true}, true, nil
		}
	}
	return rec, false, nil
}

// made is 1 for what seldom comes from Asterisk, but from a script that converts.
func made(name string) int {
	switch path.Ext(name) {
	case ".mp3", ".ogg", ".opus", ".flac":
		return 1
	}
	return 0
}
