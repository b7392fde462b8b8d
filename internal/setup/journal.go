package setup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"
)

// entry is one thing that init changes, with all that taking it back needs. It
// stands in the journal before it is done.
type entry struct {
	File   string      `json:"file,omitempty"`
	Folder bool        `json:"folder,omitempty"` // it was made
	New    bool        `json:"new,omitempty"`    // the file was not there
	Before []byte      `json:"before,omitempty"`
	Mode   fs.FileMode `json:"mode,omitempty"` // before
	UID    int         `json:"uid,omitempty"`  // before
	GID    int         `json:"gid,omitempty"`
	After  string      `json:"after,omitempty"` // SHA-256 of the file as init leaves it
	Block  string      `json:"block,omitempty"` // what was put behind the rest of the file

	Undo  []string `json:"undo,omitempty"` // a command that takes a step back
	Stdin string   `json:"stdin,omitempty"`
}

// journal is the list of what init changed on a machine. While a run is under
// way its list is "pending"; when all is done it becomes "done" by one rename.
type journal struct {
	o Options
}

func (j journal) pending() string { return path.Join(journalDir, "pending.json") }
func (j journal) done() string    { return path.Join(journalDir, "done.json") }

// load reads a list; none is an empty one.
func (j journal) load(name string) ([]entry, error) {
	text, err := os.ReadFile(j.o.at(name))
	if absent(err) {
		return nil, nil
	}
	var all []entry
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of what init wrote, %s: %w", name, err)
	}
	return all, nil
}

// register puts a run's list on the disk before anything of it is done.
func (j journal) register(entries []entry) error {
	text, err := json.MarshalIndent(entries, "", " ")
	if err == nil {
		err = os.MkdirAll(j.o.at(journalDir), 0o700)
	}
	if err == nil {
		err = j.o.replace(j.pending(), text, 0o600, os.Geteuid(), os.Getegid())
	}
	if err != nil {
		return fmt.Errorf("note what is going to be written: %w", err)
	}
	return nil
}

// finish ends a run: what was pending joins what was done.
func (j journal) finish() error {
	had, err := j.load(j.done())
	if err != nil {
		return err
	}
	added, err := j.load(j.pending())
	if err != nil {
		return err
	}
	if len(had) > 0 {
		if err := j.register(slices.Concat(had, added)); err != nil {
			return err
		}
	}
	if err := os.Rename(j.o.at(j.pending()), j.o.at(j.done())); err != nil {
		return fmt.Errorf("finish the list of what was written: %w", err)
	}
	return syncFolder(j.o.at(journalDir))
}

// Edited says that a file was changed since init wrote it.
type Edited struct {
	File  string
	Block string // what init had put there; empty: the whole file is its own
}

func (e *Edited) Error() string {
	if e.Block == "" {
		return fmt.Sprintf("%s was edited since voipd init wrote it, and is left as it is; if nothing in it is needed: rm %s", e.File, e.File)
	}
	return fmt.Sprintf("%s was edited since voipd init wrote to it, and is left as it is; take these lines out yourself, then run voipd init --undo again:\n%s", e.File, masked(e.Block))
}

// revert takes entries back, the last first. What cannot be taken back is given
// with the reasons; everything else is.
func (j journal) revert(ctx context.Context, all []entry) (left []entry, err error) {
	var errs []error
	for _, e := range slices.Backward(all) {
		if err := j.revertOne(ctx, e); err != nil {
			errs = append(errs, err)
			left = append([]entry{e}, left...)
		}
	}
	return left, errors.Join(errs...)
}

