package config

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// check finds values that are of the right type and still cannot work.
func (c *Config) check(lines map[string]int) []Problem {
	k := &checker{lines: lines}
	k.oneOf("asterisk.interface", c.Asterisk.Interface, AMI, ARI)
	k.address("asterisk.address", c.Asterisk.Address)
	k.url("asterisk.ari_url", c.Asterisk.ARIURL)
	if c.Asterisk.ARIApplication == "" || url.QueryEscape(c.Asterisk.ARIApplication) != c.Asterisk.ARIApplication {
		k.bad("asterisk.ari_application", "want a plain name such as \"voipd\", have %q", c.Asterisk.ARIApplication)
	}
	k.line("asterisk.username", c.Asterisk.Username)
	if c.Asterisk.Username == "" {
		k.bad("asterisk.username", "must not be empty")
	}
	k.line("asterisk.secret", c.Asterisk.Secret.Reveal())
	k.line("asterisk.name", c.Asterisk.Name)
	if !c.Asterisk.TLS && c.Asterisk.Interface == AMI && (c.Asterisk.TLSCAFile != "" || c.Asterisk.TLSServerName != "") {
		k.bad("asterisk.tls", "is false, but other tls_ keys are set")
	}
	k.numbers(&c.Numbers)
	k.recordings(&c.Recordings)
	k.store(&c.Store)
	k.http(&c.HTTP)
	k.webhooks(c.Webhooks)
	k.calls(&c.Calls)
	k.members(c.Members)
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	k.backfill(c.Backfill)
	k.centre(&c.Centre)
	return k.problems
}

type checker struct {
	lines    map[string]int
	problems []Problem
}

// bad notes a problem at a key; a key inside a list that has no line of its own
// gets the list's.
func (k *checker) bad(key, format string, args ...any) {
	line := k.lines[key]
	for at := key; line == 0 && at != ""; line = k.lines[at] {
		i := strings.LastIndexAny(at, ".[")
		if i < 0 {
			break
		}
		at = at[:i]
	}
	k.problems = append(k.problems, Problem{Line: line, Key: key, What: fmt.Sprintf(format, args...)})
}

func (k *checker) address(key, v string) {
	host, port, err := net.SplitHostPort(v)
	if err != nil || port == "" || strings.ContainsAny(host, " \r\n\t/") {
		k.bad(key, "want host:port such as \"127.0.0.1:5038\", have %q", v)
		return
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		k.bad(key, "%q is no port", port)
	}
}

// line: these values go onto a line of the AMI protocol.
func (k *checker) line(key, v string) {
	if strings.ContainsAny(v, "\r\n\x00") {
		k.bad(key, "must be one line")
	}
}

func (k *checker) oneOf(key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		k.bad(key, "want one of %s, have %q", strings.Join(allowed, ", "), v)
	}
}

func (k *checker) numbers(n *Numbers) {
	k.patterns("numbers.extensions", n.Extensions)
	k.patterns("numbers.trunks", n.Trunks)
	k.patterns("numbers.outside", n.Outside)
	for i, h := range n.Helpers {
		if !regexp.MustCompile(`^[A-Za-z0-9_]+$`).MatchString(h) {
			k.bad(fmt.Sprintf("numbers.helpers[%d]", i), "want a technology as it stands before the slash of a channel's name, such as \"Khomp\", have %q", h)
		}
	}
	if len(n.Extensions) == 0 {
		k.bad("numbers.extensions", "must have at least one pattern: nothing else tells who an operator is")
	}
	for list, rewrites := range map[string][]Rewrite{"numbers.rewrite": n.Rewrite, "numbers.rewrite_caller": n.RewriteCaller} {
		for i, r := range rewrites {
			k.pattern(fmt.Sprintf("%s[%d].match", list, i), r.Match)
		}
	}
}

func (k *checker) patterns(key string, list []string) {
	for i, p := range list {
		k.pattern(fmt.Sprintf("%s[%d]", key, i), p)
	}
}

func (k *checker) pattern(key, p string) {
	if p == "" {
		k.bad(key, "an empty pattern matches everything; give one or leave it out")
		return
	}
	if _, err := regexp.Compile(p); err != nil {
		k.bad(key, "is no regular expression: %v", err)
	}
}

