package record_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/voipd/voipd/internal/capture"
	"github.com/voipd/voipd/record"
)

// TestLive: how real calls stand while they go on, each state noted once.
func TestLive(t *testing.T) {
	for name, want := range map[string][]string{
		"in-answered": {"in 79031000001>74951234567 waiting", "in 79031000001>101 waiting", "in 79031000001>101 ringing 101",
			"in 79031000001>101 talking 79031000001 101"},
		"in-ringgroup": {"in 79031000008>74951234568 waiting", "in 79031000008>600 waiting", "in 79031000008>101 ringing 101",
			"in 79031000008>101 ringing 101 102", "in 79031000008>101 ringing 101 102 103", "in 79031000008>101 ringing 101 103",
			"in 79031000008>101 ringing 103", "in 79031000008>101 waiting", "in 79031000008>102 talking 79031000008 102", "in 79031000008>102 waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			m := record.New(officeRules())
			var got []string
			_, err := capture.Events("testdata/captures/22/"+name+"/ami.txt.gz", nil, func(e record.Event) {
				m.Apply(nil, e)
				for _, l := range m.OpenLives() {
					line := string(l.Record.Direction) + " " + l.Record.SrcPhone + ">" + l.Record.DstPhone + " " + string(l.State)
					line = strings.Join(append(append([]string{line}, l.Ringing...), l.Talking...), " ")
					if !slices.Contains(got, line) {
						got = append(got, line)
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
			if m.Open() != 0 || len(m.OpenLives()) != 0 {
				t.Error("a call is told that does not go on")
			}
		})
	}
}

// TestLiveHold: a call on hold says who holds it.
func TestLiveHold(t *testing.T) {
	m, held := record.New(officeRules()), ""
	_, err := capture.Events("testdata/captures/22/xfer-attended/ami.txt.gz", nil, func(e record.Event) {
		m.Apply(nil, e)
		for _, l := range m.OpenLives() {
			if l.State == record.OnHold {
				held = l.HeldBy
			}
		}
	})
	if err != nil || held != "101" {
		t.Errorf("held by %q (%v), want 101", held, err)
	}
}
