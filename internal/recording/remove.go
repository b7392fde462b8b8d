package recording

import (
	"errors"
	"fmt"
	"os"
)

// mostCopies bounds how many files one recording may have: what was recorded,
// and what scripts made of it.
const mostCopies = 8

// Remove deletes the file of a recording that the PBX calls name, and what a
// script has made of it, and tells how many files that were. Only what Open
// would open is deleted. Where there was none the error is ErrGone.
func (l *Library) Remove(name string) (int, error) {
	for n := range mostCopies {
		f, err := l.Open(name)
		if errors.Is(err, ErrGone) && n > 0 {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		err = l.remove(f)
		f.Close()
		if err != nil {
			return n, fmt.Errorf("delete recording: %w", err)
		}
	}
	return mostCopies, nil
}

// remove deletes the very file that is open.
func (l *Library) remove(f File) error {
	for _, d := range l.dirs {
		rel, ok := below(d.AsteriskPath, f.Name)
		if !ok {
			continue
		}
		root, err := os.OpenRoot(d.Path)
		if err != nil {
			continue // it was found in another
		}
		info, err := root.Lstat(rel)
		if err == nil && os.SameFile(info, f.Info) {
			return errors.Join(root.Remove(rel), root.Close())
		}
		root.Close()
	}
	return ErrRefused // another file has its name by now
}
