package trace

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"

	"github.com/voipd/voipd/record"
)

// Disguise replaces phone numbers and names, the same ones by the same ones,
// and leaves what the rules go by: how long a number is, how it begins, and
// short internal numbers.
type Disguise struct {
	key     []byte
	long    *regexp.Regexp
	names   map[string]string
	epochs  *regexp.Regexp
	numbers map[string]string
}

// keep is how many leading digits of a number stay: enough for a country and
// an access prefix, too few to tell whose it is.
const keep = 2

// NewDisguise makes a Disguise. With the same key the same number gets the same
// stand-in; a random key makes it impossible to look one up.
func NewDisguise(key []byte) *Disguise {
	return &Disguise{
		key: key, long: regexp.MustCompile(`\d{7,}(?:\.\d+)?`), epochs: regexp.MustCompile(`^\d{10}\.\d+$`),
		names: map[string]string{}, numbers: map[string]string{},
	}
}

// Event is the event with its numbers and names replaced. Ids of channels and
// bridges stay: they are times and counters.
func (d *Disguise) Event(e record.Event) record.Event {
	e.Channel.Name, e.Peer.Name = d.text(e.Channel.Name), d.text(e.Peer.Name)
	e.Channel.Class, e.Peer.Class = d.text(e.Channel.Class), d.text(e.Peer.Class)
	e.Number, e.PeerNumber = d.number(e.Number), d.number(e.PeerNumber)
	e.Exten = d.text(e.Exten)
	e.Key = d.text(e.Key)
	if e.Kind == record.Executed && !callApplication(e.Key) {
		e.Value = "" // what it plays, sets or runs says nothing of the call, and much of the caller
	}
	e.Value = d.text(e.Value)
	if e.Name != "" {
		e.Name = d.name(e.Name)
	}
	return e
}

// callApplication: the data of these tells where a call goes.
func callApplication(app string) bool {
	switch strings.ToLower(app) {
	case "dial", "page", "queue", "mixmonitor", "confbridge", "voicemail", "goto", "gosub", "macro":
		return true
	}
	return false
}

// number replaces a caller ID number, which may also be a SIP user's name.
func (d *Disguise) number(s string) string {
	switch {
	case s == "", strings.EqualFold(s, record.Anonymous), strings.Trim(s, "0123456789+*#") == "":
		return d.text(s)
	}
	return d.name(s)
}

// text replaces every long number in s.
func (d *Disguise) text(s string) string {
	return d.long.ReplaceAllStringFunc(s, func(found string) string {
		if d.epochs.MatchString(found) {
			return found // a channel's id
		}
		digits, rest, _ := strings.Cut(found, ".")
		if rest != "" {
			rest = "." + rest
		}
		return d.digits(digits) + rest
	})
}

func (d *Disguise) digits(s string) string {
	if to, ok := d.numbers[s]; ok {
		return to
	}
	sum := d.sum(s)
	out := []byte(s)
	for i := keep; i < len(out); i++ {
		out[i] = '0' + sum[i%len(sum)]%10
	}
	d.numbers[s] = string(out)
	return string(out)
}

func (d *Disguise) name(s string) string {
	if _, ok := d.names[s]; !ok {
		d.names[s] = fmt.Sprintf("name%d", len(d.names)+1)
	}
	return d.names[s]
}

func (d *Disguise) sum(s string) []byte {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(s))
	return mac.Sum(nil)
}
