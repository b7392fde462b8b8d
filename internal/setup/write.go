package setup

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/voipd/voipd/internal/config"
)

// random is a new secret: letters and digits.
func random() string { return rand.Text() }

// write plans voipd's own files, the database user and the service.
func (p *planner) write(ctx context.Context) error {
	if err := p.credentials(); err != nil {
		return err
	}
	if !p.have {
		sources := p.sources(ctx)
		p.plan.token = p.o.Random()
		text := p.text(sources)
		if _, err := config.Parse(p.o.Config, text); err != nil {
			return fmt.Errorf("the configuration that init would write: %w", err)
		}
		p.add(p.o.Config, text, "what differs from the defaults", 0o640, os.Geteuid(), p.group)
	} else if len(p.conf.HTTP.Tokens) == 0 {
		p.advise("%s lets no app in: voipd token new crm | sudo tee -a %s", p.o.Config, p.o.Config)
	}
	p.service(ctx)
	return nil
}

// credentials plans the file with the secret, where the configuration needs one.
func (p *planner) credentials() error {
	file := secretFile
	if p.have {
		if p.conf.Asterisk.SecretFile == "" {
			return nil // it has the secret itself, or systemd hands it over
		}
		file = p.conf.Asterisk.SecretFile
	}
	if !p.o.has(file) {
		p.add(file, p.plan.access.secret+"\n", "the secret, for voipd to read", 0o640, os.Geteuid(), p.group)
		return nil
	}
	text, err := os.ReadFile(p.o.at(file))
	if err != nil {
		return fmt.Errorf("look at %s: %w", file, err)
	}
	if had := strings.TrimRight(string(text), "\r\n"); had != p.plan.access.secret {
		p.refuse("%s holds another secret than the user %s has in Asterisk: put the right one there, or rm %s, then run this again", file, p.plan.access.username, file)
	}
	return nil
}

// quote writes a text as TOML does.
func quote(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // no text fails
	}
	return string(text)
}

// text is the configuration: what differs from the defaults, and why.
func (p *planner) text(sources string) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	def := config.Default()
	line("# Written by voipd init. What is not here has its default: config.example.toml in")
	line("# /usr/share/doc/voipd (or /usr/local/share/doc/voipd) explains every key.")
	line("\n[asterisk]")
	a := p.plan.access
	switch {
	case p.o.ARI:
		line("interface = \"ari\"")
		if a.address != def.Asterisk.ARIURL {
			line("ari_url = %s", quote(a.address))
		}
	case a.address != def.Asterisk.Address:
		line("address = %s", quote(a.address))
	}
	if a.username != def.Asterisk.Username {
		line("username = %s", quote(a.username))
	}
	line("secret_file = %s", quote(secretFile))
	if f := p.found; f != nil && f.Monitor != def.Recordings.Directories[0].Path {
		line("\n# Where %s keeps recordings.\n[[recordings.directories]]\npath = %s", f.PBX, quote(f.Monitor))
	}
	if f := p.found; f == nil {
		line("\n# Recordings are on the PBX: name the folder here once it is mounted.")
		line("# [[recordings.directories]]\n# path = \"/mnt/monitor\"\n# asterisk_path = \"/var/spool/asterisk/monitor\"")
	}
	hash := sha256.Sum256([]byte(p.plan.token))
	line("\n# The first app's token, which was shown once. \"voipd token new\" makes more.")
	line("[[http.tokens]]\nname = \"first\"\nsha256 = %q", hex.EncodeToString(hash[:]))
	b.WriteString(sources)
	return b.String()
}

// sources plans how CEL and CDR are read, and gives their part of the
// configuration.
func (p *planner) sources(ctx context.Context) string {
	if p.found == nil || len(p.found.Sources) == 0 {
		if p.found != nil {
			p.advise("Asterisk writes no CEL and no CDR that voipd reads: calls that it does not see are lost. See [[backfill]] in config.example.toml.")
		}
		return ""
	}
	var b strings.Builder
	b.WriteString("\n# Where Asterisk itself writes what happened, for calls that voipd missed.\n")
	reader := p.reader(ctx)
	for _, s := range p.found.Sources {
		lines := fmt.Sprintf("[[backfill]]\nkind = %q\ndriver = %q\n", s.Kind, s.Driver)
		switch {
		case s.Path != "":
			lines += "path = " + quote(s.Path) + "\n"
		default:
			lines += "dsn_file = " + quote(dsnFile) + "\n"
		}
		if s.Table != "" && s.Table != s.Kind {
			lines += "table = " + quote(s.Table) + "\n"
		}
		if s.Zone != "" {
			lines += "zone = " + quote(s.Zone) + "\n"
		}
		if s.Path == "" && !reader {
			lines = "# " + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n# ") + "\n"
		}
		b.WriteString(lines)
	}
	return b.String()
}

// service plans the start.
func (p *planner) service(ctx context.Context) {
	if p.found != nil && !p.found.Systemd || !p.o.has("/run/systemd/system") {
		p.advise("there is no systemd here: start voipd yourself: voipd serve -c %s", p.o.Config)
		return
	}
	if _, err := p.o.Run(ctx, "", "systemctl", "cat", "voipd"); err != nil {
		p.advise("systemd knows no voipd.service: install the package, or run make install, then: systemctl enable --now voipd")
		return
	}
	_, inactive := p.o.Run(ctx, "", "systemctl", "is-active", "--quiet", "voipd")
	_, disabled := p.o.Run(ctx, "", "systemctl", "is-enabled", "--quiet", "voipd")
	switch {
	case inactive != nil || disabled != nil:
		s := p.step(afterCheck, "voipd starts, now and with the machine", "systemctl", "enable", "--now", "voipd")
		s.undo = []string{"systemctl", "disable", "--now", "voipd"}
		if disabled == nil {
			s.undo = []string{"systemctl", "stop", "voipd"}
		}
	case len(p.plan.Changes) > 0:
		p.step(afterCheck, "voipd takes it over", "systemctl", "restart", "voipd")
	}
}