// leastKept is the shortest retention: CEL and CDR are read for the last two
// days, and would bring younger calls back.
const leastKept = 72 * time.Hour

func (k *checker) store(s *Store) {
	if s.Path == "" {
		k.bad("store.path", "must not be empty")
	}
	if s.KeepRecords > 0 && s.KeepRecords < leastKept {
		k.bad("store.keep_records", "want at least %q, as calls of the last two days are read again; leave it out to keep records for ever", "72h")
	}
}

func (k *checker) recordings(r *Recordings) {
	if r.Keep > 0 && r.Keep < leastKept {
		k.bad("recordings.keep", "want at least %q; leave it out to keep audio for ever", "72h")
	}
	name := filepath.Base(r.Converter)
	if r.Converter != Auto && r.Converter != Off && (!filepath.IsAbs(r.Converter) || !strings.HasPrefix(name, "ffmpeg") && !strings.HasPrefix(name, "sox")) {
		k.bad("recordings.converter", "want auto, off, or the absolute path of an ffmpeg or sox, have %q", r.Converter)
	}
	if r.Cache != "" && (!filepath.IsAbs(r.Cache) || filepath.Clean(r.Cache) == "/") {
		k.bad("recordings.cache", "want an absolute path of a folder (not /), have %q", r.Cache)
	}
	for i, d := range r.Directories {
		key := fmt.Sprintf("recordings.directories[%d]", i)
		if !filepath.IsAbs(d.Path) || filepath.Clean(d.Path) == "/" {
			k.bad(key+".path", "want an absolute path of a folder (not /), have %q", d.Path)
		}
		if d.AsteriskPath != "" && !filepath.IsAbs(d.AsteriskPath) {
			k.bad(key+".asterisk_path", "want an absolute path, have %q", d.AsteriskPath)
		}
	}
}

func (k *checker) http(h *HTTP) {
	k.address("http.listen", h.Listen)
	if h.BaseURL != "" {
		k.url("http.base_url", h.BaseURL)
	}
	if _, err := time.LoadLocation(h.Zone); err != nil {
		k.bad("http.zone", "want a zone such as \"Europe/Moscow\", or nothing for this machine's, have %q", h.Zone)
	}
	if (h.TLSCertFile == "") != (h.TLSKeyFile == "") {
		k.bad("http.tls_cert_file", "goes with http.tls_key_file: give both or none")
	}
	for i, host := range h.Hosts {
		if host == "" || strings.ToLower(host) != host || strings.ContainsAny(host, ":/ \t*") {
			k.bad(fmt.Sprintf("http.hosts[%d]", i), "want a name in lower case without port, such as \"pbx.example.com\", have %q", host)
		}
	}
	for i, origin := range h.Origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin || u.Scheme != "http" && u.Scheme != "https" || strings.Contains(origin, "*") {
			k.bad(fmt.Sprintf("http.origins[%d]", i), "want an origin such as \"https://crm.example.com\", have %q", origin)
		}
	}
	seen := map[string]bool{}
	for i, t := range h.Tokens {
		key := fmt.Sprintf("http.tokens[%d]", i)
		if t.Name == "" || seen[t.Name] {
			k.bad(key+".name", "want a name that no other token has")
		}
		seen[t.Name] = true
		if _, err := t.Links(); err != nil {
			k.bad(key+".link_ttl", "%v", err)
		}
		if t.Scopes != nil && len(t.Scopes) == 0 {
			k.bad(key+".scopes", "is empty: say what the token may do, or leave the key out for everything")
		}
		for n, scope := range t.Scopes {
			k.oneOf(fmt.Sprintf("%s.scopes[%d]", key, n), scope, "records:read", "recordings:read", "calls:write", "missed:write", "webhooks:read", "webhooks:write", "admin", "numbers:masked")
		}
		if sum, err := hex.DecodeString(t.SHA256); err != nil || len(sum) != 32 {
			k.bad(key+".sha256", "want the SHA-256 of the token, 64 hexadecimal digits (voipd token new prints it)")
		}
	}
}

func (k *checker) url(key, v string) {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		k.bad(key, "want an address such as \"https://pbx.example.com/voipd\", have %q", v)
	}
}
