package setup

import (
	"cmp"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// What stands around a block that init puts into a file of somebody else's.
const (
	blockBegin = "; >>> voipd init (\"voipd init --undo\" takes this out)\n"
	blockEnd   = "; <<< voipd init\n"
)

// The classes of manager.conf that voipd needs, and no others. To write: the
// list of channels (reporting), what the PBX says of its endpoints (system).
const (
	readClasses  = "call,agent,dialplan,system"
	writeClasses = "system,reporting"
)

// userLines is the user's section of manager.conf. permit is the network that
// he comes from, as Asterisk writes it.
func userLines(name, secret, permit string) string {
	return fmt.Sprintf("[%s]\nsecret = %s\ndeny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = %s\nread = %s\nwrite = %s\n", name, secret, permit, readClasses, writeClasses)
}

const loopback = "127.0.0.1/255.255.255.255"

// masked is a text without its secrets.
func masked(text string) string {
	text = regexp.MustCompile(`(?m)^(\s*(?:secret|password)\s*=\s*).*$`).ReplaceAllString(text, "${1}(secret)")
	text = regexp.MustCompile(`(?m)^([^\s:/]+:)[^@\s]+(@(?:unix|tcp)\()`).ReplaceAllString(text, "${1}(secret)${2}")
	if !strings.ContainsAny(strings.TrimSpace(text), " =\n") && text != "" { // a file that holds nothing else
		return "(secret)\n"
	}
	return text
}

func place(file string, line int) string { return fmt.Sprintf("%s:%d", file, line) }

// manager plans the AMI user, and what AMI lacks.
func (p *planner) manager() error {
	f, name := p.found, p.conf.Asterisk.Username
	p.plan.access = access{cmp.Or(p.given(), f.Address), name, p.secret()}
	general := ""
	if !f.Manager {
		general += "enabled = yes\nbindaddr = 127.0.0.1\n"
		p.plan.access.address = "127.0.0.1:" + cmp.Or(f.manager.value("general", "port"), "5038")
	}
	if !f.Timestamps {
		general += "timestampevents = yes\n"
	}
	user := ""
	switch at := f.manager.named(name); {
	case len(at) == 0 && p.secretless():
		p.refuse("%s names no secret for the user that init would make: put secret_file = %q into [asterisk], then run this again", p.o.Config, secretFile)
		return nil
	case len(at) == 0:
		user = userLines(name, p.plan.access.secret, loopback)
	case f.rewritten(at[0].file):
		p.refuse("%s has a user %s, and %s rewrites that file: take the section [%s] out, then run this again; init puts it where it stays", place(at[0].file, at[0].line), name, f.PBX, name)
		return nil
	default:
		if had := f.manager.value(name, "secret"); had != "" {
			p.plan.access.secret = had
		}
		p.userIsThere(name)
	}
	if general == "" && user == "" {
		return nil
	}
	what := strings.Join(parts(user != "", "the user that voipd logs in as", !f.Manager, "AMI switched on, on loopback alone", !f.Timestamps, "the PBX's own time in each event"), "; ")
	if err := p.into(f.manager, general, user, what); err != nil || len(p.plan.Refused) > 0 {
		return err
	}
	p.step(afterFiles, "Asterisk takes it over", "asterisk", "-rx", "manager reload")
	return nil
}

// given is the address of a configuration that is there.
func (p *planner) given() string {
	if p.have {
		return p.conf.Asterisk.Address
	}
	return ""
}

// userIsThere says what a user lacks who is not of init's making.
func (p *planner) userIsThere(name string) {
	c, at := p.found.manager, p.found.manager.named(name)[0]
	for _, needed := range []struct{ key, classes string }{{"read", readClasses}, {"write", writeClasses}} {
		has := strings.Split(c.value(name, needed.key), ",")
		for i := range has {
			has[i] = strings.TrimSpace(has[i])
		}
		for _, class := range strings.Split(needed.classes, ",") {
			if !slices.Contains(has, class) && !slices.Contains(has, "all") {
				p.advise("%s: the user %s has no class %s: %s = %s", place(at.file, at.line), name, class, needed.key, needed.classes)
				break
			}
		}
	}
}

// parts are those texts whose condition holds.
func parts(pairs ...any) []string {
	var all []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i].(bool) {
			all = append(all, pairs[i+1].(string))
		}
	}
	return all
}

