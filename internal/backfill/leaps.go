package backfill

import (
	"context"
	"errors"
	"time"
)

// setAhead is how far ahead of the row before it a row's time has to be for the
// clock to have been set ahead in between, where it was set back before or
// later by about as much.
const setAhead = 30 * time.Second

// mostSilences bounds what is remembered of silences, and of leaps back: where
// more of them lie between a leap and the one that undoes it, it is not found.
const mostSilences = 10_000

// leaps finds, in the times of CEL rows in the order in which they were
// written, before which times the clock was set ahead. A row after a silence
// looks the same, so that a leap ahead counts only beside one back: where the
// clock goes back to, it had leapt from (it was wrong for a while), or where it
// went back from, it leaps to (it is right again). A leap ahead alone does not
// show.
type leaps struct {
	last    time.Time   // of the latest row; zero: there was none
	silence []silence   // that may have been leaps ahead
	back    []time.Time // where the clock was set back from and is not yet again
	ahead   leapt
}

// leapt are the times of the rows before which the clock was set ahead.
type leapt map[time.Time]bool

// silence is a stretch without a row; to is the time of the next one.
type silence struct{ from, to time.Time }

func (s silence) holds(at time.Time) bool { return !at.Before(s.from) && at.Before(s.to) }

// row takes in the time of the next row.
func (l *leaps) row(at time.Time) {
	last := l.last
	l.last = at
	switch step := at.Sub(last); {
	case last.IsZero():
	case step < -setBack:
		l.back = append(l.back[max(0, len(l.back)-mostSilences):], last)
		for i := len(l.silence) - 1; i >= 0; i-- {
			if l.silence[i].holds(at) {
				l.ahead[l.silence[i].to] = true
				break
			}
		}
	case step > setAhead:
		s := silence{last, at}
		l.silence = append(l.silence[max(0, len(l.silence)-mostSilences):], s)
		for i := len(l.back) - 1; i >= 0; i-- {
			if s.holds(l.back[i]) {
				l.ahead[at] = true
				l.back = l.back[:i]
				break
			}
		}
	}
}

// findLeaps reads the times of a file's rows, as far as they are read for the
// span, and tells before which of them the clock was set ahead.
func (s *Source) findLeaps(ctx context.Context, from *countedReader, span Span) (leapt, error) {
	l := leaps{ahead: leapt{}}
	times := shapeOf(s, func(y layout, cells []string) (time.Time, error) { return when(s.time(y, cells), s.opt.Zone) })
	err := readRowsUntil(from, times, &Stats{}, func(at time.Time) error {
		if span.passed(at) {
			return errBehind
		}
		l.row(at)
		return ctx.Err()
	})
	if errors.Is(err, errBehind) {
		err = nil
	}
	return l.ahead, err
}
