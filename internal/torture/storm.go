package torture

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Fault is something that goes wrong. What lasts has an end.
type Fault struct {
	Kind       string
	What       string // that fails: it fails in one way at a time
	Begin, End func() // End nil: it is over at once
	Deaf       bool   // voipd hears nothing meanwhile
	Rare       bool   // a third as often: what CEL tells of calls around it can only be approximate
}

// LongestFault is how long a fault lasts at the most.
const LongestFault = 4 * time.Second

// planned is a fault, when it begins and how long it lasts.
type planned struct {
	Fault
	at, lasts time.Duration
}

// Storm lets faults happen at random moments. Its methods are for one
// goroutine.
type Storm struct {
	begin   time.Time
	plan    []planned
	lasting []lasting
	counts  map[string]int
	dark    [][2]time.Time // when voipd or its link was not there
}

// lasting is a fault that goes on, and its end.
type lasting struct {
	kind string
	at   time.Time
	end  func()
}

// NewStorm plans so many faults of these kinds: only r decides what fails when.
// What lasts does not begin again before it is over.
func NewStorm(r *rand.Rand, kinds []Fault, most int, length time.Duration) *Storm {
	upTo := func(d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
	every := length / time.Duration(max(most, 1))
	free := map[string]time.Duration{}
	s := &Storm{begin: time.Now(), counts: map[string]int{}}
	for len(s.plan) < most {
		p := planned{Fault: kinds[r.IntN(len(kinds))], lasts: upTo(LongestFault)}
		if p.Rare && r.IntN(3) > 0 {
			continue
		}
		p.at = max(time.Duration(len(s.plan))*every+upTo(every), free[p.What])
		free[p.What] = p.at + p.lasts + time.Second
		s.plan = append(s.plan, p)
	}
	slices.SortStableFunc(s.plan, func(a, b planned) int { return cmp.Compare(a.at, b.at) })
	return s
}

// Step ends what lasted long enough and begins what is due now.
func (s *Storm) Step(now time.Time) {
	s.finish(now)
	for len(s.plan) > 0 && now.Sub(s.begin) >= s.plan[0].at {
		p := s.plan[0]
		s.plan = s.plan[1:]
		s.counts[p.Kind]++
		if p.Deaf {
			s.dark = append(s.dark, [2]time.Time{now, now.Add(p.lasts)})
		}
		p.Begin()
		if p.End != nil {
			s.Add(p.Kind, p.lasts, p.End)
		}
	}
}

// Add makes something last, until its end.
func (s *Storm) Add(kind string, lasts time.Duration, end func()) {
	s.lasting = append(s.lasting, lasting{kind, time.Now().Add(lasts), end})
}

func (s *Storm) finish(now time.Time) {
	s.lasting = slices.DeleteFunc(s.lasting, func(l lasting) bool {
		if l.at.After(now) {
			return false
		}
		l.end()
		return true
	})
}

// Coming tells whether faults are still to begin.
func (s *Storm) Coming() bool { return len(s.plan) > 0 }

// Lasting tells whether one goes on.
func (s *Storm) Lasting() bool { return len(s.lasting) > 0 }

// Lasts tells whether one of that kind goes on.
func (s *Storm) Lasts(kind string) bool {
	return slices.ContainsFunc(s.lasting, func(l lasting) bool { return l.kind == kind })
}

// blindFor is how long after a fault voipd may not yet listen again: it starts,
// logs in and asks for the channels.
const blindFor = 3 * time.Second

// Blind tells whether voipd may not have heard what was said at a moment, for a
// fault that began up to a second later: what it had received is lost with it.
func (s *Storm) Blind(at time.Time) bool {
	return slices.ContainsFunc(s.dark, func(d [2]time.Time) bool { return at.Add(time.Second).After(d[0]) && at.Before(d[1].Add(blindFor)) })
}

// Tell prints how many faults there were of each kind, and gives their number.
func (s *Storm) Tell(who string) (total int) {
	for _, kind := range slices.Sorted(maps.Keys(s.counts)) {
		fmt.Printf("%s %4d × %s\n", who, s.counts[kind], kind)
		total += s.counts[kind]
	}
	return total
}

// Garbage is what no PBX should send.
func Garbage(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return strings.Repeat("\x00\xff~", 1+r.IntN(1000))
	case 1:
		return "Event: Newchannel\r\nPrivilege: call,all\r\nUniqueid: "
	case 2:
		return "\r\n\r\n\r\nnonsense without a colon\r\n\r\n"
	}
	return "Event: " + strings.Repeat("x", 300_000) + "\r\n"
}
