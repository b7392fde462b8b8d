package daemon

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/voipd/voipd/ami"
	"github.com/voipd/voipd/ari"
	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
	"github.com/voipd/voipd/internal/recording"
	"github.com/voipd/voipd/record"
)

// Rules are the configuration's numbers as the Machine wants them.
func Rules(c config.Config) (record.Rules, error) {
	n := c.Numbers
	r := record.Rules{Guessed: slices.Equal(n.Extensions, config.Default().Numbers.Extensions), ExtSeparators: n.ExtensionSeparator, SrcExtVariable: n.SrcExtVariable, DstExtVariable: n.DstExtVariable, PBX: c.Asterisk.Name}
	for _, list := range []struct {
		from []string
		to   *[]*regexp.Regexp
	}{{n.Extensions, &r.Extensions}, {n.Trunks, &r.Trunks}, {n.Outside, &r.Outside}} {
		for _, p := range list.from {
			re, err := regexp.Compile(p)
			if err != nil {
				return r, fmt.Errorf("read numbers: %w", err)
			}
			*list.to = append(*list.to, re)
		}
	}
	for _, list := range []struct {
		from []config.Rewrite
		to   *[]record.Rewrite
	}{{n.Rewrite, &r.Dialled}, {n.RewriteCaller, &r.Callers}} {
		for _, w := range list.from {
			re, err := regexp.Compile(w.Match)
			if err != nil {
				return r, fmt.Errorf("read numbers: %w", err)
			}
			*list.to = append(*list.to, record.Rewrite{Match: re, With: w.Replace})
		}
	}
	return r, r.Check()
}

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
		token := api.Token{Name: t.Name, Scopes: t.Scopes}
		if sum, err := hex.DecodeString(t.SHA256); err == nil && len(sum) == sha256.Size {
			token.Hash = [sha256.Size]byte(sum)
			out = append(out, token)
		}
	}
	return out
}

// ClientOptions are the configuration's AMI settings; Handle is the caller's.
func ClientOptions(c config.Config, log *slog.Logger) (ami.Options, error) {
	a := c.Asterisk
	secure, err := tlsOptions(a)
	return ami.Options{Address: a.Address, Username: a.Username, Secret: ami.Secret(a.Secret.Reveal()), TLS: secure,
		PingEvery: a.PingEvery, Deadline: a.Deadline, Log: log}, err
}

// ARIOptions are the configuration's ARI settings; Handle is the caller's.
func ARIOptions(c config.Config) (ari.Options, error) {
	a := c.Asterisk
	secure, err := tlsOptions(a)
	return ari.Options{URL: a.ARIURL, Username: a.Username, Password: a.Secret.Reveal(), Application: a.ARIApplication, TLS: secure,
		PingEvery: a.PingEvery, Deadline: a.Deadline}, err
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

// hosts are the names under which the API answers.
func hosts(c config.Config) []string {
	names := slices.Clone(c.HTTP.Hosts)
	if u, err := url.Parse(c.HTTP.BaseURL); err == nil && u.Hostname() != "" {
		names = append(names, strings.ToLower(u.Hostname()))
	}
	return names
}
