package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

// credential is the name under which systemd hands the AMI secret over
// (LoadCredential=ami-secret:…).
const credential = "ami-secret"

// Problem is one mistake in the file.
type Problem struct {
	Line int    // 0: in no line
	Key  string // "asterisk.address"
	What string
}

// Error is everything that is wrong with a file.
type Error struct {
	File     string
	Problems []Problem
}

// Error lists the problems, one a line, in the order of the file.
func (e *Error) Error() string {
	var b strings.Builder
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(e.File)
		if p.Line > 0 {
			fmt.Fprintf(&b, ":%d", p.Line)
		}
		if p.Key != "" {
			fmt.Fprintf(&b, ": %s", p.Key)
		}
		fmt.Fprintf(&b, ": %s", p.What)
	}
	return b.String()
}

// Load reads the file at path over the defaults, checks it, and fetches the
// secrets it names. The error is an *Error with every problem, or says why the
// file cannot be read.
func Load(path string) (Config, error) {
	c, err := LoadOffline(path)
	if err != nil {
		return c, err
	}
	problems := append(c.fetchWebhookSecrets(), c.fetchCentreToken()...)
	if p := c.fetchSecret(); p != nil {
		problems = append(problems, *p)
	}
	if len(problems) > 0 {
		return c, &Error{File: path, Problems: problems}
	}
	return c, nil
}

// LoadOffline is Load for a command that does not connect to the PBX: its secret
// is not fetched.
func LoadOffline(path string) (Config, error) {
	c, err := Read(path)
	if err != nil {
		return c, err
	}
	if p := c.fetchDSNs(); p != nil {
		return c, &Error{File: path, Problems: []Problem{*p}}
	}
	return c, nil
}

// Read is Load without the secrets.
func Read(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrPermission) {
		return Config{}, fmt.Errorf("read configuration: %w (root may: sudo)", err)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return Parse(path, string(text))
}

// Parse reads a file's text over the defaults and checks it. file is its name
// for messages.
func Parse(file, text string) (Config, error) { return parse(file, text, renames()) }

func parse(file, text string, renames map[string]string) (Config, error) {
	c := Default()
	tree := map[string]any{}
	if _, err := toml.Decode(text, &tree); err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			return c, &Error{file, []Problem{{Line: parse.Position.Line, What: parse.Message}}}
		}
		return c, &Error{file, []Problem{{What: err.Error()}}}
	}
	f := &filler{lines: lineIndex(text), renames: renames}
	f.fill(tree, &c)
	if len(f.renamed) > 0 {
		c.Warning = &Error{file, f.renamed}
	}
	problems := append(f.problems, c.check(f.lines)...)
	if len(problems) > 0 {
		sort.SliceStable(problems, func(i, j int) bool { return problems[i].Line < problems[j].Line })
		return c, &Error{file, problems}
	}
	return c, nil
}

// fetchSecret reads the AMI secret from where the file says it is.
func (c *Config) fetchSecret() *Problem {
	path := c.Asterisk.SecretFile
	switch {
	case c.Asterisk.Secret != "" && path != "":
		return &Problem{Key: "asterisk.secret_file", What: "secret is set as well; keep one of the two"}
	case c.Asterisk.Secret != "":
		return nil
	case path == "":
		dir := os.Getenv("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return &Problem{Key: "asterisk.secret", What: "not set: give secret, secret_file, or the systemd credential " + credential +
				", which a command has where systemd runs it (systemd-run -qP --wait -p LoadCredential=" + credential + ":FILE voipd ...)"}
		}
		path = filepath.Join(dir, credential)
	}
	text, err := readSecret(path)
	if err != nil {
		return &Problem{Key: "asterisk.secret_file", What: err.Error()}
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" || strings.ContainsAny(secret, "\r\n\x00") {
		return &Problem{Key: "asterisk.secret_file", What: path + " does not hold one line with the secret"}
	}
	c.Asterisk.Secret = Secret(secret)
	return nil
}

// secretLimit is how long a file with a secret may be, in bytes.
const secretLimit = 64 << 10

// readSecret reads a file that holds a secret. One that never ends (a pipe, a
// device) would stop voipd at its start, or fill its memory.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: it is no file but a %s", path, fileKind(info.Mode()))
	}
	if info.Size() > secretLimit {
		return nil, fmt.Errorf("read %s: it has %d bytes, which no secret has (at most %d)", path, info.Size(), secretLimit)
	}
	return os.ReadFile(path)
}

func fileKind(m fs.FileMode) string {
	switch {
	case m.IsDir():
		return "folder"
	case m&fs.ModeNamedPipe != 0:
		return "pipe"
	case m&fs.ModeDevice != 0:
		return "device"
	}
	return "special file"
}
