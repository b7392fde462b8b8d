package recording

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Why a link does not work.
var (
	ErrExpired   = errors.New("the link has expired")
	ErrSignature = errors.New("the link's signature is wrong")
)

// Signer makes links that work alone, without a token, until they expire.
type Signer struct {
	Key  []byte        // kept in the store; a new one makes all links void
	Base string        // address of the API, without a slash at the end
	TTL  time.Duration // how long a link works; Never: until its key is no more
	By   string        // whose links these are, which links say; empty: everybody's
}

// Never as a TTL makes links that do not expire.
const Never time.Duration = -1

// never stands in such a link where others have a time.
const never = "never"

// Of makes the signer of links that belong to somebody. parts are what they hang on:
// another part makes them void.
func (s Signer) Of(by string, ttl time.Duration, parts ...[]byte) Signer {
	for _, part := range parts {
		mac := hmac.New(sha256.New, s.Key)
		mac.Write(part)
		s.Key = mac.Sum(nil)
	}
	s.By, s.TTL = by, ttl
	return s
}

// LinkPath is the path of recordings in the API.
const LinkPath = "/v1/recordings/"

// Link makes the link to a recording and tells until when it works; zero: it does not
// expire.
func (s Signer) Link(callID, id string, now time.Time) (link string, expires time.Time) {
	at := never
	if s.TTL != Never {
		expires = now.Add(s.TTL).UTC().Truncate(time.Second)
		at = strconv.FormatInt(expires.Unix(), 10)
	}
	query := url.Values{"expires": {at}, "signature": {hex.EncodeToString(s.sum(callID, id, at))}}
	if s.By != "" {
		query.Set("by", s.By)
	}
	return s.Base + LinkPath + url.PathEscape(callID) + "/" + url.PathEscape(id) + "?" + query.Encode(), expires
}

// Check tells whether a link with these parts is genuine and still works.
func (s Signer) Check(callID, id, expires, signature string, now time.Time) error {
	given, err := hex.DecodeString(signature)
	if err != nil || !hmac.Equal(given, s.sum(callID, id, expires)) {
		return ErrSignature
	}
	if expires == never {
		return nil
	}
	at, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return ErrSignature
	}
	if now.Unix() >= at {
		return ErrExpired
	}
	return nil
}

// sum signs the parts, each with its length before it, so that no two links
// have the same text to sign.
func (s Signer) sum(parts ...string) []byte {
	mac := hmac.New(sha256.New, s.Key)
	for _, p := range parts {
		mac.Write([]byte(strconv.Itoa(len(p)) + ":"))
		mac.Write([]byte(p))
	}
	return mac.Sum(nil)
}

// FileName is a name for a download, without anything that could mislead: the
// last part of the path, printable ASCII only.
func FileName(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-+", r):
			return r
		}
		return '_'
	}, name)
}