func (j journal) revertOne(ctx context.Context, e entry) error {
	switch {
	case len(e.Undo) > 0:
		if _, err := j.o.Run(ctx, e.Stdin, e.Undo[0], e.Undo[1:]...); err != nil {
			return fmt.Errorf("take back: %w", err)
		}
		return nil
	case e.Folder:
		err := os.Remove(j.o.at(e.File))
		if err == nil || absent(err) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
			return nil // with something of somebody else's in it, it stays
		}
		return fmt.Errorf("take back: %w", err)
	}
	_ = os.Remove(j.o.at(draftOf(e.File))) // of a run that was cut
	now, err := os.ReadFile(j.o.at(e.File))
	switch {
	case absent(err):
		return nil // it was taken away since, or never came
	case err != nil:
		return fmt.Errorf("take back: %w", err)
	case !e.New && bytes.Equal(now, e.Before):
		return j.o.give(e.File, e.Mode, e.UID, e.GID)
	case e.Block != "" && !bytes.Contains(now, []byte(blockBegin)):
		return nil // it was taken out by hand, or by the PBX
	case sum(now) != e.After:
		return &Edited{e.File, e.Block}
	case e.New:
		return wrap("take back", os.Remove(j.o.at(e.File)))
	}
	return wrap("take back", j.o.replace(e.File, e.Before, e.Mode, e.UID, e.GID))
}

// repair takes back what a run that was cut had begun.
func (j journal) repair(ctx context.Context) (cut bool, err error) {
	added, err := j.load(j.pending())
	if err != nil || len(added) == 0 {
		return false, err
	}
	had, err := j.load(j.done())
	if err != nil {
		return false, err
	}
	// A run that was cut between joining the lists and the rename has both.
	if len(had) > 0 && len(added) > len(had) && slices.EqualFunc(had, added[:len(had)], entry.same) {
		return false, wrap("finish the list of what was written", os.Rename(j.o.at(j.pending()), j.o.at(j.done())))
	}
	if _, err := j.revert(ctx, added); err != nil {
		return true, fmt.Errorf("a run of voipd init was cut, and cannot be taken back whole: %w", err)
	}
	return true, wrap("forget the run that was cut", os.Remove(j.o.at(j.pending())))
}

func (e entry) same(o entry) bool {
	return e.File == o.File && e.After == o.After && slices.Equal(e.Undo, o.Undo) && bytes.Equal(e.Before, o.Before)
}

// forget drops the list but for what is left of it.
func (j journal) forget(left []entry) error {
	if len(left) > 0 {
		text, err := json.MarshalIndent(left, "", " ")
		if err != nil {
			return fmt.Errorf("keep the list of what is left: %w", err)
		}
		return wrap("keep the list of what is left", j.o.replace(j.done(), text, 0o600, os.Geteuid(), os.Getegid()))
	}
	if err := os.Remove(j.o.at(j.done())); err != nil && !absent(err) {
		return fmt.Errorf("drop the list of what was written: %w", err)
	}
	_ = os.Remove(j.o.at(journalDir)) // not while something is in it
	return nil
}

// draftOf is the name under which a file is written before it gets its own. The
// dot keeps it out of Asterisk's includes with wildcards.
func draftOf(file string) string {
	return path.Join(path.Dir(file), "."+path.Base(file)+".voipd-init")
}

// replace writes a file whole, or not at all. A symbolic link stays one.
func (o Options) replace(file string, text []byte, mode fs.FileMode, uid, gid int) error {
	target := o.at(file)
	if real, err := filepath.EvalSymlinks(target); err == nil {
		target = real
	}
	draft := filepath.Join(filepath.Dir(o.at(file)), filepath.Base(draftOf(file)))
	if filepath.Dir(target) != filepath.Dir(draft) {
		draft = filepath.Join(filepath.Dir(target), filepath.Base(draft))
	}
	f, err := os.OpenFile(draft, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = own(f, mode, uid, gid)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(draft, target)
	}
	if err != nil {
		return errors.Join(err, os.Remove(draft))
	}
	return syncFolder(filepath.Dir(target))
}

// own gives an open file its owner and mode, the owner first: changing it
// clears bits of the mode.
func own(f *os.File, mode fs.FileMode, uid, gid int) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && (int(s.Uid) != uid || int(s.Gid) != gid) {
		if err := f.Chown(uid, gid); err != nil {
			return err
		}
	}
	return f.Chmod(mode)
}

// give gives a file its owner and mode back.
func (o Options) give(file string, mode fs.FileMode, uid, gid int) error {
	f, err := os.Open(o.at(file))
	if err != nil {
		return fmt.Errorf("take back: %w", err)
	}
	return wrap("take back", errors.Join(own(f, mode, uid, gid), f.Close()))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func sum(text []byte) string {
	s := sha256.Sum256(text)
	return hex.EncodeToString(s[:])
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
