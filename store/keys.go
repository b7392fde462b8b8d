package store

import (
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"

	"github.com/voipd/voipd/record"
)

// The kinds of keys: the first byte of each. Rows have them, so they never change.
const (
	keyAll         = "a" // every record
	keyDirection   = "i"
	keyDisposition = "o"
	keyPhone       = "p" // srcPhone or dstPhone
	keyParty       = "t" // who else was rung, talked, or handed the call over
	keyDID         = "d"
	keyQueue       = "q"
	keyRecorded    = "r"
	keyTransferred = "f"
	keyApproximate = "x"
	keyDuration    = "l" // at least so many seconds
	keyOperator    = "u" // the operator for whom the call counts in figures
	keyDigits      = "n" // three digits of a number
	keyLetters     = "c" // three letters of the caller's name
)

const (
	// gram is how many digits or letters stand together in a key.
	gram = 3
	// longest is how many bytes of a value are in its key; the rest is hashed.
	longest = 48
	// numberLength and nameLength are how much of a number and a name is looked
	// for by its parts.
	numberLength, nameLength = 40, 120
)

// entry is what a record is found by.
type entry struct {
	callID        string
	at            int64 // when it began
	duration      int
	wait          int64 // milliseconds from the start to the first conversation, or to the end
	keys          map[string]bool
	numbers, name string
}

// entryOf is pure: the same record has the same entry.
func entryOf(r *record.Record) entry {
	d := &r.Details
	e := entry{callID: r.CallID, at: d.StartedAt.UnixMilli(), duration: r.Duration, wait: d.WaitMS, keys: map[string]bool{keyAll: true}}
	e.keys[keyDirection+string(r.Direction)] = true
	e.keys[keyDisposition+string(r.Disposition)] = true
	for _, phone := range []string{r.SrcPhone, r.DstPhone} {
		if phone != "" {
			e.keys[key(keyPhone, phone)] = true
		}
	}
	for _, phone := range parties(d) {
		if phone != "" && phone != r.SrcPhone && phone != r.DstPhone {
			e.keys[key(keyParty, phone)] = true
		}
	}
	for _, v := range []struct{ kind, value string }{{keyDID, d.DID}, {keyQueue, d.Queue}} {
		if v.value != "" {
			e.keys[key(v.kind, v.value)] = true
		}
	}
	if operator := operatorOf(r); operator != "" {
		e.keys[key(keyOperator, operator)] = true
	}
	e.is(keyRecorded, r.Recorded())
	e.is(keyTransferred, slices.ContainsFunc(d.Transfers, func(t record.Transfer) bool { return t.Kind == "blind" || t.Kind == "attended" }))
	e.is(keyApproximate, len(d.Approximate) > 0)
	for _, step := range durations() {
		e.is(durationKey(step), r.Duration >= step)
	}
	src, dst := digits(r.SrcPhone), digits(r.DstPhone)
	e.numbers, e.name = src+" "+dst, fold(d.CallerName)
	for _, text := range []string{src, dst} {
		for _, g := range grams(text) {
			e.keys[keyDigits+g] = true
		}
	}
	for _, g := range grams(" " + e.name) {
		e.keys[keyLetters+g] = true
	}
	return e
}

func (e *entry) is(key string, holds bool) {
	if holds {
		e.keys[key] = true
	}
}

// parties are the phones that had a part in the call.
func parties(d *record.Details) (out []string) {
	for _, r := range d.Rang {
		out = append(out, r.Phone)
	}
	for _, c := range d.Conversations {
		out = append(out, c.A, c.B)
	}
	for _, t := range d.Transfers {
		out = append(out, t.By, t.To)
	}
	return out
}

// operatorOf is the operator for whom a call counts: who called, or who talked first,
// or was rung first where nobody did; empty: nobody was.
func operatorOf(r *record.Record) string {
	switch {
	case r.Direction != record.In:
		return r.SrcPhone
	case slices.Contains(parties(&r.Details), r.DstPhone):
		return r.DstPhone
	}
	return ""
}

// durations are the seconds that have keys of their own, in ascending order.
func durations() []int {
	return []int{1, 2, 3, 5, 8, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1200, 1800, 2700, 3600, 7200}
}

func durationKey(seconds int) string { return keyDuration + strconv.Itoa(seconds) }

// key is that of a value of any length.
func key(kind, value string) string {
	if len(value) <= longest {
		return kind + value
	}
	sum := sha256.Sum256([]byte(value))
	return kind + value[:longest-16] + string(sum[:16])
}

// digits are those of a number, without the marks between them.
func digits(number string) string {
	out := make([]byte, 0, len(number))
	for i := 0; i < len(number) && len(out) < numberLength; i++ {
		if c := number[i]; c >= '0' && c <= '9' {
			out = append(out, c)
		}
	}
	return string(out)
}

// fold brings a name to the form in which it is looked for.
func fold(name string) string {
	text := []rune(strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(strings.ToValidUTF8(name, "\uFFFD")), "ё", "е")), " "))
	return string(text[:min(len(text), nameLength)])
}

// grams are all parts of a text that are gram characters long.
func grams(text string) (out []string) {
	runes := []rune(text)
	for i := 0; i+gram <= len(runes); i++ {
		out = append(out, string(runes[i:i+gram]))
	}
	return out
}
