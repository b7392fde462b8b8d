//go:build lab

package lab

import (
	"slices"
	"sync"
)

// maxTogether is how many scenarios play at the same time:
// more do not fit on the phones, and two cores carry their audio with ease.
const maxTogether = 6

// playTogether calls play for every scenario, each in a goroutine of its own,
// at most n at a time and never two that hold the same thing. It returns when
// all are done. Those that need the most go first: with small ones in front
// the big ones would be left over for the end, one after the other.
func playTogether(all []Scenario, n int, play func(Scenario)) {
	waiting := slices.Clone(all)
	slices.SortStableFunc(waiting, func(a, b Scenario) int { return phones(b) - phones(a) })
	playWhile(n, func(held map[string]bool) (Scenario, turn) {
		if len(waiting) == 0 {
			return Scenario{}, over
		}
		i := firstFree(waiting, held)
		if i < 0 {
			return Scenario{}, wait
		}
		s := waiting[i]
		waiting = append(waiting[:i], waiting[i+1:]...)
		return s, begin
	}, play)
}

// turn is what comes next in a schedule.
type turn int

const (
	over  turn = iota // nothing more
	wait              // until another scenario has ended
	begin             // the scenario that is given with it
)

// playWhile calls play for every scenario that next gives, each in a goroutine
// of its own, at most n at a time, until next says that it is over and all are
// done. next is told what is held at the moment.
func playWhile(n int, next func(held map[string]bool) (Scenario, turn), play func(Scenario)) {
	var mu sync.Mutex
	freed := sync.NewCond(&mu)
	held := map[string]bool{}
	active := 0
	mu.Lock()
	defer mu.Unlock()
	for {
		s, turn := Scenario{}, wait
		if active < n {
			s, turn = next(held)
		}
		switch {
		case turn == over && active == 0:
			return
		case turn != begin:
			freed.Wait()
			continue
		}
		active++
		for _, h := range s.Holds() {
			held[h] = true
		}
		go func() {
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				active--
				for _, h := range s.Holds() {
					delete(held, h)
				}
				freed.Signal()
			}()
			play(s)
		}()
	}
}

// firstFree is the first scenario that holds nothing that is held, or -1.
func firstFree(waiting []Scenario, held map[string]bool) int {
next:
	for i, s := range waiting {
		for _, h := range s.Holds() {
			if held[h] {
				continue next
			}
		}
		return i
	}
	return -1
}

// phones counts the extensions that a scenario holds.
func phones(s Scenario) int {
	n := 0
	for _, h := range s.Holds() {
		if extension.MatchString(h) {
			n++
		}
	}
	return n
}
