package setup

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// conf is a configuration file of Asterisk with all that it includes, in the
// order in which Asterisk reads it. Paths are as Asterisk names them.
type conf struct {
	base     string // "/etc/asterisk/manager.conf"
	files    []string
	sections []section
	includes []include
}

// section is one piece of a section: Asterisk adds those of one name up.
type section struct {
	file     string
	line     int
	order    int // among sections and includes
	name     string
	template bool     // (!): others take its settings over
	adds     bool     // (+): it goes on with one above
	from     []string // the templates whose settings it has
	settings []setting
}

type setting struct {
	line       int
	key, value string
}

// include is one #include, as it stands there.
type include struct {
	file    string
	line    int
	order   int
	pattern string // absolute; may have wildcards
}

// deepest is how deep Asterisk follows includes (MAX_INCLUDE_LEVEL).
const deepest = 10

// longest is the size in bytes beyond which a file is no configuration.
const longest = 8 << 20

// readConf reads a file below root with its includes. A file that is not there
// is an empty one: c.files does not have it.
func readConf(root, etc, name string) (*conf, error) {
	c := &conf{base: path.Join(etc, name)}
	order := 0
	if err := c.read(root, etc, c.base, 0, &order); err != nil {
		return nil, fmt.Errorf("read %s: %w", c.base, err)
	}
	return c, nil
}

func (c *conf) read(root, etc, file string, depth int, order *int) error {
	info, err := os.Stat(filepath.Join(root, file))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Size() > longest {
		return fmt.Errorf("%s is no configuration file", file)
	}
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return err
	}
	c.files = append(c.files, file)
	commented, at := false, -1 // the section that settings go to
	for n, line := range strings.Split(string(text), "\n") {
		line, commented = withoutComment(line, commented)
		switch {
		case line == "":
		case strings.HasPrefix(line, "["):
			*order++
			s := parseSection(line)
			s.file, s.line, s.order = file, n+1, *order
			c.sections = append(c.sections, s)
			at = len(c.sections) - 1
		case strings.HasPrefix(line, "#"):
			*order++
			if err := c.follow(root, etc, line, include{file: file, line: n + 1, order: *order}, depth, order); err != nil {
				return err
			}
		case at >= 0:
			key, value, _ := strings.Cut(line, "=")
			value = strings.TrimPrefix(value, ">")
			c.sections[at].settings = append(c.sections[at].settings, setting{n + 1, strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return nil
}

// follow reads what a line with #include or #tryinclude names. #exec is not
// carried out.
func (c *conf) follow(root, etc, line string, in include, depth int, order *int) error {
	word, rest, _ := strings.Cut(line, " ")
	if tab, more, ok := strings.Cut(word, "\t"); ok {
		word, rest = tab, more
	}
	if word != "#include" && word != "#tryinclude" || depth >= deepest {
		return nil
	}
	in.pattern = strings.Trim(strings.TrimSpace(rest), `"<>`)
	if !path.IsAbs(in.pattern) {
		in.pattern = path.Join(etc, in.pattern)
	}
	c.includes = append(c.includes, in)
	found, err := filepath.Glob(filepath.Join(root, in.pattern))
	if err != nil {
		return fmt.Errorf("%s:%d: %w", in.file, in.line, err)
	}
	slices.Sort(found)
	for _, name := range found {
		name = "/" + strings.TrimPrefix(strings.TrimPrefix(name, strings.TrimSuffix(root, "/")), "/")
		if err := c.read(root, etc, name, depth+1, order); err != nil {
			return err
		}
	}
	return nil
}

// withoutComment cuts comments out of a line: from ";" (not "\;") on, and
// between ";--" and "--;", which may be lines apart.
func withoutComment(line string, commented bool) (rest string, still bool) {
	var out strings.Builder
	for i := 0; i < len(line); i++ {
		switch {
		case commented:
			if strings.HasPrefix(line[i:], "--;") {
				commented = false
				i += 2
			}
		case strings.HasPrefix(line[i:], ";--") && !strings.HasPrefix(line[i:], ";---"):
			commented = true
			i += 2
		case line[i] == '\\' && strings.HasPrefix(line[i+1:], ";"):
			out.WriteByte(';')
			i++
		case line[i] == ';':
			return strings.TrimSpace(out.String()), false
		default:
			out.WriteByte(line[i])
		}
	}
	return strings.TrimSpace(out.String()), commented
}

// parseSection reads "[name](!,template)".
func parseSection(line string) section {
	name, rest, _ := strings.Cut(strings.TrimPrefix(line, "["), "]")
	s := section{name: strings.TrimSpace(name)}
	if _, options, ok := strings.Cut(rest, "("); ok {
		options, _, _ = strings.Cut(options, ")")
		for _, o := range strings.Split(options, ",") {
			switch o = strings.TrimSpace(o); o {
			case "!":
				s.template = true
			case "+":
				s.adds = true
			case "":
			default:
				s.from = append(s.from, o)
			}
		}
	}
	return s
}

// named are the pieces of a section.
func (c *conf) named(name string) []section {
	var all []section
	for _, s := range c.sections {
		if s.name == name {
			all = append(all, s)
		}
	}
	return all
}

// value is what a section says of a key, the last time; "" where it is silent.
func (c *conf) value(name, key string) string {
	values := c.values(name, key, 0)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// values are all of them, those of the section's templates first.
func (c *conf) values(name, key string, depth int) []string {
	var all []string
	for _, s := range c.named(name) {
		if depth < deepest {
			for _, from := range s.from {
				all = append(all, c.values(from, key, depth+1)...)
			}
		}
		for _, set := range s.settings {
			if strings.EqualFold(set.key, key) {
				all = append(all, set.value)
			}
		}
	}
	return all
}

// yes is how Asterisk reads a switch.
func yes(value string) bool {
	return slices.Contains([]string{"yes", "true", "y", "t", "1", "on"}, strings.ToLower(value))
}

// reads tells whether a file of that name would be read, and after which part.
func (c *conf) reads(file string) (in include, ok bool) {
	for _, in := range c.includes {
		if match, err := path.Match(in.pattern, file); match && err == nil {
			return in, true
		}
	}
	return include{}, false
}