// into plans settings of [general] and sections behind them, in the file where
// they stay: one that Asterisk includes and the PBX never writes, else one of
// voipd's own with an #include.
func (p *planner) into(c *conf, general, sections, why string) error {
	if len(c.files) == 0 { // an Asterisk without that file
		text := strings.Join(parts(general != "", "[general]\n"+general, sections != "", sections), "\n")
		uid, gid := p.asterisk()
		p.add(c.base, blockBegin+text+blockEnd, why, 0o640, uid, gid)
		return nil
	}
	head := c.named("general")
	file, in, own := p.found.custom(p.o, c)
	text := sections
	if general != "" {
		switch {
		case len(head) == 0:
			general = "[general]\n" + general
		case file != "" && in.order < head[0].order:
			file = "" // what goes on with [general] has to stand behind it
		}
		if len(head) > 0 {
			general = "[general](+)\n" + general
		}
		text = strings.Join(parts(true, general, sections != "", sections), "\n")
	}
	switch {
	case file == "" && (p.found.PBX == FreePBX || p.found.PBX == Issabel):
		p.refuse("%s does not include %s, as that of %s does: put the line #include %s at its end, then run this again", c.base, customOf(c.base), p.found.PBX, path.Base(customOf(c.base)))
		return nil
	case file == "":
		file = path.Join(path.Dir(c.base), "voipd_"+path.Base(c.base))
		uid, gid := p.asterisk()
		p.add(file, blockBegin+text+blockEnd, why, 0o640, uid, gid)
		return p.behind(c.base, "#include \""+path.Base(file)+"\"\n", "Asterisk reads the file above")
	case own && !p.o.has(file):
		uid, gid := p.asterisk()
		p.add(file, blockBegin+text+blockEnd, why, 0o640, uid, gid)
		return nil
	}
	return p.behind(file, text, why)
}

// customOf is the file beside a configuration that FreePBX leaves to admins.
func customOf(base string) string { return strings.TrimSuffix(base, ".conf") + "_custom.conf" }

// custom is the file that is there for admins; own tells of one that is
// voipd's alone. "" means that there is none.
func (f *Found) custom(o Options, c *conf) (file string, in include, own bool) {
	if f.PBX == VitalPBX {
		file = path.Join(f.Etc, "vitalpbx", strings.TrimSuffix(path.Base(c.base), ".conf")+strings.TrimPrefix(vitalFile, "manager"))
		if in, ok := c.reads(file); ok {
			return file, in, true
		}
	}
	if f.PBX == Asterisk {
		file = path.Join(strings.TrimSuffix(c.base, ".conf")+".d", "voipd.conf")
		if in, ok := c.reads(file); ok {
			return file, in, true
		}
	}
	for _, file := range []string{customOf(c.base), strings.TrimSuffix(c.base, ".conf") + "_additional_custom.conf"} {
		if in, ok := c.reads(file); ok {
			return file, in, !o.has(file)
		}
	}
	return "", include{}, false
}

// asterisk is to whom new files among Asterisk's belong: as manager.conf does.
func (p *planner) asterisk() (uid, gid int) {
	for _, name := range []string{"manager.conf", "asterisk.conf"} {
		if info, err := os.Stat(p.o.at(path.Join(p.found.Etc, name))); err == nil {
			return owner(info)
		}
	}
	return os.Geteuid(), os.Getegid()
}

// ari plans the ARI user, and what ARI and its HTTP server lack.
func (p *planner) ari() error {
	f, name := p.found, p.conf.Asterisk.Username
	host, port := f.http.value("general", "bindaddr"), cmp.Or(f.http.value("general", "bindport"), "8088")
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	p.plan.access = access{fmt.Sprintf("http://%s:%s%s/ari", host, port, prefix(f.http.value("general", "prefix"))), name, p.secret()}
	if p.have {
		p.plan.access.address = p.conf.Asterisk.ARIURL
	}
	general, user := "", ""
	if len(f.ari.values("general", "enabled", 0)) > 0 && !yes(f.ari.value("general", "enabled")) {
		general += "enabled = yes\n"
	}
	if !strings.Contains(f.ari.value("general", "channelvars"), "CHANNEL(linkedid)") {
		general += "channelvars = " + strings.Join(append(f.ari.values("general", "channelvars", 0), "CHANNEL(linkedid)"), ",") + "\n"
	}
	if len(f.ari.named(name)) == 0 {
		user = fmt.Sprintf("[%s]\ntype = user\nread_only = no\npassword = %s\n", name, p.plan.access.secret)
	} else if had := f.ari.value(name, "password"); had != "" {
		p.plan.access.secret = had
	}
	if general != "" || user != "" {
		if err := p.into(f.ari, general, user, "the user that voipd logs in as, and the linkedid in each event"); err != nil {
			return err
		}
		p.step(afterFiles, "Asterisk takes it over", "asterisk", "-rx", "module reload res_ari.so")
	}
	if !yes(f.http.value("general", "enabled")) {
		if err := p.into(f.http, "enabled = yes\nbindaddr = 127.0.0.1\n", "", "Asterisk's HTTP server, on loopback alone"); err != nil {
			return err
		}
		p.step(afterFiles, "Asterisk takes it over", "asterisk", "-rx", "module reload http")
	}
	return nil
}

// prefix of the HTTP server's addresses, as http.conf has it.
func prefix(s string) string {
	if s = strings.Trim(s, "/"); s != "" {
		return "/" + s
	}
	return ""
}
