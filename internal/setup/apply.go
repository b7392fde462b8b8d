package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
)

// Result is what a run of init did.
type Result struct {
	Done    []string `json:"done"`    // what was written and run, in order
	Checked []string `json:"checked"` // what was seen to work
	Advice  []string `json:"advice"`  // what is left to the admin
	Address string   `json:"api"`
	Token   string   `json:"token,omitempty"` // of the API, shown once
}

// ErrCutShort is wrapped where an earlier run is taken back first: the plan has
// to be made anew.
var ErrCutShort = errors.New("an earlier run was cut")

// Repair takes back what a run that was cut had begun. It tells whether there
// was one.
func Repair(ctx context.Context, o Options) (bool, error) {
	return journal{o.with()}.repair(ctx)
}

// Apply carries a plan out. Where something fails before the PBX has let voipd
// in, all of it is taken back, and the error says what failed.
func Apply(ctx context.Context, o Options, p *Plan) (*Result, error) {
	o = o.with()
	r := &Result{Advice: p.Advice, Address: p.Address}
	if p.CutShort {
		return nil, fmt.Errorf("%w: make the plan anew", ErrCutShort)
	}
	if len(p.Refused) > 0 {
		return nil, errors.New(p.Refused[0])
	}
	j := journal{o}
	entries, err := p.entries(o)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		if err := j.register(entries); err != nil {
			return nil, err
		}
	}
	err = r.files(ctx, o, p)
	if err == nil {
		err = r.check(ctx, o, p)
	}
	if err != nil {
		return nil, takeBack(j, o, p, entries, err)
	}
	if len(entries) > 0 {
		if err := j.finish(); err != nil {
			return nil, err
		}
	}
	r.Token = p.token
	return r, r.run(ctx, o, p, afterCheck)
}

// files does what comes before the check.
func (r *Result) files(ctx context.Context, o Options, p *Plan) error {
	if err := r.run(ctx, o, p, beforeFiles); err != nil {
		return err
	}
	for _, c := range p.Changes {
		if err := c.apply(o); err != nil {
			return fmt.Errorf("write %s: %w", c.File, err)
		}
		r.Done = append(r.Done, "wrote "+c.File)
	}
	return r.run(ctx, o, p, afterFiles)
}

// check logs in and looks whether events come, unless nothing was to do.
func (r *Result) check(ctx context.Context, o Options, p *Plan) error {
	if o.ARI || p.ari {
		if err := checkARI(ctx, p.access); err != nil {
			return err
		}
		r.Checked = append(r.Checked, "ARI lets "+p.access.username+" in")
		r.Advice = append(r.Advice, "voipd doctor says during a call whether ARI tells enough.")
		return nil
	}
	seen, err := CheckAMI(ctx, o, p)
	if err != nil {
		return err
	}
	r.Checked = append(r.Checked, seen.Works...)
	r.Advice = append(r.Advice, seen.Lacks...)
	return nil
}

// takeBack undoes a run that failed; the files are as they were.
func takeBack(j journal, o Options, p *Plan, entries []entry, why error) error {
	if len(entries) == 0 {
		return why
	}
	ctx := context.WithoutCancel(context.Background()) // also after Ctrl-C
	if _, err := j.revert(ctx, entries); err != nil {
		return fmt.Errorf("%w\nand what was done cannot be taken back whole: %w", why, err)
	}
	if err := os.Remove(o.at(j.pending())); err != nil {
		return errors.Join(why, err)
	}
	reload(ctx, o, p.Changes)
	return fmt.Errorf("%w; what was written was taken back", why)
}

// reload has Asterisk read its files again after something was taken back; a
// PBX that does not run will anyway.
func reload(ctx context.Context, o Options, changes []Change) {
	for _, c := range changes {
		if path.Ext(c.File) == ".conf" {
			_, _ = o.Run(ctx, "", "asterisk", "-rx", "manager reload")
			return
		}
	}
}

// run carries out the steps of a stage.
func (r *Result) run(ctx context.Context, o Options, p *Plan, when stage) error {
	for _, s := range p.Steps {
		if s.when != when {
			continue
		}
		if _, err := o.Run(ctx, s.stdin, s.Command[0], s.Command[1:]...); err != nil {
			return fmt.Errorf("%s: %w", s.Why, err)
		}
		r.Done = append(r.Done, s.Why)
	}
	return nil
}

// entries are the journal's lines of a plan.
func (p *Plan) entries(o Options) ([]entry, error) {
	var all []entry
	for _, s := range p.Steps {
		if len(s.undo) > 0 && s.when == beforeFiles {
			all = append(all, entry{Undo: s.undo, Stdin: s.undoStdin})
		}
	}
	for _, c := range p.Changes {
		e, err := c.entry(o)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	for _, s := range p.Steps {
		if len(s.undo) > 0 && s.when != beforeFiles {
			all = append(all, entry{Undo: s.undo, Stdin: s.undoStdin})
		}
	}
	return all, nil
}

// entry is the journal's line of a change.
func (c Change) entry(o Options) (entry, error) {
	e := entry{File: c.File, Folder: c.Folder, New: !c.Append}
	if c.Folder {
		return e, nil
	}
	if c.Append {
		info, err := os.Stat(o.at(c.File))
		if err != nil {
			return e, fmt.Errorf("look at %s: %w", c.File, err)
		}
		if e.Before, err = os.ReadFile(o.at(c.File)); err != nil {
			return e, fmt.Errorf("look at %s: %w", c.File, err)
		}
		e.Mode, e.Block = info.Mode().Perm(), c.text
		e.UID, e.GID = owner(info)
	} else if o.has(c.File) {
		return e, fmt.Errorf("%s is there meanwhile: make the plan anew", c.File)
	}
	e.After = sum(append(slices.Clone(e.Before), c.text...))
	return e, nil
}

// apply writes the change.
func (c Change) apply(o Options) error {
	if c.Folder {
		if err := os.MkdirAll(o.at(c.File), c.Mode); err != nil {
			return err
		}
		return o.give(c.File, c.Mode, c.uid, c.gid)
	}
	text := []byte(c.text)
	if c.Append {
		had, err := os.ReadFile(o.at(c.File))
		if err != nil {
			return err
		}
		text = append(had, text...)
	}
	return o.replace(c.File, text, c.Mode, c.uid, c.gid)
}

// Undo takes back all that init did on a machine, but for files that were
// edited since: the error names them and says how, and the rest is done.
func Undo(ctx context.Context, o Options) (done []string, err error) {
	o = o.with()
	j := journal{o}
	if _, err := j.repair(ctx); err != nil {
		return nil, err
	}
	all, err := j.load(j.done())
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, nil
	}
	left, reverted := j.revert(ctx, all)
	for _, e := range slices.Backward(all) {
		switch {
		case slices.ContainsFunc(left, e.same):
		case len(e.Undo) > 0 && e.Stdin != "":
			done = append(done, "removed the database user voipd")
		case len(e.Undo) > 0:
			done = append(done, "stopped voipd")
		case e.New || e.Folder:
			done = append(done, "removed "+e.File)
		default:
			done = append(done, "took voipd's lines out of "+e.File)
		}
	}
	if err := j.forget(left); err != nil {
		return done, errors.Join(reverted, err)
	}
	var files []Change
	for _, e := range all {
		files = append(files, Change{File: e.File})
	}
	reload(ctx, o, files)
	return done, reverted
}
