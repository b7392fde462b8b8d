package backfill

import (
	"strconv"
	"strings"
	"time"

	"github.com/voipd/voipd/record"
)

// This file takes from the rows of one call together what none of them says:
// Asterisk writes of a channel what it last did, and its own answer.

// answeredFirst is why the time of a conversation is not certain.
const answeredFirst = "the PBX had answered before anybody was rung: the conversation may be shorter"

// mend corrects rows by others of the call.
func (t *cdrTale) mend() {
	for i := range t.rows {
		r := &t.rows[i]
		if by := t.taker(*r); by != nil {
			r.taken, by.taker = true, true
		}
		if r.conference() && r.peer != "" && !r.answer.IsZero() {
			r.answer = latest(r.answer, t.arrives(r.channel, r.start), t.arrives(r.peer, r.start))
			if r.answer.After(r.end) {
				r.answer = r.end
			}
		}
		if with := t.throughLocal(*r); !with.IsZero() {
			r.answer = with
		}
	}
}

func latest(times ...time.Time) time.Time {
	var last time.Time
	for _, at := range times {
		if at.After(last) {
			last = at
		}
	}
	return last
}

// taker is the row of somebody who took the call from the phone that a row rang:
// it begins where that ends, is of the same channel and the same dialling, and
// that one did not ring its phone. Some versions say of the first that it was
// answered, for no time at all.
func (t *cdrTale) taker(r cdrRow) *cdrRow {
	if r.peer == "" || !r.answer.IsZero() && r.answer.Before(r.end) {
		return nil
	}
	if i, _ := dialElement(r.data, r.peer, nil); i < 0 {
		return nil
	}
	for i := range t.rows {
		by := &t.rows[i]
		if by.channel != r.channel || by.peer == "" || by.peer == r.peer || by.data != r.data || by.answer.IsZero() || by.start.Sub(r.end).Abs() > touching {
			continue
		}
		if i, _ := dialElement(by.data, by.peer, nil); i < 0 && !strings.HasPrefix(by.peer, "Local/") {
			return by
		}
	}
	return nil
}

// arrives is when a member of a conference came to the others, as far as his own
// rows tell: one that names no other ends there.
func (t *cdrTale) arrives(name string, otherwise time.Time) time.Time {
	var began time.Time
	for _, r := range t.rows {
		if r.channel != name || !r.conference() {
			continue
		}
		if r.peer == "" {
			return r.end
		}
		if began.IsZero() || r.start.Before(began) {
			began = r.start
		}
	}
	if began.IsZero() {
		return otherwise
	}
	return began
}

// throughLocal is when the two sides of a call that the PBX began by a Local
// channel came together: the row of its first half has the answer of who was rung
// by the other, and not of whom it rang then. Zero: the row is no such one.
func (t *cdrTale) throughLocal(r cdrRow) time.Time {
	half, is := strings.CutSuffix(r.channel, ";1")
	if !is || r.peer == "" || r.answer.IsZero() {
		return time.Time{}
	}
	var met time.Time
	var rung string
	for _, other := range t.rows {
		if other.channel == half+";2" && other.answer.Equal(r.answer) {
			rung = other.peer
		}
	}
	for _, other := range t.rows {
		if rung != "" && !other.answer.IsZero() && (other.channel == rung && other.peer == r.peer || other.channel == r.peer && other.peer == rung) {
			met = other.answer
		}
	}
	if met.Before(r.answer) || met.After(r.end) {
		return time.Time{}
	}
	return met
}

// leastRing is how long a phone has to have rung for its caller to have given up:
// one that refuses at once, by itself, reads the same.
const leastRing = 2 * time.Second

// givenUp tells when the caller hung up, where that follows: somebody was rung, or
// a queue waited in, until before its time was out, and the dialplan did not go on.
// No row says so; a phone that refused, after a while, reads the same. Of a number
// outside that was called from inside nothing follows: its network gives up as
// often as the caller.
func (t *cdrTale) givenUp() time.Time {
	origin := t.rows[0]
	if strings.HasPrefix(origin.channel, "Local/") {
		return time.Time{}
	}
	began, at := origin.start, origin.end
	for _, r := range t.rows {
		if r.channel == origin.channel && r.end.After(at) {
			at = r.end
		}
	}
	for _, r := range t.rows {
		if r.channel != origin.channel {
			continue
		}
		if r.end.Before(at.Add(-touching)) {
			began = latest(began, r.end)
			continue
		}
		if !r.answer.IsZero() || r.disposition != "NO ANSWER" || r.taken || r.peer == "" || !inTime(r, latest(r.start, began)) || r.callsOut() {
			return time.Time{}
		}
	}
	return at
}

// inTime tells whether a dialling, or the wait in a queue, ended before its time.
func inTime(r cdrRow, began time.Time) bool {
	place := map[string]int{"dial": 1, "queue": 4}[strings.ToLower(r.app)]
	if place == 0 || r.end.Sub(began) < leastRing {
		return false
	}
	args := strings.Split(r.data, ",")
	if len(args) <= place {
		return false // not told, or cut off
	}
	if args[place] == "" {
		return len(args) > place+1 // without limit
	}
	seconds, err := strconv.Atoi(args[place])
	return err == nil && r.end.Sub(r.start)+time.Second < time.Duration(seconds)*time.Second
}

// callsOut tells whether somebody inside called a number outside.
func (r cdrRow) callsOut() bool {
	_, element := dialElement(r.data, r.peer, nil)
	element, _, _ = strings.Cut(element, "/sip:")
	return strings.ContainsAny(element, "@/") && r.did == "" && endpointOf(r.channel) != endpointOf(r.peer)
}

// again is the row in which a channel talked before another row began, and goes
// on to talk when that ends: it put the one on hold to speak to the other.
func (t *cdrTale) again(name string, r cdrRow) int {
	for i, other := range t.rows {
		if other.peer == "" || other.answer.IsZero() || other.conference() || other.channel != name && other.peer != name {
			continue
		}
		if other.answer.Before(r.answer) && other.end.After(r.end.Add(touching)) {
			return i
		}
	}
	return -1
}

// bridgeOf names the bridge of a row: CDR names none.
func (r cdrRow) bridgeOf(number int) string { return r.linked + "/" + strconv.Itoa(number) }

// pickedUp tells that a call was taken from a phone that rang.
func (t *cdrTale) pickedUp(r cdrRow) {
	for _, rang := range t.rows {
		if rang.taken && rang.channel == r.channel && rang.data == r.data {
			e := t.channels[r.peer].says(r.start, record.PickedUp)
			e.Peer = t.channels[rang.peer].fact
			t.events = append(t.events, e)
			return
		}
	}
}
