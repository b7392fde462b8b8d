package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A link of "voipd token link" signs our page in for somebody who has no token at hand.
// Its code stands behind the # of the address, which browsers send to nobody; the page
// takes it from there and sends it in place of a token, once.

const (
	// LinkFor is how long such a link works.
	LinkFor = 5 * time.Minute
	// linkEarly is by how much the clock may have been set back since it was made.
	linkEarly = 5 * time.Second
	// linkPrefix tells a code from a token.
	linkPrefix = "once."
)

// SignInPath is what stands between the page's address and a code.
const SignInPath = "/#/link="

// SignInCode makes a code that signs in, once, in place of the token of that hash. key
// is shared by voipd serve and whoever makes links.
func SignInCode(key []byte, token [sha256.Size]byte, now time.Time) string {
	issued, nonce := strconv.FormatInt(now.UnixMilli(), 36), rand.Text()
	return linkPrefix + issued + "." + nonce + "." + signInSum(key, token, issued, nonce)
}

func signInSum(key []byte, token [sha256.Size]byte, issued, nonce string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(token[:])
	mac.Write([]byte(issued + "." + nonce))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signInCodes remembers which codes were used, for as long as they would work.
type signInCodes struct {
	mu   sync.Mutex
	used map[string]time.Time // by nonce: until when
}

// use takes note of a genuine code. It is false where it was used before.
func (c *signInCodes) use(nonce string, until, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.used == nil {
		c.used = map[string]time.Time{}
	}
	for old, end := range c.used {
		if end.Before(now) {
			delete(c.used, old)
		}
	}
	if _, twice := c.used[nonce]; twice {
		return false
	}
	c.used[nonce] = until
	return true
}

// linked is the token for which a request signs in by a link; nil: by none. A code of
// before the start is refused: what was used then is not known any more.
func (s *server) linked(r *http.Request) *Token {
	scheme, code, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	code, ok := strings.CutPrefix(code, linkPrefix)
	parts := strings.Split(code, ".")
	if !ok || !strings.EqualFold(scheme, "Bearer") || len(parts) != 3 || len(s.opt.SignInKey) == 0 || r.Method != http.MethodPost || r.URL.Path != sessionPath {
		return nil
	}
	ms, err := strconv.ParseInt(parts[0], 36, 64)
	issued, now := time.UnixMilli(ms), s.opt.Now()
	if err != nil || issued.Before(s.started) || now.Before(issued.Add(-linkEarly)) || !now.Before(issued.Add(LinkFor)) {
		return nil
	}
	tokens := *s.tokens.Load()
	for i := range tokens {
		if hmac.Equal([]byte(parts[2]), []byte(signInSum(s.opt.SignInKey, tokens[i].Hash, parts[0], parts[1]))) {
			if s.codes.use(parts[1], issued.Add(LinkFor), now) {
				return &tokens[i]
			}
			return nil
		}
	}
	return nil
}

// ofPage tells whether a request is for our page itself.
func (s *server) ofPage(r *http.Request) bool {
	return s.opt.Page != nil && (r.Method == http.MethodGet || r.Method == http.MethodHead) && s.opt.Page.Has(r.URL.Path)
}

// page serves our page, and leaves what is not its own to next.
func (s *server) page(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.ofPage(r) {
			s.opt.Page.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
