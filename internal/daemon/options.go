package daemon

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/pbx"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

func directories(c config.Config) []recording.Directory {
	var out []recording.Directory
	for _, d := range c.Recordings.Directories {
		out = append(out, recording.Directory{Path: d.Path, AsteriskPath: d.AsteriskPath})
	}
	return out
}

// tokens are the configured ones; the loader has checked their hashes.
func tokens(c config.Config) []api.Token {
	var out []api.Token
	for _, t := range c.HTTP.Tokens {
		ttl, err := t.Links()
		if err != nil {
			continue
		}
		token := api.Token{Name: t.Name, Scopes: t.Scopes, LinkTTL: ttl}
		if ttl < 0 {
			token.LinkTTL = recording.Never
		}
		if sum, err := hex.DecodeString(t.SHA256); err == nil && len(sum) == sha256.Size {
			token.Hash = [sha256.Size]byte(sum)
			out = append(out, token)
		}
	}
	return out
}

// PBXOptions are the configuration's settings of the PBX, AMI or ARI; what the
// daemon's parts give is not in it.
func PBXOptions(c config.Config, rules record.Rules) (pbx.Options, error) {
	opt := pbx.Options{Rules: rules, Names: names(c), Calls: calls(c.Calls)}
	a := c.Asterisk
	secure, err := tlsOptions(a)
	if err != nil {
		return opt, err
	}
	access := pbx.Access{Address: a.Address, Username: a.Username, Secret: a.Secret.Reveal, TLS: secure, NeverPlain: a.NeverPlain, PingEvery: a.PingEvery, Deadline: a.Deadline}
	if a.Interface == config.ARI {
		access.Address = a.ARIURL
		opt.ARI = pbx.ARI(access, a.ARIApplication)
		return opt, nil
	}
	opt.AMI = pbx.AMI(access)
	return opt, nil
}

func calls(c config.Calls) pbx.Calls {
	out := pbx.Calls{Sources: whole(c.Sources), Destinations: whole(c.Destinations), Channel: c.Channel, Context: c.Context, CallerID: c.CallerID,
		RingFor: c.RingFor, PerMinute: c.PerMinute, Headers: map[string]string{}}
	if name, value, ok := strings.Cut(c.AutoAnswer, ":"); ok {
		out.Headers[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	return out
}

// whole compiles patterns that match a text as a whole; the loader has checked
// them.
func whole(patterns []string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range patterns {
		if re, err := regexp.Compile("^(?:" + p + ")$"); err == nil {
			out = append(out, re)
		}
	}
	return out
}

func tlsOptions(a config.Asterisk) (*tls.Config, error) {
	if !a.TLS && !(a.Interface == config.ARI && a.TLSCAFile != "") {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: a.TLSServerName}
	if a.TLSCAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(a.TLSCAFile)
	if err != nil {
		return nil, fmt.Errorf("read asterisk.tls_ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read asterisk.tls_ca_file: %s holds no certificate in PEM", a.TLSCAFile)
	}
	return c, nil
}

// zone is that of times that clients write without an offset.
func zone(c config.Config) *time.Location {
	if at, err := time.LoadLocation(c.HTTP.Zone); err == nil && c.HTTP.Zone != "" {
		return at // the loader has looked at it
	}
	return time.Local
}

// hosts are the names under which the API answers.
func hosts(c config.Config) []string {
	names := slices.Clone(c.HTTP.Hosts)
	if u, err := url.Parse(c.HTTP.BaseURL); err == nil && u.Hostname() != "" {
		names = append(names, strings.ToLower(u.Hostname()))
	}
	return names
}

// repairMargin is how far around a gap CEL and CDR are read: a link that is dead
// is noticed so late, and the clocks may differ by the rest.
func repairMargin(c config.Config) time.Duration {
	return 2*time.Minute + c.Asterisk.PingEvery + c.Asterisk.Deadline
}
