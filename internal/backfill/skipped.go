package backfill

import (
	"errors"
	"fmt"
)

// Skip says why a row was left out.
type Skip uint8

// The reasons, in the order in which they are told.
const (
	SkipOther   Skip = iota
	SkipColumns      // no layout has as many columns
	SkipQuotes       // its quotes do not fit
	SkipLong         // it is longer than any row
	SkipTime         // a time is none, or further away than any call
	SkipUnnamed      // it names no event, channel or outcome
	SkipExtra        // the column extra holds neither JSON nor the old list
	SkipOrder        // it ends before it begins
	skipEnd
)

// String is the reason, for people.
func (s Skip) String() string {
	names := [skipEnd]string{"unreadable", "no known layout has as many columns: name them by columns", "quotes that do not fit", "longer than any row",
		"a time that is none: see zone", "no event, channel or disposition", "the column extra cannot be read", "it ends before it begins"}
	if s < skipEnd {
		return names[s]
	}
	return names[SkipOther]
}

// Skipped is how many rows were left out, by [Skip].
type Skipped [skipEnd]int

// Each calls f for each reason that left a row out.
func (s *Skipped) Each(f func(Skip, int)) {
	for why, n := range s {
		if n > 0 {
			f(Skip(why), n)
		}
	}
}

// rowError is an error of one row.
type rowError struct {
	why Skip
	err error
}

func (e *rowError) Error() string { return e.err.Error() }
func (e *rowError) Unwrap() error { return e.err }

func unread(why Skip, format string, args ...any) error {
	return &rowError{why, fmt.Errorf(format, args...)}
}

// leftOut counts a row that could not be read.
func (s *Stats) leftOut(err error) {
	why := SkipOther
	var e *rowError
	if errors.As(err, &e) {
		why = e.why
	}
	s.Malformed++
	s.Skipped[why]++
}
