package api

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateAge is how often the certificate's files are checked, at the
// most: a renewed one is in use this long after it was written.
const certificateAge = 10 * time.Second

// certificate is the API's own TLS certificate. It is read again when its
// files change; one that cannot be read then leaves the former one in use.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	now     *tls.Certificate
	seen    [2]time.Time // when the files were changed last
	checked time.Time
}

// newCertificate reads a certificate. The error says which file is wrong.
func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("read the API's certificate (http.tls_cert_file, http.tls_key_file): %w", err)
	}
	return c, nil
}

func (c *certificate) read() error {
	seen, err := c.changed()
	if err != nil {
		return err
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.now, c.seen, c.checked = &pair, seen, time.Now()
	return nil
}

func (c *certificate) changed() (at [2]time.Time, err error) {
	for i, name := range [...]string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return at, err
		}
		at[i] = info.ModTime()
	}
	return at, nil
}

// get is the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.checked) < certificateAge {
		return c.now, nil
	}
	c.checked = time.Now()
	if seen, err := c.changed(); err == nil && seen == c.seen {
		return c.now, nil
	}
	if err := c.read(); err != nil {
		c.log.Error("the renewed certificate cannot be read; the former one stays in use", "error", err)
		return c.now, nil
	}
	c.log.Info("the certificate was renewed")
	return c.now, nil
}
