package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/voipd/voipd/internal/config"
)

// Plan is what init will do on a machine.
type Plan struct {
	Found    *Found   `json:"found,omitempty"` // nil: the PBX is another machine
	Refused  []string `json:"refused"`         // why nothing can be done; each says what to do
	Changes  []Change `json:"changes"`         // files, in order
	Steps    []Step   `json:"steps"`           // commands, in order; between them the files
	Advice   []string `json:"advice"`          // what is left to the admin
	Address  string   `json:"api"`             // of the API
	CutShort bool     `json:"cutShort"`        // an earlier run was cut: it is taken back first

	access access // to the PBX
	token  string // of the API; empty: none is made
	ari    bool   // access is to ARI
}

// access is how voipd logs in.
type access struct {
	address, username, secret string
}

// Change is a file that is made, or put a block behind.
type Change struct {
	File   string      `json:"file"`
	Append bool        `json:"append"` // the text goes behind what is there
	Folder bool        `json:"folder"` // it is a folder
	Shown  string      `json:"text"`   // without secrets
	Why    string      `json:"why"`
	Mode   fs.FileMode `json:"-"`

	text     string
	uid, gid int
}

// Step is a command.
type Step struct {
	Command []string `json:"command"`
	Why     string   `json:"why"`

	stdin     string
	undo      []string // what takes it back; nil: nothing has to be
	undoStdin string
	when      stage
}

// stage says when a step is carried out.
type stage int

const (
	beforeFiles stage = iota
	afterFiles
	afterCheck
)

// Nothing tells whether the machine is set up already.
func (p *Plan) Nothing() bool {
	return len(p.Changes) == 0 && len(p.Refused) == 0 && len(p.Steps) == 0 && !p.CutShort
}

// planner makes a plan step by step.
type planner struct {
	o     Options
	found *Found
	plan  *Plan
	conf  config.Config // as it stands, else the defaults
	have  bool          // there is a configuration
	group int           // of voipd
}

// MakePlan looks at the machine and says what has to be done. It changes
// nothing. What stands in the way is in Plan.Refused; the error says why it
// could not even look.
func MakePlan(ctx context.Context, o Options) (*Plan, error) {
	o = o.with()
	p := &planner{o: o, plan: &Plan{}, conf: config.Default()}
	cut, err := journal{o}.load(journal{o}.pending())
	if err != nil {
		return nil, err
	}
	p.plan.CutShort = len(cut) > 0
	if err := p.configuration(); err != nil {
		return nil, err
	}
	if o.Remote != "" {
		p.remote()
	} else if err := p.local(ctx); err != nil {
		return nil, err
	}
	if len(p.plan.Refused) == 0 {
		if err := p.write(ctx); err != nil {
			return nil, err
		}
	}
	p.plan.Found = p.found
	p.plan.Address = "http://" + p.conf.HTTP.Listen
	return p.plan, nil
}

func (p *planner) refuse(format string, args ...any) {
	p.plan.Refused = append(p.plan.Refused, fmt.Sprintf(format, args...))
}

// configuration reads the one that is there. It is the admin's: init fills what
// it names in around it.
func (p *planner) configuration() error {
	var err error
	if _, p.group, err = p.o.voipd(); err != nil {
		p.refuse("voipd has no user of its own here (%v): install the package, or run make install, then this again", err)
	}
	if !p.o.has(p.o.Config) {
		return nil
	}
	p.have = true
	if p.conf, err = config.Read(p.o.at(p.o.Config)); err != nil {
		var wrong *config.Error
		if !errors.As(err, &wrong) {
			return err
		}
		p.refuse("the configuration has mistakes: mend them, or move it away:\n%v", err)
	}
	return nil
}

// voipd is the user that voipd runs as, and his group.
func (o Options) voipd() (uid, gid int, err error) {
	if uid, _, err = o.ids("/etc/passwd", "voipd"); err != nil {
		return 0, 0, err
	}
	gid, _, err = o.ids("/etc/group", "voipd")
	return uid, gid, err
}

