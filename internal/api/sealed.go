package api

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// sealed is a pass as a text that only who has the key can make: the token's hash, the
// end, and a keyed sum of both.
func sealed(key []byte, p pass) string {
	text := binary.BigEndian.AppendUint64(p.token[:], uint64(p.until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(text, sealOf(key, text)...))
}

// unsealed reads what sealed made.
func unsealed(key []byte, text string) (p pass, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	const length = sha256.Size + 8
	if err != nil || len(raw) != length+sha256.Size || !hmac.Equal(raw[length:], sealOf(key, raw[:length])) {
		return p, false
	}
	copy(p.token[:], raw)
	p.until = time.Unix(int64(binary.BigEndian.Uint64(raw[sha256.Size:])), 0)
	return p, true
}

func sealOf(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}
