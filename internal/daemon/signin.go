package daemon

import (
	"net"
	"strings"
	"time"

	"github.com/voipd/voipd/internal/api"
	"github.com/voipd/voipd/internal/config"
)

// SignInSecret is the name of the secret in the store that signs links which sign in.
const SignInSecret = "sign-in"

// SignInLink is a link that signs the page in once, as the token of that name; empty:
// there is none of that name.
func (d *Daemon) SignInLink(name string) string {
	return SignInLink(d.config, d.BaseURL(), name, d.signIn, time.Now())
}

// SignInLink is that of a daemon at base that has the configuration and the key.
func SignInLink(c config.Config, base, name string, key []byte, now time.Time) string {
	for _, t := range tokens(c) {
		if t.Name == name {
			return base + api.SignInPath + api.SignInCode(key, t.Hash, now)
		}
	}
	return ""
}

// Base is the address by which others reach the API of a daemon with that configuration:
// http.base_url, or the one at which it listens.
func Base(c config.Config) string {
	if c.HTTP.BaseURL != "" {
		return strings.TrimRight(c.HTTP.BaseURL, "/")
	}
	scheme := "http://"
	if c.HTTP.TLSCertFile != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(c.HTTP.Listen)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return scheme + net.JoinHostPort("localhost", port) // it listens at every address
	}
	return scheme + c.HTTP.Listen
}