// local plans for a PBX on this machine.
func (p *planner) local(ctx context.Context) error {
	var err error
	if p.found, err = Detect(ctx, p.o); err != nil {
		return err
	}
	f := p.found
	switch {
	case f.PBX == "":
		p.refuse("there is no Asterisk on this machine (no /etc/asterisk/asterisk.conf); where the PBX is another one: voipd init --remote HOST")
		return nil
	case f.Asterisk == "":
		p.refuse("Asterisk does not run, or does not answer: start it (systemctl start asterisk), then run this again")
		return nil
	case tooOld(f.Asterisk):
		p.refuse("the PBX is Asterisk %s: calls cannot be followed by its events; voipd needs Asterisk 12 or newer", f.Asterisk)
		return nil
	}
	if p.have {
		p.o.ARI = p.conf.Asterisk.Interface == config.ARI
	}
	if p.plan.ari = p.o.ARI; p.o.ARI {
		return p.ari()
	}
	return p.manager()
}

// tooOld tells of the versions before 12.
func tooOld(version string) bool {
	var major int
	if _, err := fmt.Sscanf(version, "%d.", &major); err != nil {
		return false // a build of git, a certified one: new enough
	}
	return major < 12
}

// secret is that of the configuration, as far as it can be read; else a new one.
func (p *planner) secret() string {
	a := p.conf.Asterisk
	if a.Secret != "" {
		return a.Secret.Reveal()
	}
	if a.SecretFile != "" {
		if text, err := os.ReadFile(p.o.at(a.SecretFile)); err == nil {
			return strings.TrimRight(string(text), "\r\n")
		}
	}
	if p.o.has(secretFile) {
		if text, err := os.ReadFile(p.o.at(secretFile)); err == nil && len(text) > 0 {
			return strings.TrimRight(string(text), "\r\n")
		}
	}
	return p.o.Random()
}

// secretless tells of a configuration of the admin's that leaves the secret to
// systemd, while there is none that systemd could hand over.
func (p *planner) secretless() bool {
	a := p.conf.Asterisk
	return p.have && a.Secret == "" && a.SecretFile == "" && !p.o.has(secretFile)
}

// add plans a file of its own.
func (p *planner) add(file, text, why string, mode fs.FileMode, uid, gid int) {
	p.folder(path.Dir(file), uid, gid)
	p.plan.Changes = append(p.plan.Changes, Change{File: file, text: text, Shown: masked(text), Why: why, Mode: mode, uid: uid, gid: gid})
}

// folder plans a folder that is not there.
func (p *planner) folder(dir string, uid, gid int) {
	if p.o.has(dir) {
		return
	}
	for _, c := range p.plan.Changes {
		if c.File == dir {
			return
		}
	}
	p.plan.Changes = append(p.plan.Changes, Change{File: dir, Folder: true, Why: "it is not there", Mode: 0o750, uid: uid, gid: gid})
}

// behind plans a block behind what is in a file. Nobody but its owner and group
// may read the secret that comes with it.
func (p *planner) behind(file, text, why string) error {
	info, err := os.Stat(p.o.at(file))
	if err != nil {
		return fmt.Errorf("look at %s: %w", file, err)
	}
	had, err := os.ReadFile(p.o.at(file))
	if err != nil {
		return fmt.Errorf("look at %s: %w", file, err)
	}
	block := "\n" + blockBegin + text + blockEnd
	if len(had) > 0 && had[len(had)-1] != '\n' {
		block = "\n" + block
	}
	earlier, err := journal{p.o}.load(journal{p.o}.done())
	if err != nil {
		return err
	}
	for _, e := range earlier {
		if e.File == file && e.After != sum(had) {
			why += " (the file was edited since voipd init wrote to it; what is there stays)"
			break
		}
	}
	mode := info.Mode().Perm()
	if strings.Contains(text, "secret =") || strings.Contains(text, "password =") {
		mode &^= 0o007
	}
	uid, gid := owner(info)
	p.plan.Changes = append(p.plan.Changes, Change{File: file, Append: true, text: block, Shown: masked(block), Why: why, Mode: mode, uid: uid, gid: gid})
	return nil
}

// owner of a file.
func owner(info fs.FileInfo) (uid, gid int) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid), int(s.Gid)
	}
	return os.Geteuid(), os.Getegid()
}

func (p *planner) step(when stage, why string, command ...string) *Step {
	p.plan.Steps = append(p.plan.Steps, Step{Command: command, Why: why, when: when})
	return &p.plan.Steps[len(p.plan.Steps)-1]
}

func (p *planner) advise(format string, args ...any) {
	p.plan.Advice = append(p.plan.Advice, fmt.Sprintf(format, args...))
}
