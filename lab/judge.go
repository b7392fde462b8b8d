package lab

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Want is an expected record, by the rules of what a call record says. Where
// the rules leave a choice, the right values are separated by "|".
type Want struct {
	Direction   string // in, out, internal
	Src         string // srcPhone
	Dst         string // dstPhone
	Disposition string
	Duration    int // whole seconds, one more or less is right; NotJudged: whatever
	Audio       int // seconds of the recording behind the link, one more or less; 0: not recorded; NotJudged: any, but recorded
}

// NotJudged stands for a number that the rules leave open.
const NotJudged = -1

// told is what is judged of a record, whoever told it: the daemon over HTTP
// or the Machine in a test.
type told struct {
	direction, src, dst, disposition string
	duration                         int
	recorded                         bool
}

// deviation is one field of a record that is not as it must be.
type deviation struct{ field, got, want string }

func (d deviation) String() string {
	return fmt.Sprintf("%s is %q, must be %q", d.field, d.got, d.want)
}

// deviations compares a record with what is wanted, field by field.
func (w Want) deviations(got told) []deviation {
	var found []deviation
	text := func(field, want, got string) {
		if !slices.Contains(strings.Split(want, "|"), got) {
			found = append(found, deviation{field, got, want})
		}
	}
	text("direction", w.Direction, got.direction)
	text("srcPhone", w.Src, got.src)
	text("dstPhone", w.Dst, got.dst)
	text("disposition", w.Disposition, got.disposition)
	if d := got.duration - w.Duration; w.Duration != NotJudged && (d < -1 || d > 1) {
		found = append(found, deviation{"duration", strconv.Itoa(got.duration), strconv.Itoa(w.Duration)})
	}
	text("recorded", strconv.FormatBool(w.Audio != 0), strconv.FormatBool(got.recorded))
	return found
}
