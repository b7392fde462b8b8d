package setup

import (
	"cmp"
	"fmt"
	"io"
	"strings"
)

// Print writes the plan for a person.
func (p *Plan) Print(w io.Writer) error {
	var b strings.Builder
	if f := p.Found; f != nil && f.PBX != "" {
		fmt.Fprintf(&b, "Found %s (%s), Asterisk %s.\n", f.PBX, f.By, cmp.Or(f.Asterisk, "that does not answer"))
		fmt.Fprintf(&b, "  AMI         %s, %s\n", f.Address, strings.Join(parts(f.Manager, "on", !f.Manager, "off", !f.Timestamps, "events without times"), ", "))
		fmt.Fprintf(&b, "  recordings  %s\n", strings.Join(parts(true, f.Monitor, f.Format != "", f.Format), ", "))
		for _, s := range f.Sources {
			fmt.Fprintf(&b, "  %s         %s, by %s\n", s.Kind, s.where(), s.From)
		}
	}
	if p.CutShort {
		b.WriteString("\nAn earlier run of voipd init was cut: what it had begun is taken back first.\n")
	}
	for _, why := range p.Refused {
		fmt.Fprintf(&b, "\n! %s\n", why)
	}
	if p.Nothing() {
		b.WriteString("\nNothing is to be done.\n")
	}
	number := 0
	next := func(format string, args ...any) {
		number++
		fmt.Fprintf(&b, "\n%d. "+format+"\n", append([]any{number}, args...)...)
	}
	steps := func(when stage) {
		for _, s := range p.Steps {
			if s.when == when {
				next("%s: %s", strings.Join(s.Command, " "), s.Why)
				b.WriteString(indented(masked(s.shown())))
			}
		}
	}
	steps(beforeFiles)
	for _, c := range p.Changes {
		switch {
		case c.Folder:
			next("the folder %s: %s", c.File, c.Why)
		case c.Append:
			next("at the end of %s: %s", c.File, c.Why)
		default:
			next("the new file %s: %s", c.File, c.Why)
		}
		b.WriteString(indented(strings.TrimLeft(c.Shown, "\n")))
	}
	steps(afterFiles)
	if len(p.Changes) > 0 && len(p.Refused) == 0 {
		next("log in at %s as %s, and see whether events come", p.access.address, p.access.username)
	}
	steps(afterCheck)
	_, err := io.WriteString(w, b.String())
	return err
}

// shown are a step's statements without the password.
func (s Step) shown() string {
	before, rest, ok := strings.Cut(s.stdin, "IDENTIFIED BY '")
	if !ok {
		return s.stdin
	}
	_, rest, _ = strings.Cut(rest, "'")
	return before + "IDENTIFIED BY '(secret)'" + rest
}

func indented(text string) string {
	if text = strings.TrimRight(text, "\n"); text == "" {
		return ""
	}
	return "     " + strings.ReplaceAll(text, "\n", "\n     ") + "\n"
}

// where a source is, for a person.
func (s Source) where() string {
	if s.Path != "" {
		return s.Path
	}
	return fmt.Sprintf("table %s of %s on %s (%s)", s.Table, s.Database, cmp.Or(s.Host, "this machine"), s.Driver)
}

// Print writes what a run did, and what comes next.
func (r *Result) Print(w io.Writer, o Options) error {
	var b strings.Builder
	for _, done := range r.Done {
		fmt.Fprintf(&b, "done     %s\n", done)
	}
	for _, seen := range r.Checked {
		fmt.Fprintf(&b, "checked  %s\n", seen)
	}
	for _, advice := range r.Advice {
		fmt.Fprintf(&b, "\n→ %s\n", advice)
	}
	if r.Token != "" {
		fmt.Fprintf(&b, "\nThe API is at %s. Its token, shown this once: %s\n\n", r.Address, r.Token)
		fmt.Fprintf(&b, "  curl -H 'Authorization: Bearer %s' '%s/v1/records?limit=3'\n\n", r.Token, r.Address)
		b.WriteString("Next: make a call, then ask for records as above. An app gets a token of its own by\n\"voipd token new\", and is told of calls by a [[webhooks]] block in\n" + cmp.Or(o.Config, defaultConfig) +
			". \"voipd init --undo\" takes all of this back.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
