// Package setup is "voipd init": it looks at a machine with a PBX, plans what
// voipd needs there, does it, checks it, and takes it back.
//
// Nothing is changed before it stands in the journal, with what was there
// before. Files are looked for below Options.Root, commands go through
// Options.Run, so that tests have a machine of their own.
package setup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Runner runs a command with text on its standard input and gives what it says.
// The error says why it failed, with what it said.
type Runner func(ctx context.Context, stdin, name string, args ...string) (said string, err error)

// Options are a machine and what is wanted there. The zero value is this
// machine, over AMI.
type Options struct {
	Root   string // where the machine's files are; empty: /
	Run    Runner // nil: the machine's own commands
	Config string // voipd's configuration; empty: /etc/voipd/config.toml
	ARI    bool   // listen by ARI instead of AMI
	Remote string // host of a PBX that is another machine; empty: this one
	Secret string // of the AMI user on Remote; empty: a new one
	Random func() string
}

// The files of voipd itself.
const (
	defaultConfig = "/etc/voipd/config.toml"
	secretFile    = "/etc/voipd/ami.secret"
	dsnFile       = "/etc/voipd/cdr.dsn"
	journalDir    = "/var/lib/voipd-init"
)

func (o Options) with() Options {
	o.Config = cmp.Or(o.Config, defaultConfig)
	if o.Run == nil {
		o.Run = execute
	}
	if o.Random == nil {
		o.Random = random
	}
	return o
}

// at is where a file of the machine is for us.
func (o Options) at(file string) string { return filepath.Join(cmp.Or(o.Root, "/"), file) }

// has tells whether the machine has a file or folder.
func (o Options) has(file string) bool {
	_, err := os.Stat(o.at(file))
	return err == nil
}

// execute runs a command of this machine.
func execute(ctx context.Context, stdin, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(stdin)
	c.Env = append(os.Environ(), "LC_ALL=C", "NO_COLOR=1")
	said, err := c.CombinedOutput()
	if err != nil {
		return string(said), fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, strings.TrimSpace(string(said)))
	}
	return string(said), nil
}

// ids looks a name up in the machine's /etc/passwd or /etc/group: its number,
// and in passwd that of its group.
func (o Options) ids(file, name string) (id, group int, err error) {
	text, err := os.ReadFile(o.at(file))
	if err != nil {
		return 0, 0, fmt.Errorf("look up %s: %w", name, err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 4 || f[0] != name {
			continue
		}
		if id, err = strconv.Atoi(f[2]); err != nil {
			return 0, 0, fmt.Errorf("look up %s: %w", name, err)
		}
		group, _ = strconv.Atoi(f[3]) // of /etc/group it is the members
		return id, group, nil
	}
	return 0, 0, fmt.Errorf("look up %s in %s: %w", name, file, fs.ErrNotExist)
}

// members are the groups that a user is in by /etc/group.
func (o Options) members(user string) []int {
	text, err := os.ReadFile(o.at("/etc/group"))
	if err != nil {
		return nil
	}
	var all []int
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSpace(line), ":")
		if len(f) < 4 {
			continue
		}
		for _, m := range strings.Split(f[3], ",") {
			if id, err := strconv.Atoi(f[2]); m == user && err == nil {
				all = append(all, id)
			}
		}
	}
	return all
}

// absent tells whether an error says that there is no such file.
func absent(err error) bool { return errors.Is(err, fs.ErrNotExist) }
