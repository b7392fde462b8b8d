package api

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/rs/cors"
	"golang.org/x/time/rate"
)

// This file keeps off whom the API is not for: pages of other sites in a
// user's browser, and whoever guesses tokens.

// hosts lets requests in only under an address, localhost, or a name that the
// configuration has. A page of somebody else's site that lets its own name
// lead to this machine (DNS rebinding) comes with that name.
func (s *server) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		if _, err := netip.ParseAddr(host); err == nil || host == "localhost" || slices.Contains(s.opt.Hosts, host) {
			next.ServeHTTP(w, r)
			return
		}
		writeProblem(w, problem(http.StatusMisdirectedRequest, "unknown-host", "Unknown host",
			"voipd does not answer under this name. Put the name into http.base_url or http.hosts of the configuration."))
	})
}

// origins lets pages of the configured origins call the API from a browser,
// and no others. A request without an Origin comes from no page, or from our
// own.
func (s *server) origins(next http.Handler) http.Handler {
	if len(s.opt.Origins) > 0 {
		next = cors.New(cors.Options{
			AllowedOrigins: s.opt.Origins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodDelete},
			AllowedHeaders: []string{"Authorization", "Content-Type", "Range", "Last-Event-ID", idempotencyHeader, requestHeader},
			ExposedHeaders: []string{"Content-Range", "Content-Disposition", "Accept-Ranges", "ETag", "Retry-After", "Deprecation", "Sunset", requestHeader, replayedHeader},
			MaxAge:         int(time.Hour / time.Second),
		}).Handler(next)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" || slices.Contains(s.opt.Origins, origin) || ours(origin, r.Host) {
			next.ServeHTTP(w, r)
			return
		}
		writeProblem(w, problem(http.StatusForbidden, "foreign-origin", "Foreign origin",
			"Pages of this origin may not call voipd. Put the origin into http.origins of the configuration."))
	})
}

func ours(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, host)
}

// wrongTokens counts wrong tokens by address. The right token always gets in:
// behind a reverse proxy all clients have one address.
type wrongTokens struct {
	seen *expirable.LRU[string, *rate.Limiter]
	log  *slog.Logger
}

const (
	// wrongBurst wrong tokens are answered as such at once, then one every
	// wrongEvery; what comes faster is told to wait.
	wrongBurst = 10
	wrongEvery = 6 * time.Second
	// wrongAddresses are remembered; beyond, the one that was quiet longest is
	// forgotten, and starts anew.
	wrongAddresses = 4096
)

func newWrongTokens(log *slog.Logger) *wrongTokens {
	return &wrongTokens{seen: expirable.NewLRU[string, *rate.Limiter](wrongAddresses, nil, 0), log: log}
}

// one takes note of a wrong token and tells whether its sender has to wait.
func (t *wrongTokens) one(r *http.Request, now time.Time) (wait bool) {
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	limit, ok := t.seen.Get(address)
	if !ok {
		limit = rate.NewLimiter(rate.Every(wrongEvery), wrongBurst)
		t.seen.Add(address, limit)
	}
	left := limit.TokensAt(now)
	if left >= 1 && left < 2 {
		t.log.Warn("many wrong tokens from one address: it is told to wait", "address", address, "path", r.URL.Path)
	}
	return !limit.AllowN(now, 1)
}
