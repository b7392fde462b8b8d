// Package recording finds the audio files of calls, tells when they are whole,
// opens them safely, and signs the links under which they are served.
//
// A path comes from the PBX and part of it from a caller (his number is in the
// file's name), so nothing about it is trusted: a file is opened only below a
// configured folder, through os.Root, without following any symbolic link, and
// only if it is audio by its content.
package recording

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"
)

// Directory is a folder that recordings may be served from.
type Directory struct {
	Path         string // where it is for voipd, absolute
	AsteriskPath string // what the PBX calls it, absolute; empty: the same
}

// Why a recording cannot be opened. Each has its own answer in the API.
var (
	ErrGone     = errors.New("the file is not on the disk")
	ErrRefused  = errors.New("the path is not one that may be served")
	ErrNotAudio = errors.New("the file is not audio")
)

// Library opens recordings. Make one with New; it may be used by several
// goroutines at once.
type Library struct{ dirs []Directory }

// New makes a Library of the given folders. They need not exist yet.
func New(dirs []Directory) *Library {
	l := &Library{}
	for _, d := range dirs {
		if d.AsteriskPath == "" {
			d.AsteriskPath = d.Path
		}
		l.dirs = append(l.dirs, d)
	}
	return l
}

// File is an open recording.
type File struct {
	*os.File
	Info fs.FileInfo
	Name string // under which it was found: name, or where a script has put it
}

// Open opens the recording that the PBX calls name, or what a script has made
// of it. A relative name is looked for in every folder, as Asterisk puts it
// below its monitor folder. The error is ErrGone, ErrRefused or another of the
// system's.
func (l *Library) Open(name string) (File, error) {
	f, err := l.at(name)
	if errors.Is(err, ErrGone) {
		if other, ok := l.found(l.elsewhere(name)); ok {
			return other, nil
		}
	}
	return f, err
}

// at opens the recording at that very name.
func (l *Library) at(name string) (File, error) {
	err := fmt.Errorf("open recording: %w", ErrRefused)
	for _, d := range l.dirs {
		rel, ok := below(d.AsteriskPath, name)
		if !ok {
			continue
		}
		var f *os.File
		var info fs.FileInfo
		if f, info, err = open(d.Path, rel); err == nil {
			return File{f, info, name}, nil
		}
		if !errors.Is(err, ErrGone) {
			break
		}
	}
	return File{}, err
}

// below gives name relative to dir, and whether it is a name that may be
// served: clean, printable, no hidden part.
func below(dir, name string) (rel string, ok bool) {
	rel = name
	if path.IsAbs(name) {
		if rel, ok = strings.CutPrefix(name, strings.TrimSuffix(dir, "/")+"/"); !ok {
			return "", false
		}
	}
	if !fs.ValidPath(rel) || rel == "." || !utf8.ValidString(rel) || strings.ContainsRune(rel, '\\') {
		return "", false
	}
	for _, r := range rel {
		if !unicode.IsPrint(r) {
			return "", false
		}
	}
	for part := range strings.SplitSeq(rel, "/") {
		if strings.HasPrefix(part, ".") {
			return "", false
		}
	}
	return rel, true
}

// open opens a regular file below dir, refusing symbolic links on the way.
func open(dir, rel string) (*os.File, fs.FileInfo, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, missing("open recordings folder", err)
	}
	defer root.Close()
	if err := noLinks(root, rel); err != nil {
		return nil, nil, err
	}
	// O_NONBLOCK: opening a pipe that somebody put there must not wait.
	f, err := root.OpenFile(rel, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, nil, missing("open recording", err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrRefused
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("open recording: %w", err)
	}
	return f, info, nil
}

func noLinks(root *os.Root, rel string) error {
	for i := range len(rel) + 1 {
		if i < len(rel) && rel[i] != '/' {
			continue
		}
		info, err := root.Lstat(rel[:i])
		if err != nil {
			return missing("look at recording", err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("look at recording: %q is a symbolic link: %w", rel[:i], ErrRefused)
		}
	}
	return nil
}

func missing(what string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s: %w", what, ErrGone)
	}
	return fmt.Errorf("%s: %w", what, err)
}
