package ari_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	cycore "github.com/CyCoreSystems/ari/v6"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/voipd/voipd/ari"
)

// TestCapturesPlainly: of every captured event the Translator makes the facts
// that the oracle makes.
func TestCapturesPlainly(t *testing.T) {
	translator, now, facts := ari.NewTranslator("DEAL"), time.Now().UTC(), 0
	for _, text := range stream(t) {
		want, err := plainly(text, now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := translator.Events(nil, text, now)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s (-plain +translator):\n%s", text, d)
		}
		facts += len(got)
	}
	if facts == 0 {
		t.Error("no facts")
	}
}

// FuzzTranslator checks three things: any bytes are survived; what cannot be
// read is an error that costs nothing of what was read before; and what can be
// read gives the facts of the oracle, whatever the values hold.
func FuzzTranslator(f *testing.F) {
	seen := map[string]int{}
	for _, text := range stream(f) {
		var m struct{ Type string }
		if err := json.Unmarshal(text, &m); err != nil {
			f.Fatal(err)
		}
		if seen[m.Type]++; seen[m.Type] > 3 {
			continue
		}
		f.Add(text)
		f.Add(text[:len(text)/2])
		f.Add(bytes.ReplaceAll(text, []byte(`"PJSIP/`), []byte(`"\u0000\"},{\ud800 PJSIP/`)))
	}
	for _, text := range []string{"", "null", "[]", `{"type":7}`, `{"type":"Unheard"}`, `{"type":"ChannelVarset","variable":"DEAL","value":"\"type\":\"Dial\""}`,
		`{"value":"{\"type\":\"ChannelCreated\"}","type":"ChannelCreated","channel":null}`, `{"type":"ChannelDestroyed","tech_cause":603,"cause":21,"channel":{}}`,
		`{"type":"ChannelCreated","timestamp":"yesterday"}`, `{"type":"RecordingStarted","recording":{"name":"../x","format":"wav","target_uri":"bridge:b"}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		now := time.Date(2026, 11, 22, 16, 50, 2, 0, time.UTC)
		before, err := plainly([]byte(`{"type":"ChannelHold","channel":{"id":"1"}}`), now)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ari.NewTranslator("DEAL").Events(before, text, now)
		if len(got) < 1 || !cmp.Equal(before, got[:1]) {
			t.Fatalf("what was read before is lost: %v", got)
		}
		want, plainErr := plainly(text, now)
		_, strict := cycore.DecodeEvent(text)
		switch {
		case err != nil && len(got) > 1:
			t.Fatalf("facts and an error: %v", err)
		case !json.Valid(text) && err == nil:
			t.Fatal("no error for what is not JSON")
		case !json.Valid(text) || !plainKeys(text): // no question of facts
		case err != nil && plainErr == nil && strict == nil:
			t.Fatalf("an event is refused: %v", err)
		case err == nil && plainErr == nil:
			if d := cmp.Diff(want, got[1:], cmpopts.EquateEmpty()); d != "" {
				t.Fatalf("(-plain +translator):\n%s", d)
			}
		}
	})
}

// plainKeys tells whether an object's keys are as Asterisk writes them: none
// twice and none in capitals. Of others each reader has its own way.
func plainKeys(text []byte) bool {
	d := json.NewDecoder(bytes.NewReader(text))
	type object struct {
		keys map[string]bool // nil: an array
		key  bool            // a key comes next
	}
	var open []object
	value := func() {
		if n := len(open); n > 0 && open[n-1].keys != nil {
			open[n-1].key = true
		}
	}
	for {
		token, err := d.Token()
		if err != nil {
			return true // the end: the text is valid
		}
		switch v := token.(type) {
		case json.Delim:
			switch v {
			case '{':
				open = append(open, object{keys: map[string]bool{}, key: true})
			case '[':
				open = append(open, object{})
			default:
				open = open[:len(open)-1]
				value()
			}
			continue
		case string:
			if n := len(open); n > 0 && open[n-1].key {
				if open[n-1].keys[v] || strings.ContainsFunc(v, func(r rune) bool { return r > '~' || r >= 'A' && r <= 'Z' }) && v != "CHANNEL(linkedid)" {
					return false
				}
				open[n-1].keys[v], open[n-1].key = true, false
				continue
			}
		}
		value()
	}
}
