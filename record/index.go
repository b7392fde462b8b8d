package record

import "strings"

// index finds channels that are there by a word of their own, so that no fact
// has to look through all calls. The zero value is empty.
type index map[string]map[*channel]struct{}

func (x index) add(word string, ch *channel) {
	if word == "" {
		return
	}
	if x[word] == nil {
		x[word] = make(map[*channel]struct{})
	}
	x[word][ch] = struct{}{}
}

func (x index) remove(word string, ch *channel) {
	delete(x[word], ch)
	if len(x[word]) == 0 {
		delete(x, word)
	}
}

// oldest is the oldest call of a channel under that word for which fits holds.
func (x index) oldest(word string, fits func(*call) bool) *call {
	var found *call
	for ch := range x[word] {
		if c := ch.call; c != nil && (found == nil || older(c, found)) && fits(c) {
			found = c
		}
	}
	return found
}

// device is a channel's name without its number: "PJSIP/101" of
// "PJSIP/101-0000001a".
func device(name string) string {
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		return name[:i]
	}
	return name
}
