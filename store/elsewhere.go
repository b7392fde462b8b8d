package store

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/voipd/voipd/record"
)

// This file lets another database find records as this one does: by the same keys,
// without those of parts and durations, for which it has other means.

// Findable is what a record is found by.
type Findable struct {
	Keys    []string // sorted; of any bytes
	Numbers string   // digits of both numbers, with a blank between
	Name    string   // the caller's, folded, behind a blank
}

// FindableOf is pure: the same record has the same.
func FindableOf(r *record.Record) Findable {
	e := entryOf(r)
	keys := slices.DeleteFunc(slices.Sorted(maps.Keys(e.keys)), partial)
	return Findable{Keys: keys, Numbers: e.numbers, Name: " " + e.name}
}

// partial tells whether a key is of a part or a duration, or every record's.
func partial(key string) bool {
	return strings.HasPrefix(key, keyDigits) || strings.HasPrefix(key, keyLetters) || strings.HasPrefix(key, keyDuration) || key == keyAll
}

// Criteria are what a query asks of a [Findable], beside times, duration and call id.
type Criteria struct {
	All          []string   // keys that it has
	Any          [][]string // of each of these it has one
	None         []string   // keys that it has not
	Number, Name string     // a part of Numbers, of Name
}

// Criteria of a query.
func (q *Query) Criteria() Criteria {
	w := q.wanted()
	c := Criteria{All: slices.DeleteFunc(w.all, partial), Any: w.any, None: w.none, Number: q.part(), Name: fold(q.Name)}
	if c.Name != "" && utf8.RuneCountInString(c.Name) < gram {
		c.Name = " " + c.Name // a word begins with it
	}
	return c
}
