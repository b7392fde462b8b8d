package store

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/voipd/voipd/record"
)

// Query picks records. The zero value of a field does not restrict; a record fits
// a list where it has one of its values.
type Query struct {
	From, To     time.Time // by start: From inclusive, To exclusive
	Directions   []record.Direction
	Dispositions []record.Disposition
	Phones       []string // srcPhone or dstPhone, whole
	Operators    []string // who was rung, talked, called, or handed the call over or took it
	DIDs         []string
	Queues       []string
	Number       string // a part of srcPhone or dstPhone, three digits or more; other characters do not count
	Name         string // a part of the caller's name, three letters or more, or the first two of a word
	Recorded     *bool
	Transferred  *bool // blind or attended
	Approximate  *bool
	MinDuration  int // seconds
	CallID       string
	PBXs         []string // of a database of several; one of one PBX does not look at it
	After        Cursor   // records behind this one in the list's order
	Oldest       bool     // the oldest first; else the newest
	Limit        int      // at most so many; 0 is 100
	// Visible is what may be looked for of a number, which is given as its digits; what
	// it puts in place of others is none. nil: all of it.
	Visible func(digits string) string
}

// Cursor is a position in the list: the start and id of its last record. The zero
// value is the beginning.
type Cursor struct {
	StartedAt time.Time
	CallID    string
	PBX       string // empty in a database of one PBX
}

// ShortestPart is how many digits or letters a part has at least.
const ShortestPart = gram

// Digits of a number as a person writes it, in the form in which [Query].Number
// looks for them: of more than ten the last ten, since one and the same number is
// written +7 903…, 8 903… and 903….
func (q *Query) part() string {
	all := digits(q.Number)
	if len(all) > 10 {
		return all[len(all)-10:]
	}
	return all
}

// wanted is what a query asks of an entry beside its time.
type wanted struct {
	all          []string   // keys that it has, the rarest first
	any          [][]string // of each of these it has one
	none         []string   // keys that it has not
	number, name string     // parts that its keys do not decide alone
	minDuration  int        // the same; 0: they do
	visible      func(string) string
}

func (q *Query) wanted() (w wanted) {
	keyed := func(kind string, values []string) []string {
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = key(kind, v)
		}
		return out
	}
	w.oneOf(keyed(keyPhone, q.Phones))
	w.visible = q.Visible
	w.parts(q.part(), fold(q.Name))
	w.oneOf(append(keyed(keyPhone, q.Operators), keyed(keyParty, q.Operators)...))
	w.oneOf(keyed(keyDID, q.DIDs))
	w.oneOf(keyed(keyQueue, q.Queues))
	w.is(keyApproximate, q.Approximate)
	w.is(keyTransferred, q.Transferred)
	var some []string
	for _, d := range q.Dispositions {
		some = append(some, keyDisposition+string(d))
	}
	w.oneOf(some)
	some = nil
	for _, d := range q.Directions {
		some = append(some, keyDirection+string(d))
	}
	w.oneOf(some)
	w.lasts(q.MinDuration)
	w.is(keyRecorded, q.Recorded)
	return w
}

// restricts tells whether it asks for anything.
func (w *wanted) restricts() bool { return len(w.all)+len(w.any)+len(w.none) > 0 }

// undecided tells whether keys do not decide alone.
func (w *wanted) undecided() bool { return w.number != "" || w.name != "" }

func (w *wanted) oneOf(keys []string) {
	switch len(keys) {
	case 0:
	case 1:
		w.all = append(w.all, keys[0])
	default:
		w.any = append(w.any, keys)
	}
}

func (w *wanted) is(key string, holds *bool) {
	switch {
	case holds == nil:
	case *holds:
		w.all = append(w.all, key)
	default:
		w.none = append(w.none, key)
	}
}

// mostGrams of a part are asked for: the rest is left to looking at the text.
const mostGrams = 6

func (w *wanted) parts(number, name string) {
	if number != "" {
		w.all = append(w.all, spread(grams(number), keyDigits)...)
		if len(number) > gram || w.visible != nil {
			w.number = number
		}
	}
	if name == "" {
		return
	}
	if utf8.RuneCountInString(name) < gram {
		w.all = append(w.all, keyLetters+" "+name) // a word begins with it
		return
	}
	w.all = append(w.all, spread(grams(name), keyLetters)...)
	if utf8.RuneCountInString(name) > gram {
		w.name = name
	}
}

// spread picks some that are far from each other.
func spread(grams []string, kind string) (out []string) {
	n := min(len(grams), mostGrams)
	for i := range n {
		at := i
		if n > 1 {
			at = i * (len(grams) - 1) / (n - 1)
		}
		if k := kind + grams[at]; !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

func (w *wanted) lasts(seconds int) {
	if seconds <= 0 {
		return
	}
	step := 0
	for _, s := range durations() {
		if s <= seconds {
			step = s
		}
	}
	w.all = append(w.all, durationKey(step))
	if step != seconds {
		w.minDuration = seconds
	}
}

// fits tells whether an entry is what is wanted.
func (w *wanted) fits(e *entry) bool {
	has := func(key string) bool { return e.keys[key] }
	for _, keys := range w.any {
		if !slices.ContainsFunc(keys, has) {
			return false
		}
	}
	return !slices.ContainsFunc(w.all, func(key string) bool { return !has(key) }) && !slices.ContainsFunc(w.none, has) &&
		e.duration >= w.minDuration && w.reads(e.numbers, e.name)
}

// reads tells whether an entry's texts have the parts.
func (w *wanted) reads(numbers, name string) bool {
	if w.visible != nil && w.number != "" {
		src, dst, _ := strings.Cut(numbers, " ")
		numbers = w.visible(src) + " " + w.visible(dst)
	}
	return strings.Contains(numbers, w.number) && strings.Contains(name, w.name)
}
