//go:build lab

package lab

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestPlayTogether: every scenario is played once, never more than allowed
// and never two that hold the same phone.
func TestPlayTogether(t *testing.T) {
	all := []Scenario{
		{Name: "a", Uses: []string{"101", "102"}}, {Name: "b", Uses: []string{"102"}}, {Name: "c", Uses: []string{"103"}},
		{Name: "d", Uses: []string{"101"}}, {Name: "e"}, {Name: "f"}, {Name: "g", Uses: []string{"103", "101"}},
	}
	var mu sync.Mutex
	busy, played, active := map[string]string{}, map[string]int{}, 0
	enter := func(s Scenario) {
		mu.Lock()
		defer mu.Unlock()
		played[s.Name]++
		if active++; active > 3 {
			t.Errorf("%d scenarios play at once", active)
		}
		for _, h := range s.Holds() {
			if busy[h] != "" {
				t.Errorf("%s and %s both hold %s", s.Name, busy[h], h)
			}
			busy[h] = s.Name
		}
	}
	leave := func(s Scenario) {
		mu.Lock()
		defer mu.Unlock()
		active--
		for _, h := range s.Holds() {
			delete(busy, h)
		}
	}
	playTogether(all, 3, func(s Scenario) { enter(s); leave(s) })
	for _, s := range all {
		if played[s.Name] != 1 {
			t.Errorf("%s was played %d times", s.Name, played[s.Name])
		}
	}
}

func TestAudioLength(t *testing.T) {
	riff := func(tag uint16, header, sound int) []byte {
		b := make([]byte, header+sound)
		copy(b, "RIFF....WAVEfmt ")
		binary.LittleEndian.PutUint16(b[20:], tag)
		return b
	}
	for _, c := range []struct {
		name  string
		bytes []byte
		kind  string
		want  time.Duration
	}{
		{"wav", riff(1, wavHeader, 2*wavRate), "wav", 2 * time.Second},
		{"empty wav", riff(1, wavHeader, 0), "wav", 0},
		{"wav49", riff(49, wav49Header, 3*wav49Rate), "wav49", 3 * time.Second},
		{"gsm", []byte(strings.Repeat("\xd1"+strings.Repeat("\x00", 32), 50)), "gsm", time.Second},
		{"a page", []byte("<!doctype html>"), "", 0},
		{"RIFF of another kind", riff(85, wavHeader, 100), "", 0},
	} {
		kind, length, err := AudioLength(c.bytes)
		if kind != c.kind || length != c.want || (err == nil) != (c.kind != "") {
			t.Errorf("%s: %q, %v, %v; want %q, %v", c.name, kind, length, err, c.kind, c.want)
		}
	}
}

// TestALaw compares with values of ITU-T G.711, table 1a.
func TestALaw(t *testing.T) {
	for sample, want := range map[int16]byte{0: 0xD5, -1: 0x55, 32767: 0xAA, -32768: 0x2A, 1000: 0xFA, -1000: 0x7A} {
		if got := alaw(sample); got != want {
			t.Errorf("alaw(%d) = %#x, want %#x", sample, got, want)
		}
	}
}

func TestCheckFindsMistakes(t *testing.T) {
	good := Scenario{Name: "good", Calls: []Call{{Phone: "101", Dial: "102"}}}
	for name, all := range map[string][]Scenario{
		"same name":       {good, good},
		"bad name":        {{Name: "No", Calls: good.Calls}},
		"no calls":        {{Name: "a"}},
		"nobody begins":   {{Name: "a", Calls: []Call{{Dial: "102"}}}},
		"two begin":       {{Name: "a", Calls: []Call{{Phone: "101", Trunk: "trunk-a", Dial: "102"}}}},
		"nothing dialled": {{Name: "a", Calls: []Call{{Phone: "101"}}}},
		"odd originate":   {{Name: "a", Calls: []Call{{Originate: "SIP/x", Dial: "102"}}}},
		"record of none":  {{Name: "a", Calls: []Call{{Phone: "101", Dial: "5", NoChannel: true, Want: &Want{}}}}},
		"caller used twice": {
			{Name: "a", Calls: []Call{{Trunk: "trunk-a", From: "7903", Dial: "1"}}},
			{Name: "b", Calls: []Call{{Trunk: "trunk-a", From: "7903", Dial: "1"}}}},
	} {
		if Check(all) == nil {
			t.Errorf("%s: no mistake found", name)
		}
	}
	if err := Check([]Scenario{good}); err != nil {
		t.Error(err)
	}
}
