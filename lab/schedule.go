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
	var mu sync.Mutex
	freed := sync.NewCond(&mu)
	held := map[string]bool{}
	active := 0
	waiting := slices.Clone(all)
	slices.SortStableFunc(waiting, func(a, b Scenario) int { return phones(b) - phones(a) })

	mu.Lock()
	defer mu.Unlock()
	for len(waiting) > 0 || active > 0 {
		i := -1
		if active < n {
			i = firstFree(waiting, held)
		}
		if i < 0 {
			freed.Wait()
			continue
		}
		s := waiting[i]
		waiting = append(waiting[:i], waiting[i+1:]...)
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
