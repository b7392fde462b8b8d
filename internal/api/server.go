package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// stopWithin bounds an orderly stop; systemd kills what takes longer.
const stopWithin = 4 * time.Second

// ServerOptions of a Server.
type ServerOptions struct {
	Listen   string // host:port
	CertFile string // the API's own certificate; empty: plain HTTP
	KeyFile  string
	Log      *slog.Logger
}

// Server listens for the API. Make one with [Listen]; Run it once, or Close it.
type Server struct {
	opt      ServerOptions
	listener net.Listener
	clients  *connections
	secure   net.Listener // listener, with TLS where there is a certificate
}

// Listen opens the API's port. Clients that connect before Run wait.
func Listen(opt ServerOptions) (*Server, error) {
	l, err := net.Listen("tcp", opt.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for the API (http.listen): %w", err)
	}
	clients := newConnections(l, bounds{maxConnections, reserved, maxStrangers, strangerIdle}, opt.Log)
	s := &Server{opt: opt, listener: l, clients: clients, secure: clients}
	if opt.CertFile == "" {
		return s, nil
	}
	c, err := newCertificate(opt.CertFile, opt.KeyFile, opt.Log)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.secure = tls.NewListener(s.secure, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get})
	return s, nil
}

// Addr is the host:port at which the API listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address of the API by its port alone.
func (s *Server) URL() string {
	if s.opt.CertFile != "" {
		return "https://" + s.Addr()
	}
	return "http://" + s.Addr()
}

// Close closes the port of a server that does not run.
func (s *Server) Close() error {
	if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Run serves h until ctx ends. Then it calls stopping, which ends live streams
// and conversions, and waits up to four seconds for the other answers.
//
// It bounds what a client may take: time for its headers, their size, and idle
// connections. An answer may take as long as a long recording over a slow line.
func (s *Server) Run(ctx context.Context, h http.Handler, stopping func()) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Hour,
		ConnState: s.clients.state, ConnContext: withConnection, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.opt.Log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(s.secure) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve the API: %w", err)
	case <-ctx.Done():
	}
	stopping()
	shut, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if err := server.Shutdown(shut); err != nil {
		_ = server.Close() // a download that goes on is cut
	}
	<-failed
	return nil
}
