package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/voipd/voipd/internal/contract"
)

// A browser's EventSource and WebSocket send no Authorization, and a page should
// keep no token where its scripts can read it. For the first there are tickets, in
// the address of a stream; for the second, sessions of our own page, in a cookie.
// Both are passes: they stand for a token, and are worth nothing once it is gone.

const (
	// ticketFor is how long a ticket waits for its one use.
	ticketFor = time.Minute
	// sessionFor is how long a page stays signed in.
	sessionFor = 12 * time.Hour
	// mostPasses there may be at once; beyond, the one that ends first is dropped.
	mostPasses = 4096

	sessionCookie = "voipd_session"
	ticketParam   = "ticket"
	eventsPath    = "/v1/events"
	sessionPath   = "/v1/session"
	ticketsPath   = "/v1/tickets"
)

// pass stands for a token.
type pass struct {
	token [sha256.Size]byte // its hash
	until time.Time
}

// passes are kept in memory, by their hashes: a restart ends them.
type passes struct {
	// seal keys passes that nothing is kept of, so that another process knows them as
	// well. Then using one up has no effect: it ends with its time, or with its token.
	// Nil: passes are kept here.
	seal []byte

	mu  sync.Mutex
	all map[[sha256.Size]byte]pass
}

// issue makes a pass for a token.
func (p *passes) issue(token *Token, now time.Time, lasts time.Duration) (secret string, until time.Time) {
	if p.seal != nil {
		until = now.Add(lasts)
		return sealed(p.seal, pass{token.Hash, until}), until
	}
	fresh := make([]byte, 32)
	rand.Read(fresh)
	secret, until = base64.RawURLEncoding.EncodeToString(fresh), now.Add(lasts)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[[sha256.Size]byte]pass{}
	}
	if len(p.all) >= mostPasses {
		p.makeRoom(now)
	}
	p.all[sha256.Sum256([]byte(secret))] = pass{token.Hash, until}
	return secret, until
}

// makeRoom drops those that have ended, or else the one that ends first.
func (p *passes) makeRoom(now time.Time) {
	var first [sha256.Size]byte
	soonest := time.Time{}
	for key, of := range p.all {
		if !of.until.After(now) {
			delete(p.all, key)
		} else if soonest.IsZero() || of.until.Before(soonest) {
			first, soonest = key, of.until
		}
	}
	if len(p.all) >= mostPasses {
		delete(p.all, first)
	}
}

// of gives the hash of the token that a pass stands for. A pass that is used up
// is none any more.
func (p *passes) of(secret string, now time.Time, useUp bool) (token [sha256.Size]byte, ok bool) {
	if p.seal != nil {
		found, ok := unsealed(p.seal, secret)
		return found.token, ok && found.until.After(now)
	}
	key := sha256.Sum256([]byte(secret))
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.all[key]
	if ok && (useUp || !found.until.After(now)) {
		delete(p.all, key)
	}
	return found.token, ok && found.until.After(now)
}

// bearer is the token with which a request comes: in its header, or by a pass;
// nil: by none.
func (s *server) bearer(r *http.Request) (*Token, error) {
	if header := r.Header.Get("Authorization"); header != "" {
		if t := s.linked(r); t != nil {
			return t, nil
		}
		return s.known(r.Context(), header)
	}
	if r.URL.Path == eventsPath && r.Method == http.MethodGet {
		if ticket := r.URL.Query().Get(ticketParam); ticket != "" {
			t, err := s.passed(r.Context(), &s.tickets, ticket, true)
			if t != nil && t.has(contract.ScopeRecords) {
				scopes := []string{contract.ScopeRecords}
				if t.masked() {
					scopes = append(scopes, contract.ScopeMasked)
				}
				return &Token{Name: t.Name, Hash: t.Hash, Scopes: scopes, Tenant: t.Tenant}, nil
			}
			return nil, err
		}
	}
	if cookie, err := r.Cookie(sessionCookie); err == nil && fromOurPage(r) {
		return s.passed(r.Context(), &s.sessions, cookie.Value, false)
	}
	return nil, nil
}

// passed is the token that a pass stands for, if it is still one.
func (s *server) passed(ctx context.Context, all *passes, secret string, useUp bool) (*Token, error) {
	hash, ok := all.of(secret, s.opt.Now(), useUp)
	if !ok {
		return nil, nil
	}
	return s.byHash(ctx, hash)
}

// fromOurPage tells whether a request can be one of our own page, for which alone
// a cookie counts: a page of another port of this machine, or of a configured
// origin, has the cookie sent as well, but not its own Origin hidden. Whatever
// writes, and a WebSocket, has to say that it comes from here.
func fromOurPage(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Header.Get("Upgrade") == ""
	}
	return ours(origin, r.Host)
}

type ticketOutput struct {
	Body struct {
		Ticket    string    `json:"ticket" doc:"Goes into GET /v1/events?ticket= as it is, once"`
		ExpiresAt time.Time `json:"expiresAt"`
	}
}

// issueTicket makes a ticket for a stream.
func (s *server) issueTicket(ctx context.Context, _ *struct{}) (*ticketOutput, error) {
	out := &ticketOutput{}
	out.Body.Ticket, out.Body.ExpiresAt = s.tickets.issue(tokenIn(ctx), s.opt.Now(), ticketFor)
	out.Body.ExpiresAt = out.Body.ExpiresAt.UTC()
	return out, nil
}

type sessionOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      session
}

type session struct {
	Name   string   `json:"name" doc:"Of the token that the session stands for"`
	Scopes []string `json:"scopes" nullable:"false" doc:"What it may do"`
	Tenant string   `json:"tenant,omitempty" doc:"At a centre: whose records it is for"`
}

func sessionOf(t *Token) session {
	if len(t.Scopes) == 0 {
		return session{t.Name, contract.Scopes(), t.Tenant}
	}
	return session{t.Name, t.Scopes, t.Tenant}
}

// beginSession signs our page in.
func (s *server) beginSession(ctx context.Context, in *struct {
	Origin string `header:"Origin" hidden:"true"`
}) (*sessionOutput, error) {
	t := tokenIn(ctx)
	secret, _ := s.sessions.issue(t, s.opt.Now(), sessionFor)
	cookie := s.cookie(in.Origin, secret)
	cookie.MaxAge = int(sessionFor / time.Second)
	return &sessionOutput{cookie, sessionOf(t)}, nil
}

// cookie is only sent over TLS where the page came by it.
func (s *server) cookie(origin, value string) http.Cookie {
	return http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(origin, "https://") || strings.HasPrefix(s.opt.Signer.Base, "https://") && origin == ""}
}

// showSession says as whom the page is signed in.
func (s *server) showSession(ctx context.Context, _ *struct{}) (*struct{ Body session }, error) {
	return &struct{ Body session }{sessionOf(tokenIn(ctx))}, nil
}

// endSession signs our page out.
func (s *server) endSession(_ context.Context, in *struct {
	Session string `cookie:"voipd_session" hidden:"true"`
	Origin  string `header:"Origin" hidden:"true"`
}) (*struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}, error) {
	s.sessions.of(in.Session, s.opt.Now(), true)
	cookie := s.cookie(in.Origin, "")
	cookie.MaxAge = -1
	return &struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}{cookie}, nil
}
