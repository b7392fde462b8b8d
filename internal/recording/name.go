package recording

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/voipd/voipd/record"
)

// stamp is the date and time in a recording's name, and what stands before and
// behind: "external-101-79031000001-20261122-164952-1795366192.23".
func stamp() *regexp.Regexp {
	return regexp.MustCompile(`^(?:|(.*)[-_])(20\d\d[01]\d[0-3]\d-[0-2]\d[0-5]\d[0-5]\d)(?:[-_](.+)|\..*|)$`)
}

// idIn is the id that a file's name holds, of those that wanted picks; empty: it
// holds none. An id stands whole between separators: 1795.1 is not in
// "q-1795.10.wav". Where several do, it is the last, and of those that end there
// the longest, as an id may carry a system name: pbx-01-1795.1.
//
// In a name as FreePBX has them, what stands behind date and time is the id:
// in-101-…-20261122-164952-pbx-01-1795.1 is not of the channel 1795.1.
func idIn(name string, wanted func(string) bool) string {
	stem := record.Stem(name)
	for end := len(stem); end > 0; end = before(stem, end) {
		for start := 0; start < end; start = behind(stem, start) {
			if wanted(stem[start:end]) {
				return unlessNamed(stem, start, end)
			}
		}
	}
	return ""
}

// unlessNamed is the id that stands at a place of a stem, unless a system's name
// between date and time and it makes it another PBX's.
func unlessNamed(stem string, start, end int) string {
	if m := stamp().FindStringSubmatchIndex(stem); m != nil && m[2] >= 0 && m[6] >= 0 && m[6] < start &&
		strings.ContainsFunc(stem[m[6]:start], unicode.IsLetter) {
		return ""
	}
	return stem[start:end]
}

// before is the last place before end at which an id may end; 0: there is none.
func before(stem string, end int) int {
	for i := end - 1; i > 0; i-- {
		if separates(stem, i) && !separates(stem, i-1) {
			return i
		}
	}
	return 0
}

// behind is the first place behind start at which an id may begin.
func behind(stem string, start int) int {
	for i := start + 1; i < len(stem); i++ {
		if separates(stem, i-1) && !separates(stem, i) {
			return i
		}
	}
	return len(stem)
}

// separates tells whether the byte at a place is a separator: neither part of a
// word nor the dot within a number.
func separates(stem string, i int) bool {
	c := stem[i]
	if c == '.' {
		return i == 0 || i == len(stem)-1 || !digit(stem[i-1]) || !digit(stem[i+1])
	}
	return c < utf8.RuneSelf && !digit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

const (
	// clockError is how far the clock that a file's times tell may be from the call's:
	// with one that is further off, a recording of the conversation would look as
	// one of the ringing.
	clockError = time.Second
	// zones is by how much the zones of the world differ from each other.
	zones = 15 * time.Minute
)

// heard tells when a recording of a call began, and whether it holds
// conversation. Asterisk wrote to the file last when it ended, so that it began
// by its length before. Where that is not in the call (a script wrote the file,
// or its length does not show), the name's date and time may tell, which is in
// the PBX's zone, whatever that is; else it began with the call.
//
// Of a call with a conversation, a recording with sound in it holds some, but
// where the file's own times show that it does not, beside those of a call that
// are not approximate (the PBX's clock may have been set in it).
func heard(d *record.Details, name string, written time.Time, length time.Duration) (at time.Time, talk bool) {
	from, to := d.StartedAt.Add(-clockError), d.EndedAt.Add(clockError)
	at, talk = d.StartedAt, len(d.Conversations) > 0
	if began := written.Add(-length); length > 0 && !began.Before(from) && !written.After(to) {
		at = began
		if len(d.Approximate) == 0 {
			talk = slices.ContainsFunc(d.Conversations, func(c record.Conversation) bool {
				return !c.At.After(written.Add(clockError)) && !c.At.Add(time.Duration(c.MS)*time.Millisecond).Before(began.Add(-clockError))
			})
		}
	} else if local, ok := stampIn(name); ok {
		if began := from.Add((local.Sub(from)%zones + zones) % zones); !began.After(to) {
			at = began
		}
	}
	at = at.UTC().Truncate(time.Millisecond)
	if at.After(d.EndedAt) {
		at = d.EndedAt
	}
	if at.Before(d.StartedAt) {
		at = d.StartedAt
	}
	return at, talk
}

// stampIn is the date and time in a file's name, as if it were UTC.
func stampIn(name string) (at time.Time, ok bool) {
	m := stamp().FindStringSubmatch(path.Base(name))
	if m == nil {
		return at, false
	}
	at, err := time.Parse("20060102-150405", m[2])
	return at, err == nil
}
