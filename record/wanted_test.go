package record_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/voipd/voipd/record"
)

func TestVariables(t *testing.T) {
	for _, c := range []struct{ own, want []string }{
		{nil, []string{"AMPUSER", "FROMEXTEN", "FROM_DID", "MIXMONITOR_FILENAME", "__FROMEXTEN", "__FROM_DID"}},
		{[]string{"DEAL", "", "FROM_DID"}, []string{"AMPUSER", "DEAL", "FROMEXTEN", "FROM_DID", "MIXMONITOR_FILENAME", "__FROMEXTEN", "__FROM_DID"}},
	} {
		if got := slices.Sorted(maps.Keys(record.Variables(c.own...))); !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, want %q", c.own, got, c.want)
		}
	}
}

// TestTells: what the machine uses of applications is told, also of one that
// nobody knows; names are case-sensitive, as Asterisk's.
func TestTells(t *testing.T) {
	for application, want := range map[string]bool{
		"Dial": true, "Queue": true, "VoiceMail": true, "Playback": true, "Goto": true, "Background": true, "": true, "set": true, "Unheard": true,
		"Set": false, "GosubIf": false, "UserEvent": false, "SIPAddHeader": false, "AppDial2": false,
	} {
		if got := record.Tells(application); got != want {
			t.Errorf("%q: %v, want %v", application, got, want)
		}
	}
}
